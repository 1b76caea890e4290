package dev.jarvis.routing;

import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.Question;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.id.UuidV7;
import dev.jarvis.provider.ProviderException;
import io.opentelemetry.api.trace.Span;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;

/** What a call is expected to use at the dearest target that may be asked. */
public final class Intents {
  /** Output tokens of an answer without a limit. */
  private static final int OUTPUT = 500;

  private static final Duration COMPUTE = Duration.ofSeconds(10);

  private final Router router;
  private final Settlement.Pricing pricing;

  public Intents(Router router, Settlement.Pricing pricing) {
    this.router = router;
    this.pricing = pricing;
  }

  public Intent of(Call call) {
    Question question = call.question();
    Usage expected =
        Usage.counted(
                question.estimatedTokens(),
                question.operation() == Operation.CHAT
                    ? Math.min(OUTPUT, question.maxTokens().orElse(OUTPUT))
                    : 0)
            .asEstimate();
    TargetName dearest =
        targets(question).stream()
            .max(Comparator.comparing(it -> usd(call, it, expected)))
            .orElse(new TargetName("_none", question.model()));
    LocalDate day = call.record().day();
    return new Intent(
        call.id(),
        day == null ? LocalDate.ofInstant(UuidV7.time(call.id()), ZoneOffset.UTC) : day,
        Origin.of(call, Span.current().getSpanContext().getTraceId()),
        Asked.of(call),
        dearest,
        expected,
        COMPUTE);
  }

  private List<TargetName> targets(Question question) {
    try {
      return router.decide(question).stream()
          .flatMap(it -> it.order().stream())
          .map(it -> it.target().name())
          .toList();
    } catch (ProviderException e) {
      return List.of(); // the stage that asks the targets says why there are none
    }
  }

  private BigDecimal usd(Call call, TargetName target, Usage expected) {
    return pricing
        .cost(target, UuidV7.time(call.id()), expected, COMPUTE)
        .map(Cost::usd)
        .orElse(BigDecimal.ZERO);
  }
}
