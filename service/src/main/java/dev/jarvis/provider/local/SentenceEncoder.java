package dev.jarvis.provider.local;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Map;

/**
 * An embedding model loaded into ONNX Runtime. It reads one text at a time: the activations of a
 * batch are quantised together, so that a text's vector would depend on the others. Thread-safe,
 * except that {@link #close} must come last.
 */
final class SentenceEncoder implements AutoCloseable {
  private static final int BEGIN = 101; // [CLS]
  private static final int END = 102; // [SEP]

  private final EmbeddingModel model;
  private final OrtEnvironment environment;
  private final OrtSession session;

  /**
   * Loads the weights, which takes half a second and 100 MB outside the heap.
   *
   * @throws IOException if they are missing, or ONNX Runtime does not run here
   */
  SentenceEncoder(EmbeddingModel model) throws IOException {
    this.model = model;
    NativeLibrary.ONNX_RUNTIME.load();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      environment.setTelemetry(false);
      options.setIntraOpNumThreads(1); // texts are computed side by side instead
      options.setInterOpNumThreads(1);
      // memory goes back after each text; its shape would be planned for one length
      options.setCPUArenaAllocator(false);
      options.setMemoryPatternOptimization(false);
      session = environment.createSession(read(model.weights()), options);
    } catch (OrtException e) {
      throw new IOException("cannot load the model " + model.id(), e);
    }
  }

  private static byte[] read(String resource) throws IOException {
    try (InputStream in = SentenceEncoder.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new FileNotFoundException("no model weights on the class path: " + resource);
      }
      return in.readAllBytes();
    }
  }

  /**
   * Returns the vector of a text, of length 1: the mean of what the model makes of each token.
   *
   * @param pieces without control tokens
   * @throws OrtException if the native code fails
   */
  float[] encode(int[] pieces) throws OrtException {
    long[] ids = new long[pieces.length + EmbeddingModel.CONTROL_TOKENS];
    ids[0] = BEGIN;
    for (int i = 0; i < pieces.length; i++) {
      ids[i + 1] = pieces[i];
    }
    ids[ids.length - 1] = END;
    long[] mask = new long[ids.length];
    Arrays.fill(mask, 1);
    try (OnnxTensor tokens = tensor(ids);
        OnnxTensor attention = tensor(mask);
        OnnxTensor types = tensor(new long[ids.length]);
        OrtSession.Result result =
            session.run(
                Map.of(
                    "input_ids", tokens, "attention_mask", attention, "token_type_ids", types))) {
      return mean(((OnnxTensor) result.get(0)).getFloatBuffer(), ids.length);
    }
  }

  private OnnxTensor tensor(long[] numbers) throws OrtException {
    return OnnxTensor.createTensor(
        environment, LongBuffer.wrap(numbers), new long[] {1, numbers.length});
  }

  private float[] mean(FloatBuffer states, int tokens) {
    float[] mean = new float[model.dimensions()];
    for (int token = 0; token < tokens; token++) {
      for (int i = 0; i < mean.length; i++) {
        mean[i] += states.get(token * mean.length + i);
      }
    }
    double square = 0;
    for (float it : mean) {
      square += (double) it * it;
    }
    double length = Math.sqrt(square);
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (mean[i] / length);
    }
    return mean;
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
