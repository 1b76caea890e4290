package dev.jarvis.provider.openai;

import static dev.jarvis.provider.Counts.ABSENT;
import static dev.jarvis.provider.Counts.IMPOSSIBLE;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Counts;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code usage}. Counts in another form are taken; counts that contradict each other are
 * taken and marked as estimated; counts that cannot be are not taken at all.
 */
final class UsageReader {
  /** The names of each: OpenAI's, and those of other APIs. */
  private static final String[] INPUT = {"/prompt_tokens", "/input_tokens"};

  private static final String[] OUTPUT = {"/completion_tokens", "/output_tokens"};

  private static final String[] CACHED = {
    "/prompt_tokens_details/cached_tokens", "/cache_read_input_tokens"
  };

  /** OpenRouter's, LiteLLM's and Anthropic's; OpenAI writes to its cache without a charge. */
  private static final String[] WRITTEN = {
    "/prompt_tokens_details/cache_write_tokens",
    "/prompt_tokens_details/cache_creation_tokens",
    "/cache_creation_input_tokens"
  };

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
    if (input >= 0 && !usage.hasNonNull("prompt_tokens")) {
      input = withCache(usage, input);
    }
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
    int cached = first(usage, CACHED);
    int written = first(usage, WRITTEN);
    int heard = Counts.of(usage.at("/prompt_tokens_details/audio_tokens"));
    int reasoning = Counts.of(usage.at("/completion_tokens_details/reasoning_tokens"));
    int spoken = Counts.of(usage.at("/completion_tokens_details/audio_tokens"));
    boolean corrected = alreadyCorrected || otherForm(usage);
    // some servers count reasoning beside the completion's tokens, which include it by definition
    if (reasoning > 0 && total == (long) input + output + reasoning) {
      output += reasoning;
      corrected = true;
    }
    boolean contradicts =
        IntStream.of(cached, written, heard, reasoning, spoken, total)
                .anyMatch(it -> it == IMPOSSIBLE)
            || (long) Math.max(cached, 0) + Math.max(written, 0) > input
            || heard > input
            || (long) Math.max(reasoning, 0) + Math.max(spoken, 0) > output
            || (total != ABSENT && total != input + output);
    cached = Math.clamp(cached, 0, input);
    written = Math.clamp(written, 0, input - cached);
    heard = Math.clamp(heard, 0, input - cached - written); // cached audio counts as cached
    reasoning = Math.clamp(reasoning, 0, output);
    spoken = Math.clamp(spoken, 0, output - reasoning);
    return new Result(
        new Usage(
            input - cached - written - heard,
            cached,
            written,
            heard,
            output - reasoning - spoken,
            reasoning,
            spoken,
            contradicts),
        corrected || contradicts);
  }

  private static boolean otherForm(ObjectNode usage) {
    return !isInteger(usage.at(INPUT[0]))
        || !isInteger(usage.at(OUTPUT[0]))
        || (usage.hasNonNull("total_tokens") && !isInteger(usage.path("total_tokens")));
  }

  private static boolean isInteger(JsonNode value) {
    return value.isIntegralNumber();
  }

  /** Anthropic's {@code input_tokens} are those that neither were in the cache nor went there. */
  private static int withCache(ObjectNode usage, int input) {
    long all =
        (long) input
            + Math.max(0, Counts.of(usage.path("cache_read_input_tokens")))
            + Math.max(0, Counts.of(usage.path("cache_creation_input_tokens")));
    return all <= Integer.MAX_VALUE ? (int) all : IMPOSSIBLE;
  }

  private static int first(ObjectNode usage, String[] names) {
    for (String name : names) {
      int count = Counts.of(usage.at(name));
      if (count != ABSENT) {
        return count;
      }
    }
    return ABSENT;
  }
}
