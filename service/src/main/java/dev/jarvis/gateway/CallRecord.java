package dev.jarvis.gateway;

import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.ApiException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects what happens to a call, for its settlement and its log line. Thread-safe. */
public final class CallRecord {
  private final List<Attempt> attempts = new ArrayList<>();
  private final List<Account> accounts = new ArrayList<>();
  private @Nullable Intent intent;
  private boolean durable;
  private @Nullable Routed routed;
  private @Nullable FinishReason cached;
  private @Nullable Throwable failure;
  private @Nullable Outcome outcome;
  private @Nullable Hold hold;
  private @Nullable RateStatus rateStatus;
  private List<String> overBudgets = List.of();
  private boolean settled;

  /**
   * The target that answers, or was asked last, and why.
   *
   * @param route the name in the request
   * @param reason the label {@code reason} of {@code llm_routing_decisions_total}
   */
  public record Routed(String route, TargetName target, String reason) {}

  public synchronized void routed(Routed decision) {
    routed = decision;
  }

  /** Null if no target was asked. */
  public synchronized @Nullable Routed routed() {
    return routed;
  }

  /**
   * Asks the accounts whether a target may be asked.
   *
   * @throws ApiException if it may not
   */
  public void beforeAttempt(TargetName target) {
    List<Attempt> before = attempts();
    accounts().forEach(it -> it.attempt(target, before));
  }

  /** Adds an attempt that begins now. */
  public synchronized void attempt(Attempt attempt) {
    attempts.add(attempt);
  }

  /** Tells the accounts how far a streamed answer has come. */
  void checkpoint(Checkpoint checkpoint) {
    accounts().forEach(it -> it.checkpoint(checkpoint));
  }

  /** Adds an account, which is settled with the call. */
  public synchronized void add(Account account) {
    accounts.add(account);
  }

  synchronized List<Account> accounts() {
    return List.copyOf(accounts);
  }

  /** Notes what the call is expected to use, and on which day it counts. */
  public synchronized void intend(Intent expected) {
    intent = expected;
  }

  /** Null before the call has reserved what it may cost. */
  public synchronized @Nullable Intent intent() {
    return intent;
  }

  /** Notes that nothing outside this machine knows of the call, so its intent must be durable. */
  public synchronized void requireDurability() {
    durable = true;
  }

  /** Whether the intent must be on the disk before a model is asked. */
  public synchronized boolean durable() {
    return durable;
  }

  /**
   * Notes that the call got an answer that was generated for another call.
   *
   * @return false if this was noted before
   */
  public synchronized boolean cached(Head head, FinishReason reason) {
    if (cached != null) {
      return false;
    }
    routed = new Routed(head.route(), head.target(), Outcome.CACHED.label());
    cached = reason;
    return true;
  }

  /** The finish reason of the reused answer; null if a model was asked. */
  public synchronized @Nullable FinishReason cached() {
    return cached;
  }

  /** Whether the model that was asked last has not seen the whole prompt, as far as is known. */
  public synchronized boolean truncated() {
    return !attempts.isEmpty() && attempts.getLast().truncated();
  }

  /** Notes what must be given back when the call is settled. */
  public synchronized void hold(Hold taken) {
    hold = taken;
  }

  synchronized @Nullable Hold hold() {
    return hold;
  }

  /** Notes what the limits left to the caller. */
  public synchronized void rateStatus(RateStatus status) {
    rateStatus = status;
  }

  /** Null if the caller has no limits. */
  public synchronized @Nullable RateStatus rateStatus() {
    return rateStatus;
  }

  /** Notes the soft budgets that are used up, as the header {@code x-jarvis-budget} names them. */
  public synchronized void overBudgets(List<String> budgets) {
    overBudgets = List.copyOf(budgets);
  }

  /** Empty if no soft budget is used up. */
  public synchronized List<String> overBudgets() {
    return overBudgets;
  }

  public synchronized void failed(Throwable e) {
    failure = e;
  }

  /** How the call ended; null until it is settled. */
  public synchronized @Nullable Outcome outcome() {
    return outcome;
  }

  synchronized List<Attempt> attempts() {
    return List.copyOf(attempts);
  }

  /** Returns true for the first caller only, which then settles the call. */
  synchronized boolean settle() {
    if (settled) {
      return false;
    }
    settled = true;
    outcome = ended();
    return true;
  }

  private Outcome ended() {
    if (cached != null) {
      return Outcome.CACHED;
    }
    if (failure instanceof CancelledException) {
      return Outcome.ABORTED;
    }
    if (!attempts.isEmpty()) {
      return attempts.getLast().outcome();
    }
    return switch (failure) {
      case ApiException.UpstreamFailed it -> Outcome.ERROR;
      case ApiException.Internal it -> Outcome.ERROR;
      case ApiException it -> Outcome.REJECTED;
      case null, default -> Outcome.ERROR;
    };
  }
}
