package dev.jarvis.provider.openai;

import static dev.jarvis.provider.Counts.ABSENT;
import static dev.jarvis.provider.Counts.IMPOSSIBLE;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Counts;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code usage}. Counts in another form are taken; counts that contradict each other are
 * taken and marked as estimated; counts that cannot be are not taken at all.
 */
final class UsageReader {
  /** Two names of each: OpenAI's, and those of other APIs. */
  private static final String[] INPUT = {"prompt_tokens", "input_tokens"};

  private static final String[] OUTPUT = {"completion_tokens", "output_tokens"};

  private UsageReader() {}

  /**
   * What was read.
   *
   * @param usage null if there is no usable count
   * @param corrected whether the server's numbers could not be taken as they are
   */
  record Result(@Nullable Usage usage, boolean corrected) {
    private static final Result NONE = new Result(null, false);
    private static final Result UNUSABLE = new Result(null, true);
  }

  /**
   * Reads a report.
   *
   * @param wrote whether the model has written anything, so that it cannot have used no tokens
   */
  static Result read(JsonNode json, boolean wrote) {
    if (json.isMissingNode() || json.isNull()) {
      return Result.NONE;
    }
    if (!(json instanceof ObjectNode usage)) {
      return Result.UNUSABLE;
    }
    int input = first(usage, INPUT);
    int output = first(usage, OUTPUT);
    int total = Counts.of(usage.path("total_tokens"));
    if (input == ABSENT && output == ABSENT) {
      return total == ABSENT ? Result.NONE : Result.UNUSABLE;
    }
    boolean derived = total >= 0 && (input == ABSENT || output == ABSENT);
    if (derived && input == ABSENT) {
      input = output >= 0 && total >= output ? total - output : IMPOSSIBLE;
    } else if (derived) {
      output = input >= 0 && total >= input ? total - input : IMPOSSIBLE;
    }
    // a question has at least one token
    boolean possible = input > 0 && output >= 0 && input <= Integer.MAX_VALUE - output;
    if (!possible || (output == 0 && wrote)) {
      return Result.UNUSABLE;
    }
    return of(usage, input, output, total, derived);
  }

  private static Result of(
      ObjectNode usage, int input, int output, int total, boolean alreadyCorrected) {
    int cached = Counts.of(usage.at("/prompt_tokens_details/cached_tokens"));
    int reasoning = Counts.of(usage.at("/completion_tokens_details/reasoning_tokens"));
    boolean corrected = alreadyCorrected || otherForm(usage);
    // some servers count reasoning beside the completion's tokens, which include it by definition
    if (reasoning > 0 && total == (long) input + output + reasoning) {
      output += reasoning;
      corrected = true;
    }
    boolean contradicts =
        cached == IMPOSSIBLE
            || cached > input
            || reasoning == IMPOSSIBLE
            || reasoning > output
            || total == IMPOSSIBLE
            || (total != ABSENT && total != input + output);
    cached = Math.clamp(cached, 0, input);
    reasoning = Math.clamp(reasoning, 0, output);
    return new Result(
        new Usage(input - cached, cached, output - reasoning, reasoning, contradicts),
        corrected || contradicts);
  }

  private static boolean otherForm(ObjectNode usage) {
    return !isInteger(usage.path(INPUT[0]))
        || !isInteger(usage.path(OUTPUT[0]))
        || (usage.hasNonNull("total_tokens") && !isInteger(usage.path("total_tokens")));
  }

  private static boolean isInteger(JsonNode value) {
    return value.isIntegralNumber();
  }

  private static int first(ObjectNode usage, String[] names) {
    int count = Counts.of(usage.path(names[0]));
    return count == ABSENT ? Counts.of(usage.path(names[1])) : count;
  }
}
