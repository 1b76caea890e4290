package dev.jarvis.chaos;

import dev.jarvis.chaos.Audit.Budget;
import dev.jarvis.chaos.Audit.Call;
import dev.jarvis.chaos.Audit.Generated;
import dev.jarvis.chaos.Fault.Effect;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** All calls of a run, and the budgets that apply to them. */
final class History {
  /** The cost of the dearest call that is possible: 11 and 60 tokens of the dear model. */
  private static final BigDecimal LARGEST = new BigDecimal("0.393");

  /** A stream records its tokens after as many. */
  private static final int CHECKPOINT_TOKENS = 1000;

  private final List<Call> calls = new ArrayList<>();
  private final List<Budget> budgets = new ArrayList<>();
  private final Set<String> inSpools = new HashSet<>();
  private final Set<String> reported = new HashSet<>();

  /** Adds the calls that were sent while a fault was there. */
  void add(List<SentCall> sent, Fault fault) {
    sent.forEach(it -> calls.add(call(it, fault.effect())));
  }

  private Call call(SentCall call, Effect effect) {
    boolean answered = call.answered();
    boolean inSpool = answered && effect == Effect.ENDS_FOR_LONG;
    if (inSpool) {
      inSpools.add(call.requestId());
    }
    boolean killed = effect == Effect.ENDS || effect == Effect.ENDS_FOR_LONG;
    return new Call(
        call.requestId(),
        call.account().user(),
        call.account().team(),
        answered,
        !answered || effect == Effect.LOSES_SPOOL || inSpool,
        call.kind().leaves() || effect != Effect.NONE,
        killed && call.requestId().endsWith(Moment.HALF) ? checkpoint(call) : 0,
        call.maxTokens());
  }

  /** From now on the ledger must have what was in spools of replicas that were away. */
  void allReplicasAreBack() {
    calls.replaceAll(it -> inSpools.contains(it.requestId()) ? it.exact() : it);
    inSpools.clear();
  }

  /** What the last checkpoint of a stream held in the middle has recorded at least. */
  private static int checkpoint(SentCall call) {
    return call.kind().streamed() && call.tokens() / 2 > 2 * CHECKPOINT_TOKENS
        ? CHECKPOINT_TOKENS
        : 0;
  }

  /**
   * @param inFlight how many calls of the account there are at once, at most
   */
  void limit(Account account, int inFlight) {
    budgets.add(
        new Budget(
            account.team(), account.limit(), LARGEST.multiply(BigDecimal.valueOf(inFlight))));
  }

  /** Returns a sentence for each promise that was not kept, but those reported before. */
  List<String> violations(Cluster cluster) {
    return all(cluster).stream().filter(it -> !reported.contains(it)).toList();
  }

  /** Marks what is not kept now as reported: the tests that follow shall not fail because of it. */
  void reported(Cluster cluster) {
    reported.addAll(all(cluster));
  }

  private List<String> all(Cluster cluster) {
    List<Generated> generated =
        cluster.model().generations().stream()
            .map(
                it ->
                    new Generated(
                        it.requestId(), it.model(), it.input(), it.output(), it.reported()))
            .toList();
    return Audit.violations(calls, generated, Books.read(cluster.postgres().primary()), budgets);
  }
}
