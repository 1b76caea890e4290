package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.gateway.Usage;
import dev.jarvis.gateway.VectorAnswer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Writes vectors. */
class EmbeddingRoutesTest {
  /** More than the generator buffers. */
  private static final float[] LONG = new float[100_000];

  private static final class Body extends ByteArrayOutputStream {
    private boolean closed;

    @Override
    public void close() {
      closed = true;
    }
  }

  private final Body body = new Body();

  private void write(List<float[]> vectors) throws Exception {
    EmbeddingRoutes.write(body, "m", new VectorAnswer(vectors, Usage.counted(1, 0)), false);
  }

  @Test
  void aBodyIsComplete() throws Exception {
    write(List.of(LONG, LONG));

    assertThat(body.closed).isTrue();
    assertThat(body.toString(StandardCharsets.UTF_8))
        .endsWith("\"usage\":{\"prompt_tokens\":1,\"total_tokens\":1}}");
  }

  @Test
  void aFaultMidwayLeavesAnIncompleteBody() {
    List<float[]> broken =
        new AbstractList<>() {
          @Override
          public float[] get(int index) {
            if (index > 0) {
              throw new IllegalStateException("a fault");
            }
            return LONG;
          }

          @Override
          public int size() {
            return 2;
          }
        };

    assertThatThrownBy(() -> write(broken)).isInstanceOf(IllegalStateException.class);

    assertThat(body.closed).isFalse();
    assertThat(body.toString(StandardCharsets.UTF_8))
        .startsWith("{\"object\":\"list\",\"data\":[")
        .doesNotContain("]");
  }
}
