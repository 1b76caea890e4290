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
 * The weights and llama.cpp. For one thread at a time: native code answers a call after {@link
 * #close} or a badly timed one with a crash of the process.
 */
final class LocalModel implements AutoCloseable {
  /**
   * Long prompts are read in steps of about so many tokens (a second or two on a small machine),
   * for native code cannot be cancelled while it reads.
   */
  private static final int STEP_TOKENS = 128;

  /** The fields it honours beyond the common ones. */
  static final Set<String> HONOURED = Set.of("frequency_penalty", "presence_penalty");

  private final LocalConfig config;
  private final LlamaModel model;

  /**
   * Loads the weights.
   *
   * @throws IOException if they are absent, or no model, or llama.cpp does not run here
   */
  LocalModel(LocalConfig config) throws IOException {
    this.config = config;
    if (!Files.isReadable(config.gguf())) {
      throw new IOException("no model weights at " + config.gguf());
    }
    NativeLibrary.load();
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
      throw new IOException("no model can be loaded from " + config.gguf(), e);
    }
  }

  /**
   * Answers into the stream, until its end or until it is closed.
   *
   * @throws ProviderException.Refused if the conversation does not fit
   */
  void answer(ChatRequest request, LocalStream stream) throws ProviderException {
    ChatTemplate prompt = ChatTemplate.apply(model::applyTemplate, request.messages());
    int input = model.encode(prompt.text()).length;
    if (input >= config.contextTokens()) {
      throw new ProviderException.Refused(
          "The conversation has %d tokens; the model's context holds %d, the answer included."
              .formatted(input, config.contextTokens()));
    }
    stream.put(new Event.UsageReport(Usage.counted(input, 0), null));
    if (read(prompt.text(), input, request, stream)) {
      generate(prompt, input, request, stream);
    }
  }

  /** The native side stops working; it keeps its memory until the process ends. */
  @Override
  public void close() {
    model.close();
  }

  /** Reads all but the last step of the prompt into the model's cache; false if cancelled. */
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
    int limit =
        Math.min(request.maxTokens().orElse(config.maxTokens()), config.contextTokens() - input);
    boolean reuse = input / STEP_TOKENS > 1 || !repeatable(request);
    InferenceParameters parameters =
        new InferenceParameters(prompt.text()).setNPredict(limit).setCachePrompt(reuse);
    request.temperature().ifPresent(value -> parameters.setTemperature((float) value));
    request.topP().ifPresent(value -> parameters.setTopP((float) value));
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
        break; // The last one tells the end and has no token.
      }
      output += tokens(piece);
      ended = piece.isEmpty(); // So the mark of the end shows: the limit leaves a text last.
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

  /** A piece is one token, but for characters of several: those come whole. */
  private int tokens(String piece) {
    boolean ascii = piece.chars().allMatch(c -> c < 0x80);
    return ascii ? 1 : Math.max(1, model.encode(piece).length);
  }

  /** What is cached decides on the size of batches, and so on the last bits of the numbers. */
  private static boolean repeatable(ChatRequest request) {
    return request.seed().isPresent() || request.temperature().orElse(1) == 0;
  }

  /** The binding takes 32 bits, of which -1 means any seed. */
  private static int seed(long value) {
    int seed = Long.hashCode(value);
    return seed == -1 ? 0 : seed;
  }
}
