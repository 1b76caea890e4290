package dev.jarvis.price;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.price.LiteLlmCatalogue.Content;
import dev.jarvis.price.LiteLlmCatalogue.Offer;
import dev.jarvis.price.LiteLlmCatalogue.Skipped;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LiteLlmCatalogueTest {
  private static final Map<String, String> PROVIDERS =
      Map.of("openai", "cloud", "gemini", "cloud", "xai", "grok");

  /** Reads a file; quotes stand for double ones. */
  private static Content read(String file) {
    return LiteLlmCatalogue.read((ObjectNode) TestService.json(file.replace('\'', '"')), PROVIDERS);
  }

  /** A file with an entry of each provider, so that none is missing, and one more. */
  private static Content with(String name, String fields) {
    return read(
        "{'a':{'litellm_provider':'openai'},'b':{'litellm_provider':'gemini'},'c':{'litellm_provider':'xai'},'%s':{%s}}"
            .formatted(name, fields));
  }

  private static String text(Offer offer) {
    return offer.tokens().text()
        + offer.tiers().stream()
            .map(it -> " >%d:%s".formatted(it.above(), it.tokens().text()))
            .collect(Collectors.joining());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // fields beside provider and mode; USD per million: input, cached, written, audio, output,
        // reasoning, audio
        "'input_cost_per_token':2.5e-06,'output_cost_per_token':1e-05 | 2.5,,,,10,,",
        "'input_cost_per_token':1.25e-06,'cache_read_input_token_cost':1.25e-07,'cache_creation_input_token_cost':3.75e-06,'output_cost_per_token':1e-05 | 1.25,0.125,3.75,,10,,",
        "'input_cost_per_token':1e-6,'input_cost_per_audio_token':1e-4,'output_cost_per_token':1e-5,'output_cost_per_reasoning_token':2e-5,'output_cost_per_audio_token':2e-4 | 1,,,100,10,20,200",
        "'input_cost_per_token':2e-08 | 0.02,,,,,,", // an embedding model
        "'input_cost_per_token':0,'output_cost_per_token':0.0 | 0,,,,0,,",
        "'input_cost_per_token':1e-6,'output_cost_per_token':null | 1,,,,,,",
        "'input_cost_per_token':1.0000000000000001e-07 | 0.10000000000000001,,,,,,",
        "'input_cost_per_token':1.25e-06,'output_cost_per_token':1e-05,'input_cost_per_token_above_200k_tokens':2.5e-06,'output_cost_per_token_above_200k_tokens':1.5e-05,'cache_read_input_token_cost_above_200k_tokens':2.5e-07 | 1.25,,,,10,, >200000:2.5,0.25,,,15,,",
        "'input_cost_per_token':1e-6,'input_cost_per_token_above_128k_tokens':2e-6,'input_cost_per_token_above_512_tokens':3e-6 | 1,,,,,, >512:3,,,,,, >128000:2,,,,,,",
        "'input_cost_per_token':1e-6,'input_cost_per_token_above_200k_tokens':null | 1,,,,,,",
        // prices of other ways to be served
        "'input_cost_per_token':1e-6,'input_cost_per_token_priority':9e-6,'input_cost_per_token_flex':9e-6,'input_cost_per_token_batches':9e-6,'input_cost_per_token_above_200k_tokens_priority':9e-6,'cache_creation_input_token_cost_above_1hr':9e-6 | 1,,,,,,",
        "'input_cost_per_token':1e-6,'max_tokens':'many','supports_vision':true | 1,,,,,,",
      })
  void readsAmountsPerMillionAndTiers(String fields, String expected) {
    Content content = with("m", "'litellm_provider':'openai','mode':'chat'," + fields);

    assertThat(content.offers()).extracting(LiteLlmCatalogueTest::text).containsExactly(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "gpt-5, openai, cloud/gpt-5",
    "openai/gpt-5, openai, cloud/gpt-5",
    "gemini/gemini-3-pro, gemini, cloud/gemini-3-pro",
    "openai/org/model, openai, cloud/org/model",
    "azure/gpt-5, openai, cloud/azure/gpt-5",
  })
  void namesAModelAsItsProviderDoes(String entry, String provider, String expected) {
    Content content =
        with(
            entry,
            "'litellm_provider':'%s','mode':'chat','input_cost_per_token':1e-6"
                .formatted(provider));

    assertThat(content.offers()).extracting(it -> it.name().toString()).containsExactly(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'mode':'image_generation','input_cost_per_token':1e-6 | its mode is 'image_generation'; taken are chat, completion, responses and embedding",
        "'input_cost_per_token':1e-6 | its mode is ''; taken are chat, completion, responses and embedding",
        "'mode':'chat' | it has no price by tokens",
        "'mode':'chat','input_cost_per_second':1 | it has no price by tokens",
        "'mode':'chat','input_cost_per_token':1e-6,'tiered_pricing':[] | it has prices by ranges ('tiered_pricing')",
      })
  void skipsWhatHasNoPriceByTokens(String fields, String reason) {
    Content content = with("m", "'litellm_provider':'openai'," + fields);

    assertThat(content.offers()).isEmpty();
    assertThat(content.skipped()).contains(new Skipped("m", reason));
  }

  @Test
  void takesOneOfTwoEntriesOfAModelAndCountsOtherProviders() {
    String price = "'mode':'chat','input_cost_per_token':1e-6";
    Content content =
        read(
            "{'sample_spec':{'litellm_provider':'one of','input_cost_per_token':'x'},'m':{'litellm_provider':'openai',%s},'openai/m':{'litellm_provider':'openai',%s},'gemini/m':{'litellm_provider':'gemini',%s},'xai/g':{'litellm_provider':'xai','input_cost_per_token_above_200k_tokens':2e-6,%s},'n':{'litellm_provider':'groq','input_cost_per_token':'bad'},'o':{'litellm_provider':'groq'},'p':{}}"
                .formatted(price, price, price, price));

    assertThat(content.offers())
        .extracting(Offer::name)
        .containsExactly(new TargetName("cloud", "m"), new TargetName("grok", "g"));
    assertThat(content.offers().getLast().tiers())
        .as("the longer price begins with that length")
        .extracting(Price.Tier::above)
        .containsExactly(199_999);
    assertThat(content.skipped())
        .containsExactly(
            new Skipped("openai/m", "'m' is the same model"),
            new Skipped("gemini/m", "'m' is the same model"));
    assertThat(content.others()).isEqualTo(Map.of("groq", 2, "", 1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'input_cost_per_token':-1 | 'm.input_cost_per_token' is -1; it must be a number of at least 0 and below 1000, USD per token.",
        "'input_cost_per_token':'1e-6' | 'm.input_cost_per_token' is \"1e-6\"; it must be a number of at least 0 and below 1000, USD per token.",
        "'input_cost_per_token':1000 | 'm.input_cost_per_token' is 1000; it must be a number of at least 0 and below 1000, USD per token.",
        "'output_cost_per_token':true | 'm.output_cost_per_token' is true; it must be a number of at least 0 and below 1000, USD per token.",
        "'output_cost_per_token':{} | 'm.output_cost_per_token' is {}; it must be a number of at least 0 and below 1000, USD per token.",
        "'cache_read_input_token_cost':-1e-9 | 'm.cache_read_input_token_cost' is -1.0E-9; it must be a number of at least 0 and below 1000, USD per token.",
        "'cache_creation_input_token_cost':1e400 | 'm.cache_creation_input_token_cost' is \"Infinity\"; it must be a number of at least 0 and below 1000, USD per token.",
        "'input_cost_per_token_above_200k_tokens':-1 | 'm.input_cost_per_token_above_200k_tokens' is -1; it must be a number of at least 0 and below 1000, USD per token.",
        "'input_cost_per_token_above_200k_tokens':1,'output_cost_per_audio_token_above_200k_tokens':-1 | 'm.output_cost_per_audio_token_above_200k_tokens' is -1; it must be a number of at least 0 and below 1000, USD per token.",
      })
  void refusesAFileWithABadAmountAndNamesIt(String fields, String message) {
    for (String mode : List.of("chat", "image_generation")) {
      assertThatThrownBy(
              () -> with("m", "'litellm_provider':'openai','mode':'%s',%s".formatted(mode, fields)))
          .isInstanceOf(ApiException.InvalidRequest.class)
          .hasMessage(message);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'m':5} | 'm' is 5; it must be an object.",
        "{} | 'providers' names 'gemini', of which the file has no entry.",
        "{'a':{'litellm_provider':'gemini'}} | 'providers' names 'openai', of which the file has no entry.",
      })
  void refusesAFileOfAnotherKind(String file, String message) {
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(ApiException.InvalidRequest.class)
        .hasMessage(message);
  }
}
