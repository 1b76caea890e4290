package dev.jarvis.provider;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.jarvis.config.Secret;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Error texts of model servers, as clients and logs see them. */
class ModelServerErrorsTest {
  private static ProviderException of(int status, String message) {
    String body =
        JsonNodeFactory.instance
            .objectNode()
            .set("error", JsonNodeFactory.instance.objectNode().put("message", message))
            .toString();
    return ModelServerErrors.of(status, Duration.ZERO, body.getBytes(UTF_8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "The API key sk-proj-abc***xyz. | The API key [secret]",
        "key provided: 0f8fad5b-d9cd-469f-a165-70867728950e | key provided: [secret]",
        "s3 says AKIAIOSFODNN7EXAMPLE | s3 says [secret]",
        "db?user=u&password=hunter2&x=1 | db?user=u&password=[secret]&x=1",
        "set api_key: 'abc' or access_token=\"def\" | set api_key: '[secret]' or access_token=\"[secret]\"",
        "HTTPConnectionPool(host='gpu-node-7', port=8000): refused | HTTPConnectionPool([address]): refused",
        "lookup vllm-backend on 10.0.0.2:53: no such host | lookup [address] on [address]: no such host",
        "getaddrinfo ENOTFOUND vllm-backend | getaddrinfo ENOTFOUND [address]",
        "Could not resolve host: vllm-backend | Could not resolve host: [address]",
        "connect to ::1:8000 failed | connect to [address] failed",
        "no route to fe80::a00:27ff:fe4e:66a1. | no route to [address].",
        "no route to 2001:db8:0:1:2:3:4:5 | no route to [address]",
        "Authorization: Bearer s3cr3t-t0k3n, refused | Authorization: [secret], refused",
        "key 0123456789abcdef0123456789abcdef | key [secret]",
        "token eyJhbGciOi.eyJzdWIi.c2ln is old | token [secret] is old",
        "Post http://vllm:8000/v1/x?key=1: EOF | Post [address] EOF",
        "dial tcp 10.0.3.7:11434: refused | dial tcp [address]: refused",
        "dial tcp [fd00::7]:11434: refused | dial tcp [address]: refused",
        "upstream ollama.svc.local:11434 is away | upstream [address] is away",
        "upstream ollama:11434 is away | upstream [address] is away",
        "connect to localhost failed | connect to [address] failed",
        "upstream api.example.com:443 is away | upstream [address] is away",
        "upstream gpu-1.example.com:90 is away | upstream [address] is away",
        "vllm:80 is away; nor does vllm:443 answer | [address] is away; nor does [address] answer",
        "dial tcp vllm-0:90: refused | dial tcp [address]: refused",
        "Failed to connect to vllm:631. | Failed to connect to [address].",
        "no such host: gpu-7.us-east.internal | no such host: [address]",
        "no such host: Ollama.LOCAL. | no such host: [address].",
        "lookup ollama.default.svc: timed out | lookup [address]: timed out",
        "lookup ollama.default.svc.cluster.local on 10.0.0.10:53 | lookup [address] on [address]",
        "nas.lan, router.home.arpa and llm.corp:8080 are away | [address], [address] and [address] are away",
        "0.gpu.internal:8 | [address]",
      })
  void masksKeysAndAddresses(String text, String shown) {
    assertThat(of(400, text)).isInstanceOf(ProviderException.Refused.class).hasMessage(shown);
    assertThat(of(401, text).getMessage()).isEqualTo("The model server rejected JARVIS's API key.");
    assertThat(of(401, text))
        .rootCause()
        .message()
        .doesNotContain("sk-", "s3cr3t", "c2ln", "0123456789");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "max_tokens: 8192 > 4096, which is the maximum for claude-3-5-sonnet-20241022",
        "Invalid 'messages[1].content': expected a string (line 1:20).",
        "registry model \"llama3.1:8b\" does not support tools",
        "'temperature' must be between 0.0 and 2.0; see version 1.2.3 of the API.",
        "max 4096:8192",
        "Retry after 12:30.",
        "Known are models:latest, gpt-oss:20b, qwen2.5:7b, llama3.1:405b-instruct and phi:3.8b.",
        "The ratio 16:9 of the image is not supported (limit:512, status:422).",
        "An internal error; local models, a corporate LAN and 'svc' are only words.",
        "Unexpected token: } in c10::Error, std::string at 12:30:45; max_token: 100",
        "request 0f8fad5b-d9cd-469f-a165-70867728950e has no lookup of host names",
        "'user.internal_id' and x.internal-y.z are unknown; so is corp.example.com.",
      })
  void doesNotMaskOtherText(String text) {
    assertThat(of(400, text)).hasMessage(text);
  }

  @Test
  void masksPathsUnlessTheServerBlamesTheRequest() {
    String image = "cannot identify image file '/srv/tmp/secret/a.png'";
    assertThat(of(500, image))
        .isInstanceOf(ProviderException.Refused.class)
        .hasMessage("cannot identify image file '[path]'");
    assertThat(of(400, image)).hasMessage(image);
    assertThat(of(500, "error:/srv/models/x.gguf"))
        .hasMessage("The model server answered with status 500: error:[path]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"object\":\"chat.completion\",\"error\":{\"message\":\"\",\"code\":0}}",
        "{\"object\":\"chat.completion.chunk\",\"error\":{\"code\":\"0\",\"type\":null}}",
        "{\"usage\":{},\"error\":{\"message\":null,\"code\":null}}",
        "{\"choices\":[],\"error\":{\"param\":null}}",
        "{\"detail\":null}",
      })
  void anErrorThatSaysNothingBesideAnAnswerIsNone(String json) throws Exception {
    assertThat(ModelServerErrors.inAnswer(new ObjectMapper().readTree(json))).isNull();
  }

  @Test
  void masksConfiguredKeysInAnswersToo() throws Exception {
    Masking.add(new Secret("unlikely.word"));
    JsonNode json =
        new ObjectMapper()
            .readTree("{\"error\":{\"message\":\"not unlikely.word\",\"code\":\"unlikely.word\"}}");
    ProviderException error = Objects.requireNonNull(ModelServerErrors.inAnswer(json));
    assertThat(error)
        .hasMessage("The model server reported an error in its answer: not [secret]")
        .rootCause()
        .hasMessage("not [secret]");
    assertThat(Objects.requireNonNull(ServerError.in(json)).code()).isNull();
    assertThat(ServerError.of("{\"code\":\"sk-abcdefgh\"}".getBytes(UTF_8)).code()).isNull();
  }

  @Test
  void cutsLongTextsAndHandlesHostileOnesQuickly() {
    assertThat(of(400, "a".repeat(60_000)).getMessage()).hasSizeLessThanOrEqualTo(301);
    assertThat(of(400, "a1-._:".repeat(10_000)).getMessage()).hasSizeLessThanOrEqualTo(301);
    assertThat(of(400, "[::".repeat(20_000)).getMessage()).hasSizeLessThanOrEqualTo(301);
    assertThat(of(400, "http://" + "x".repeat(60_000))).hasMessage("[address]");
  }
}
