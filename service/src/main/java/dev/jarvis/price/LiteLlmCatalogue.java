package dev.jarvis.price;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.TargetName;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the price list that LiteLLM publishes, <a
 * href="https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json">
 * model_prices_and_context_window.json</a>: by model an object with amounts in USD per token.
 */
public final class LiteLlmCatalogue {
  /** What a model must be used for, so that its tokens are what it costs. */
  private static final Set<String> MODES = Set.of("chat", "completion", "responses", "embedding");

  /** An example of an entry, in the published file. */
  private static final String EXAMPLE = "sample_spec";

  /** Its tiers begin with the length that they name, and not above it. */
  private static final String INCLUSIVE = "xai";

  private static final Pattern TIER =
      Pattern.compile("(?:in|out)put_cost_per_token(_above_(\\d{1,6})(k?)_tokens)");
  private static final BigDecimal MOST = BigDecimal.valueOf(1_000);
  private static final int MILLION_DIGITS = 6;

  /** Decimal places of a price; published amounts have artefacts of binary fractions. */
  private static final int SCALE = 24;

  private static final int MAX_SHOWN = 40;

  private final Map<String, String> providers;
  private final Map<TargetName, String> entries = new HashMap<>();
  private final List<Offer> offers = new ArrayList<>();
  private final List<Skipped> skipped = new ArrayList<>();
  private final SortedMap<String, Integer> others = new TreeMap<>();

  /** What a model costs by the file. */
  public record Offer(TargetName name, TokenPrices tokens, List<Price.Tier> tiers) {
    /** The price from a time on. */
    public Price price(Instant from) {
      return new Price(name, from, Price.Source.LITELLM, tokens, tiers, BigDecimal.ZERO, null);
    }
  }

  /** An entry of a wanted provider that is not taken. */
  public record Skipped(String entry, String reason) {}

  /**
   * What was read.
   *
   * @param others how many entries the file has of each provider that is not wanted
   */
  public record Content(
      List<Offer> offers, List<Skipped> skipped, SortedMap<String, Integer> others) {}

  private LiteLlmCatalogue(Map<String, String> providers) {
    this.providers = providers;
  }

  /**
   * Reads a file.
   *
   * @param providers the wanted providers: their names in the configuration by those in the file
   * @throws ApiException.InvalidRequest naming the first entry of them that has a bad amount, or a
   *     wanted provider of which the file has no entry
   */
  public static Content read(ObjectNode file, Map<String, String> providers) {
    LiteLlmCatalogue catalogue = new LiteLlmCatalogue(providers);
    Map<String, String> missing = new TreeMap<>(providers);
    for (Map.Entry<String, JsonNode> entry : file.properties()) {
      if (!entry.getValue().isObject()) {
        throw invalid("'%s' is %s; it must be an object.", entry.getKey(), entry.getValue());
      }
      if (!entry.getKey().equals(EXAMPLE)) {
        String provider = entry.getValue().path("litellm_provider").asText("");
        missing.remove(provider);
        catalogue.add(entry.getKey(), entry.getValue(), provider);
      }
    }
    for (String provider : missing.keySet()) {
      throw new ApiException.InvalidRequest(
          "'providers' names '%s', of which the file has no entry.".formatted(provider),
          "providers",
          "invalid_value");
    }
    return new Content(catalogue.offers, catalogue.skipped, catalogue.others);
  }

  private void add(String name, JsonNode entry, String provider) {
    String configured = providers.get(provider);
    if (configured == null) {
      others.merge(provider, 1, Integer::sum);
      return;
    }
    TokenPrices tokens = tokens(name, entry, "");
    List<Price.Tier> tiers = tiers(name, entry, provider);
    TargetName target = new TargetName(configured, model(name, provider));
    String reason = reason(target, entry, tokens);
    if (reason != null) {
      skipped.add(new Skipped(name, reason));
    } else {
      entries.put(target, name);
      offers.add(new Offer(target, tokens, tiers));
    }
  }

  /** The name without the provider, which the file sets before most names. */
  private static String model(String name, String provider) {
    return name.startsWith(provider + "/") ? name.substring(provider.length() + 1) : name;
  }

  /** Why an entry is not taken; null if it is. */
  private @Nullable String reason(TargetName target, JsonNode entry, TokenPrices tokens) {
    String mode = entry.path("mode").asText("");
    if (!MODES.contains(mode)) {
      return "its mode is '%s'; taken are chat, completion, responses and embedding"
          .formatted(shown(mode));
    }
    if (entry.has("tiered_pricing")) {
      return "it has prices by ranges ('tiered_pricing')";
    }
    if (tokens.input() == null && tokens.output() == null) {
      return "it has no price by tokens";
    }
    String model = target.model();
    if (model.isEmpty()
        || model.length() > PriceConfig.MAX_NAME
        || model.codePoints().anyMatch(Character::isISOControl)) {
      return "its name has not from 1 to %d characters, or control characters"
          .formatted(PriceConfig.MAX_NAME);
    }
    String other = entries.get(target);
    return other == null ? null : "'%s' is the same model".formatted(shown(other));
  }

  private static List<Price.Tier> tiers(String name, JsonNode entry, String provider) {
    Map<Integer, String> suffixes = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : entry.properties()) {
      Matcher matcher = TIER.matcher(field.getKey());
      if (matcher.matches() && !field.getValue().isNull()) {
        int above = Integer.parseInt(matcher.group(2)) * (matcher.group(3).isEmpty() ? 1 : 1_000);
        suffixes.put(provider.equals(INCLUSIVE) ? above - 1 : above, matcher.group(1));
      }
    }
    List<Price.Tier> tiers = new ArrayList<>();
    suffixes.forEach(
        (above, suffix) -> tiers.add(new Price.Tier(above, tokens(name, entry, suffix))));
    return tiers;
  }

  private static TokenPrices tokens(String name, JsonNode entry, String suffix) {
    return new TokenPrices(
        amount(name, entry, "input_cost_per_token" + suffix),
        amount(name, entry, "cache_read_input_token_cost" + suffix),
        amount(name, entry, "cache_creation_input_token_cost" + suffix),
        amount(name, entry, "input_cost_per_audio_token" + suffix),
        amount(name, entry, "output_cost_per_token" + suffix),
        amount(name, entry, "output_cost_per_reasoning_token" + suffix),
        amount(name, entry, "output_cost_per_audio_token" + suffix));
  }

  /** A price per token, as USD per million; null if there is none. */
  private static @Nullable BigDecimal amount(String name, JsonNode entry, String field) {
    JsonNode value = entry.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    if (value.isNumber() && Double.isFinite(value.doubleValue())) {
      BigDecimal amount = value.decimalValue();
      if (amount.signum() >= 0 && amount.compareTo(MOST) < 0) {
        return amount.movePointRight(MILLION_DIGITS).setScale(SCALE, RoundingMode.HALF_EVEN);
      }
    }
    throw invalid(
        "'%s' is %s; it must be a number of at least 0 and below 1000, USD per token.",
        name + "." + field, value);
  }

  private static ApiException invalid(String message, String param, JsonNode value) {
    return new ApiException.InvalidRequest(
        message.formatted(shown(param), shown(value.toString())), shown(param), "invalid_value");
  }

  private static String shown(String text) {
    return text.length() <= 2 * MAX_SHOWN ? text : text.substring(0, 2 * MAX_SHOWN) + "…";
  }
}
