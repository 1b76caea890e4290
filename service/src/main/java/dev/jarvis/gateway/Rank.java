package dev.jarvis.gateway;

/** How much is known of what a call used: in the ledger only a higher rank replaces an entry. */
public enum Rank {
  /** Estimated by another replica than the call's own, which is gone. */
  RECOVERED(1),
  /** Estimated by the call's own replica, because the model server did not count. */
  ESTIMATED(2),
  /** Counted by the model server. */
  EXACT(3);

  private final int number;

  Rank(int number) {
    this.number = number;
  }

  /** The value in the ledger's table. */
  public int number() {
    return number;
  }
}
