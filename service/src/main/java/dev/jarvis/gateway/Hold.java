package dev.jarvis.gateway;

/** What a call has taken from limits until it is settled. */
public interface Hold {
  /**
   * Gives back what was not used; never waits and never throws.
   *
   * @param tokens that models used for the call
   */
  void settle(Outcome outcome, long tokens);
}
