package dev.jarvis.provider.local;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaIterator;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A model loaded into llama.cpp. For one thread at a time: a call of native code after {@link
 * #close}, or two at the same time, can crash the process.
 */
final class LocalModel implements AutoCloseable {
  /**
   * Long prompts are evaluated in steps of about so many tokens (a second or two on a small
   * machine), because native code cannot be cancelled during a step.
   */
  private static final int STEP_TOKENS = 128;

  /** The fields that it honours besides the common ones. */
  static final Set<String> HONOURED =
      Set.of("frequency_penalty", "presence_penalty", "repeat_penalty");

  private final LocalConfig config;
  private final LlamaModel model;

  /**
   * Loads the weights.
   *
   * @throws IOException if they are missing or invalid, or llama.cpp does not run here
   */
  LocalModel(LocalConfig config) throws IOException {
    this.config = config;
    if (!Files.isReadable(config.gguf())) {
      throw new IOException("cannot read the model weights at " + config.gguf());
    }
    NativeLibrary.LLAMA.load();
    ModelParameters parameters =
        new ModelParameters()
            .setModel(config.gguf().toString())
            .setCtxSize(config.contextTokens())
            .setThreads(config.threadCount())
            .setParallel(1)
            .disableContextShift()
            .disableLog();
    try {
      model = new LlamaModel(parameters);
    } catch (RuntimeException | LinkageError e) {
      throw new IOException("cannot load a model from " + config.gguf(), e);
    }
  }

  /**
   * Writes an answer to the stream, until its end or until the stream is closed.
   *
   * @throws ProviderException.Refused if the conversation is longer than the model's context
   */
  void answer(ChatRequest request, LocalStream stream) throws ProviderException {
    ChatTemplate prompt = ChatTemplate.apply(model::applyTemplate, request.messages());
    int input = model.encode(prompt.text()).length;
    if (input >= config.contextTokens()) {
      throw new ProviderException.Refused(
          "The conversation has %d tokens; the maximum is %d, including the answer."
              .formatted(input, config.contextTokens()),
          ProviderException.Refusal.contextTooLong("messages"),
          null);
    }
    stream.put(new Event.UsageReport(Usage.counted(input, 0), null));
    if (read(prompt.text(), input, request, stream)) {
      generate(prompt, input, request, stream);
    }
  }

  /** Stops the native code; its memory is freed only when the process ends. */
  @Override
  public void close() {
    model.close();
  }

  /** Evaluates all but the last step of the prompt into the model's cache; false if cancelled. */
  private boolean read(String text, int tokens, ChatRequest request, LocalStream stream) {
    int steps = tokens / STEP_TOKENS;
    for (int step = 1; step < steps; step++) {
      if (stream.closed()) {
        return false;
      }
      String begin = text.substring(0, (int) ((long) text.length() * step / steps));
      boolean reuse = step > 1 || !repeatable(request);
      model.complete(new InferenceParameters(begin).setNPredict(1).setCachePrompt(reuse));
    }
    return !stream.closed();
  }

  private void generate(ChatTemplate prompt, int input, ChatRequest request, LocalStream stream) {
    LocalConfig.Sampling sampling = config.sampling();
    int limit =
        Math.min(request.maxTokens().orElse(config.maxTokens()), config.contextTokens() - input);
    boolean reuse = input / STEP_TOKENS > 1 || !repeatable(request);
    InferenceParameters parameters =
        new InferenceParameters(prompt.text()).setNPredict(limit).setCachePrompt(reuse);
    parameters.setTemperature((float) temperature(request));
    parameters.setTopP((float) request.topP().orElse(sampling.topP().doubleValue()));
    parameters.setRepeatPenalty(
        (float) request.repeatPenalty().orElse(sampling.repeatPenalty().doubleValue()));
    request.frequencyPenalty().ifPresent(value -> parameters.setFrequencyPenalty((float) value));
    request.presencePenalty().ifPresent(value -> parameters.setPresencePenalty((float) value));
    request.seed().ifPresent(value -> parameters.setSeed(seed(value)));

    List<String> stops = new ArrayList<>(request.stop());
    stops.addAll(prompt.markers());
    StopFilter filter = new StopFilter(stops);
    LlamaIterator pieces = model.generate(parameters).iterator();
    int output = 0;
    boolean ended = false;
    while (pieces.hasNext()) {
      if (stream.closed()) {
        pieces.cancel();
        return;
      }
      String piece = pieces.next().text;
      if (!pieces.hasNext()) {
        break; // the last piece only marks the end
      }
      output += tokens(piece);
      ended = piece.isEmpty(); // the end-of-text token; at the token limit the last piece has text
      String text = filter.accept(piece);
      if (filter.stopped()) {
        pieces.cancel();
        finish(stream, text, FinishReason.STOP, Usage.counted(input, output));
        return;
      }
      stream.put(new Event.Text(0, text, null));
    }
    Usage usage = Usage.counted(input, output);
    finish(stream, filter.rest(), ended ? FinishReason.STOP : FinishReason.LENGTH, usage);
  }

  private static void finish(LocalStream stream, String text, FinishReason reason, Usage usage) {
    stream.put(new Event.Text(0, text, null));
    stream.put(new Event.ChoiceEnd(0, reason, null));
    stream.put(new Event.UsageReport(usage, null));
    stream.put(new Event.End(null));
  }

  /** A piece is one token, unless one of its characters consists of several tokens. */
  private int tokens(String piece) {
    boolean ascii = piece.chars().allMatch(c -> c < 0x80);
    return ascii ? 1 : Math.max(1, model.encode(piece).length);
  }

  /**
   * Whether the same request must get the same answer. The prompt cache is not used then: it
   * changes the batch sizes, and so the rounding of numbers.
   */
  private boolean repeatable(ChatRequest request) {
    return request.seed().isPresent() || temperature(request) == 0;
  }

  private double temperature(ChatRequest request) {
    return request.temperature().orElse(config.sampling().temperature().doubleValue());
  }

  /** The binding takes 32 bits; -1 means a random seed. */
  private static int seed(long value) {
    int seed = Long.hashCode(value);
    return seed == -1 ? 0 : seed;
  }
}
