package dev.jarvis.routing;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.TargetName;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The context windows of targets: as configured, or as their servers report them. */
public final class ContextWindows {
  /** Only what servers report; prompts that do not fit are told. */
  public static final ContextWindows REPORTED = new ContextWindows(ContextPolicy.TELL, List.of());

  private final ContextPolicy ofModels;
  private final Map<TargetName, Integer> configured;

  /**
   * @param ofModels what happens to prompts that do not fit, if the request names a model instead
   *     of a route
   * @param configured the last one of a target applies
   */
  public ContextWindows(ContextPolicy ofModels, List<ContextWindowConfig> configured) {
    this.ofModels = ofModels;
    this.configured =
        configured.stream()
            .collect(
                Collectors.toMap(
                    ContextWindowConfig::target, ContextWindowConfig::tokens, (a, b) -> b));
  }

  ContextPolicy ofModels() {
    return ofModels;
  }

  /** The number of tokens that a target's prompt and answer may have together, if it is known. */
  OptionalInt of(Catalogue.Target target, ChatRequest chat) {
    Integer known = configured.get(target.name());
    return target
        .provider()
        .contextWindow(
            chat.withModel(target.model()),
            known == null ? OptionalInt.empty() : OptionalInt.of(known));
  }

  /** Whether a prompt is surely longer than a target's context; false if it may fit. */
  static boolean exceeded(int leastTokens, @Nullable Integer window) {
    return window != null && leastTokens > window;
  }
}
