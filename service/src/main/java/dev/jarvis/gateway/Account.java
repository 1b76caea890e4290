package dev.jarvis.gateway;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps account of one call, from before a model is asked until it is settled. Used by the call's
 * thread; {@link #settle} also by others, once.
 */
public interface Account {
  /**
   * A target is about to be asked.
   *
   * @param before the attempts at other targets, which have failed
   * @throws dev.jarvis.error.ApiException if it must not be; then no other one is asked either
   */
  default void attempt(TargetName target, List<Attempt> before) {}

  /** A streamed answer has come this far. Never waits and never throws. */
  default void checkpoint(Checkpoint checkpoint) {}

  /**
   * The call has ended. Never waits and never throws.
   *
   * @param entry null if no model was asked
   */
  void settle(@Nullable LedgerEntry entry);
}
