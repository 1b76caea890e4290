package dev.jarvis.price;

import dev.jarvis.config.Allowed;
import dev.jarvis.gateway.TargetName;

/** A model whose price another one is compared with, as the configuration writes it. */
@Allowed("PROVIDER/MODEL")
public record PricedModel(TargetName name) {
  /**
   * Parses {@code provider/model}.
   *
   * @throws IllegalArgumentException if the text has another form
   */
  public static PricedModel parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 1 || slash == text.length() - 1) {
      throw new IllegalArgumentException("not PROVIDER/MODEL");
    }
    return new PricedModel(new TargetName(text.substring(0, slash), text.substring(slash + 1)));
  }
}
