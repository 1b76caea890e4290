package dev.jarvis.routing;

import dev.jarvis.gateway.CallRecord;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import java.util.List;

/** Records the routing of one call: span events, metrics, and fields of the log line. */
final class RoutingTelemetry {
  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("jarvis.routing.route");
  private static final AttributeKey<String> STRATEGY =
      AttributeKey.stringKey("jarvis.routing.strategy");
  private static final AttributeKey<String> CHOSEN =
      AttributeKey.stringKey("jarvis.routing.chosen");
  private static final AttributeKey<String> REASON =
      AttributeKey.stringKey("jarvis.routing.reason");
  private static final AttributeKey<List<String>> OPTIONS =
      AttributeKey.stringArrayKey("jarvis.routing.options");
  private static final AttributeKey<String> FAILED =
      AttributeKey.stringKey("jarvis.routing.failed");

  private final Telemetry telemetry;
  private final Catalogue models;
  private final CallRecord call;

  RoutingTelemetry(Telemetry telemetry, Catalogue models, CallRecord call) {
    this.telemetry = telemetry;
    this.models = models;
    this.call = call;
  }

  /** Records the decision, before any target is asked. */
  void decided(Decision decision) {
    decision
        .chosen()
        .ifPresent(
            chosen -> {
              String reason = chosen.reason().id();
              call.routed(new CallRecord.Routed(decision.route(), chosen.target().name(), reason));
              telemetry
                  .instruments()
                  .add(
                      Metric.LLM_ROUTING_DECISIONS,
                      1,
                      decision.strategy().id(),
                      models.label(chosen.target().model()),
                      reason);
              Span.current()
                  .addEvent(
                      "jarvis.routing",
                      Attributes.of(
                          ROUTE, decision.route(),
                          STRATEGY, decision.strategy().id(),
                          CHOSEN, chosen.target().name().toString(),
                          REASON, reason,
                          OPTIONS,
                              decision.options().stream()
                                  .map(it -> it.target().name() + " " + it.reason().id())
                                  .toList()));
            });
  }

  /** Records that a target failed and another one is asked. */
  void fellBack(Catalogue.Target target, ProviderException error) {
    String reason = reason(error);
    telemetry
        .instruments()
        .add(
            Metric.LLM_FALLBACKS,
            1,
            models.label(target.model()),
            target.provider().name(),
            reason);
    Span.current()
        .addEvent(
            "jarvis.fallback", Attributes.of(FAILED, target.name().toString(), REASON, reason));
  }

  /** Records the target that has begun to answer. */
  void answered(Decision decision, Catalogue.Target target) {
    boolean asChosen = decision.chosen().map(it -> it.target().equals(target)).orElse(false);
    if (!asChosen) {
      call.routed(
          new CallRecord.Routed(decision.route(), target.name(), Decision.Reason.FALLBACK.id()));
    }
  }

  private static String reason(ProviderException error) {
    return switch (error) {
      case ProviderException.Unavailable it -> "unavailable";
      case ProviderException.TimedOut it -> "timeout";
      case ProviderException.Busy it -> "busy";
      case ProviderException.NotFound it -> "not_found";
      case ProviderException.Refused it -> "refused";
    };
  }
}
