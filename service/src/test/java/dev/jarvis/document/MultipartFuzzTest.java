package dev.jarvis.document;

import dev.jarvis.error.ApiException;
import dev.jarvis.fuzz.Fuzz;
import dev.jarvis.fuzz.SplitInput;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Mutated forms. */
@Timeout(600)
class MultipartFuzzTest {
  private static final String FORM =
      """
      --XX\r
      Content-Disposition: form-data; name="file"; filename="grüße.txt"\r
      Content-Type: text/plain\r
      \r
      content
      of a file\r
      --XX\r
      Content-Disposition: form-data; name=purpose\r
      \r
      user_data\r
      --XX\r
      Content-Disposition: form-data; name="x"; filename*=UTF-8''a%20b\r
      \r
      \r
      --XX--\r
      """;

  @Test
  void formsFailAsTheyMay() {
    Fuzz.run(
        List.of(FORM),
        (input, random) -> {
          try {
            Multipart form =
                new Multipart(
                    "multipart/form-data; boundary=XX",
                    new SplitInput(input, () -> 1 + random.nextInt(50)));
            for (Optional<Multipart.Part> part = form.next();
                part.isPresent();
                part = form.next()) {
              part.get().content().readAllBytes();
            }
          } catch (ApiException | IOException e) {
            // a malformed form
          }
        });
  }
}
