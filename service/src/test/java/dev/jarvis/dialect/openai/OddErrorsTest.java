package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/**
 * Errors as model servers report them, and what the client gets. In the tables, an empty field
 * means that there is none.
 */
@Timeout(60)
class OddErrorsTest {
  private static final String TEXT =
      "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"So\"},\"finish_reason\":null}]}";
  private static final Logger REQUESTS = (Logger) LoggerFactory.getLogger("dev.jarvis.request");

  private static final AtomicInteger ids = new AtomicInteger();
  private static final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();
  private static final ListAppender<ILoggingEvent> appender =
      new ListAppender<>() {
        @Override
        protected void append(ILoggingEvent line) {
          line.prepareForDeferredProcessing(); // or the reader's thread would look for the id
          lines.add(line);
        }
      };

  private static FakeOpenAi cloud;
  private static FakeOpenAi spare;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start("m");
    spare = FakeOpenAi.start("spare-m");
    service =
        TestService.startWith(
                """
                providers:
                  strict: {type: openai, url: "%1$s"}
                  shaky: {type: openai, url: "%1$s"}
                  blamed: {type: openai, url: "%1$s"}
                  keyed: {type: openai, url: "%1$s", api-key: unlikely.word-1}
                  spare: {type: openai, url: "%2$s"}
                routes:
                  - {name: strict, targets: [{provider: strict, model: m}]}
                  - {name: strict-or-spare, targets: [{provider: strict, model: m}, {provider: spare, model: spare-m, priority: 2}]}
                  - {name: shaky, targets: [{provider: shaky, model: m}]}
                  - {name: shaky-or-spare, targets: [{provider: shaky, model: m}, {provider: spare, model: spare-m, priority: 2}]}
                  - {name: blamed, targets: [{provider: blamed, model: m}]}
                  - {name: keyed, targets: [{provider: keyed, model: m}]}
                """
                    .formatted(cloud.uri(), spare.uri()))
            .awaitModel("spare-m");
    appender.start();
    REQUESTS.addAppender(appender);
  }

  @AfterAll
  static void stop() {
    REQUESTS.detachAppender(appender);
    service.close();
    cloud.close();
    spare.close();
  }

  @AfterEach
  void reset() {
    cloud.reset();
    spare.reset();
    lines.clear();
  }

  /** The fault is the request's: no other target is asked, and the circuit breaker stays closed. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          # server | status | body | client's status | code | param | words
          OpenAI | 400 | {"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}} | 400 | context_length_exceeded | messages | maximum context length is 8192
          vLLM | 400 | {"object":"error","message":"This model's maximum context length is 262144 tokens. However, you requested 262145 tokens.","type":"BadRequestError","param":null,"code":400} | 400 | context_length_exceeded | messages | 262144 tokens
          vLLM, max_tokens | 400 | {"error":{"message":"'max_tokens' or 'max_completion_tokens' is too large: 2000. This model's maximum context length is 4096 tokens and your request has 2104 input tokens","type":"BadRequestError","param":"max_tokens","code":400}} | 400 | context_length_exceeded | max_tokens | too large: 2000
          vLLM, prompt | 400 | {"object":"error","message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096.","type":"BadRequestError","code":400} | 400 | context_length_exceeded | messages | longer than
          vLLM, 500 | 500 | {"object":"error","message":"The prompt (total length 9000) is too long to fit into the model (context length 4096).","type":"InternalServerError","code":500} | 400 | context_length_exceeded | messages | too long to fit
          SGLang | 400 | {"object":"error","message":"The input (9000 tokens) is longer than the model's context length (4096 tokens).","type":"BadRequestError","param":null,"code":400} | 400 | context_length_exceeded | messages | longer than the model's
          SGLang, total | 500 | {"object":"error","message":"Requested token count exceeds the model's maximum context length of 4096 tokens."} | 400 | context_length_exceeded | messages | Requested token count
          SGLang, allowed | 400 | {"object":"error","message":"Input length (5000 tokens) exceeds the maximum allowed length (4091 tokens)."} | 400 | context_length_exceeded | messages | Input length
          llama.cpp | 400 | {"error":{"code":400,"message":"request (4476 tokens) exceeds the available context size (4096 tokens)","type":"exceed_context_size_error","n_prompt_tokens":4476,"n_ctx":4096}} | 400 | context_length_exceeded | messages | 4476 tokens
          llama.cpp, older | 500 | {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}} | 400 | context_length_exceeded | messages | Context size
          llama.cpp, batch | 500 | {"error":{"code":500,"message":"input (600 tokens) is too large to process. increase the physical batch size","type":"server_error"}} | 400 | context_length_exceeded | messages | too large to process
          Ollama | 400 | {"error":"the input length exceeds the context length"} | 400 | context_length_exceeded | messages | input length
          Ollama, 500 | 500 | {"error":"prompt too long; exceeded max context length by 12 tokens"} | 400 | context_length_exceeded | messages | by 12 tokens
          Ollama, nested | 500 | {"error":"{\\"error\\":{\\"code\\":400,\\"message\\":\\"the request exceeds the available context size\\",\\"type\\":\\"exceed_context_size_error\\"}}"} | 400 | context_length_exceeded | messages | the request exceeds
          LM Studio | 400 | {"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."} | 400 | context_length_exceeded | messages | only 4096
          LM Studio, later | 500 | {"error":"Reached context length of 4096 tokens with this model. The number of tokens to keep from the initial prompt is greater than the context length."} | 400 | context_length_exceeded | messages | greater than
          Mistral | 422 | {"object":"error","message":{"detail":[{"type":"value_error","loc":["body"],"msg":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"}]}} | 400 | context_length_exceeded | messages | Prompt contains 40000
          OpenRouter | 400 | {"error":{"message":"This endpoint's maximum context length is 4096 tokens. However, you requested about 5000 tokens","code":400}} | 400 | context_length_exceeded | messages | This endpoint's
          OpenRouter, raw | 502 | {"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\\"error\\":{\\"message\\":\\"prompt is too long: 9 tokens > 8 maximum\\"}}","provider_name":"X"}}} | 400 | context_length_exceeded | messages | prompt is too long: 9
          TGI | 422 | {"error":"Input validation error: `inputs` must have less than 1024 tokens. Given: 2000","error_type":"validation"} | 400 | context_length_exceeded | messages | Given: 2000
          TGI, total | 422 | {"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2000 `inputs` tokens and 100 `max_new_tokens`","error_type":"validation"} | 400 | context_length_exceeded | messages | 2048
          LiteLLM | 400 | {"error":{"message":"litellm.ContextWindowExceededError: litellm.BadRequestError: the prompt does not fit","type":"ContextWindowExceededError","param":null,"code":"400"}} | 400 | context_length_exceeded | messages | does not fit
          Anthropic | 400 | {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 213462 tokens > 200000 maximum"}} | 400 | context_length_exceeded | messages | 213462
          Google | 400 | [{"error":{"code":400,"message":"The input token count (1043256) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}] | 400 | context_length_exceeded | messages | 1043256
          xAI | 400 | {"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 150000 tokens."} | 400 | context_length_exceeded | messages | 150000
          Moonshot | 400 | {"error":{"message":"Invalid request: Your request exceeded model token limit: 8192","type":"invalid_request_error"}} | 400 | context_length_exceeded | messages | 8192
          GitHub | 413 | {"error":{"code":"tokens_limit_reached","message":"Request body too large for gpt-4o model. Max size: 8000 tokens."}} | 400 | context_length_exceeded | messages | Max size
          text of a gateway | 400 | the prompt is too long for the context window | 400 | context_length_exceeded | messages | the prompt is too long
          context, 404 | 404 | {"error":{"message":"This model's maximum context length is 8192 tokens"}} | 400 | context_length_exceeded | messages | 8192
          context, 429 | 429 | {"error":{"message":"This model's maximum context length is 8192 tokens"}} | 400 | context_length_exceeded | messages | 8192
          secret as code | 400 | {"error":{"message":"no","code":"sk-abcdefgh"}} | 400 | refused_by_model | | no
          OpenAI, value | 400 | {"error":{"message":"Unsupported value: 'temperature'","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}} | 400 | unsupported_value | temperature | Unsupported value
          vLLM, value | 400 | {"object":"error","message":"top_p must be in (0, 1], got 3.","type":"BadRequestError","param":"top_p","code":400} | 400 | refused_by_model | top_p | top_p must be
          FastAPI | 422 | {"detail":[{"type":"missing","loc":["body","messages"],"msg":"field required"}]} | 422 | refused_by_model | messages | body.messages: field required
          FastAPI, two | 422 | {"detail":[{"loc":["body","messages",0,"content"],"msg":"bad"},{"loc":["body","n"],"msg":"too many"}]} | 422 | refused_by_model | messages[0].content | body.messages[0].content: bad; body.n: too many
          FastAPI, text | 400 | {"detail":"Tools are not enabled."} | 400 | refused_by_model | | Tools are not enabled.
          Mistral, text | 400 | {"message":"Unexpected role 'user' after role 'tool'","request_id":"1"} | 400 | refused_by_model | | Unexpected role
          Groq | 413 | {"error":{"message":"Request too large: Limit 6000, Requested 8000","type":"tokens","code":"rate_limit_exceeded"}} | 413 | rate_limit_exceeded | | Limit 6000
          media type | 415 | {"error":{"message":"audio/x is not supported"}} | 415 | refused_by_model | | audio/x
          law | 451 | {"error":{"message":"not in your country","code":"unsupported_country"}} | 451 | unsupported_country | | country
          Azure | 400 | {"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}} | 400 | content_filter | prompt | content management policy
          moderation | 403 | {"error":{"code":403,"message":"Your chosen model requires moderation and your input was flagged for x","metadata":{"reasons":["x"]}}} | 400 | content_filter | | flagged
          policy, 500 | 500 | {"error":{"message":"blocked","code":"content_policy_violation"}} | 400 | content_policy_violation | | blocked
          image, 500 | 500 | {"error":{"code":500,"message":"Failed to load image or audio file","type":"server_error"}} | 400 | refused_by_model | | Failed to load image
          schema, 500 | 500 | {"error":"invalid JSON schema in format"} | 400 | refused_by_model | | invalid JSON schema
          type, 500 | 500 | {"error":{"message":"roles are wrong","type":"BadRequestError"}} | 400 | refused_by_model | | roles are wrong
          tools, 500 | 500 | {"error":"m does not support tools"} | 400 | refused_by_model | | does not support tools
          page | 400 | <html><head><title>400 Request Header Or Cookie Too Large</title></head><body>x</body></html> | 400 | refused_by_model | | 400 Request Header
          page without title | 400 | <h1>Bad</h1><p>Request</p> | 400 | refused_by_model | | Bad Request
          text | 400 | no such field | 400 | refused_by_model | | no such field
          text in quotes | 400 | "no such field" | 400 | refused_by_model | | no such field
          broken JSON | 400 | {"error": | 400 | refused_by_model | | {"error":
          nothing | 400 | ~~ | 400 | refused_by_model | | refused the request
          empty object | 400 | {} | 400 | refused_by_model | | refused the request
          odd code | 400 | {"error":{"message":"no","code":"a b","param":"<x>"}} | 400 | refused_by_model | | no
          number as code | 400 | {"error":{"message":"no","code":"400"}} | 400 | refused_by_model | | no
          address and key | 400 | {"error":{"message":"cannot fetch http://10.0.0.1/x with Bearer s3cr3t"}} | 400 | refused_by_model | | cannot fetch [address] with [secret]
          """)
  void refusals(
      String server,
      int status,
      @Nullable String body,
      int shown,
      String code,
      @Nullable String param,
      String words) {
    for (String fields : new String[] {"", ",\"stream\":true"}) {
      cloud.respond(status, body == null ? "" : body, Map.of());

      HttpResponse<String> response = ask("strict-or-spare", fields);

      assertThat(response.statusCode()).as(response.body()).isEqualTo(shown);
      error(TestService.json(response.body()), code, param, words);
      logged("rejected", words.replace("[address]", "http://10.0.0.1/x"));
      assertThat(spare.requests()).as("fallbacks").isZero();
    }
    // without a reason, it may be the options of the stream that the server refuses
    assertThat(cloud.requests()).isEqualTo(words.equals("refused the request") ? 3 : 2);
  }

  /** The fault is not the request's: other targets are asked. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          # server | status | header | body | client's status | code | words | Retry-After | times asked
          limit, 7 s | 429 | Retry-After: 7 | {"error":{"message":"Rate limit reached in organization org-abcdefghijklmn","code":"rate_limit_exceeded"}} | 429 | rate_limit_exceeded | busy: Rate limit reached in organization [secret] | 7 | 1
          limit, ms | 429 | retry-after-ms: 6500 | {"object":"error","message":"slow down"} | 429 | rate_limit_exceeded | slow down | 7 | 1
          limit, a year | 429 | Retry-After: 31536000 | {} | 429 | rate_limit_exceeded | busy. | 86400 | 1
          limit, date | 429 | Retry-After: Fri, 31 Dec 2100 23:59:59 GMT | {} | 429 | rate_limit_exceeded | busy. | 86400 | 1
          limit, past | 429 | Retry-After: Fri, 31 Dec 1999 23:59:59 GMT | {} | 429 | rate_limit_exceeded | busy. | | 2
          limit, no time | 429 | Retry-After: soon | {"error":{"message":"slow down","code":"tpm"}} | 429 | tpm | slow down | | 2
          loading | 503 | | {"error":{"code":503,"message":"Loading model","type":"unavailable_error"}} | 503 | overloaded | Loading model | 1 | 2
          unready | 503 | Retry-After: 9 | Service Unavailable | 503 | overloaded | Service Unavailable | 9 | 1
          Ollama's queue | 503 | | {"error":"server busy, please try again.  maximum pending requests exceeded"} | 503 | overloaded | server busy | 1 | 2
          Anthropic | 529 | Retry-After: 8 | {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}} | 503 | overloaded | Overloaded | 8 | 1
          throttled, 503 | 503 | | {"message":"ThrottlingException: Too many tokens, please wait before trying again."} | 429 | rate_limit_exceeded | Too many tokens | | 2
          throttled, 500 | 500 | | {"message":"ThrottlingException: Too many tokens, please wait before trying again."} | 429 | rate_limit_exceeded | Too many tokens | | 2
          throttled, 400 | 400 | | {"message":"ThrottlingException: Too many tokens, please wait before trying again."} | 429 | rate_limit_exceeded | Too many tokens | | 2
          limit of tokens | 429 | | {"error":{"message":"Too many tokens"}} | 429 | rate_limit_exceeded | Too many tokens | | 2
          quota | 429 | | {"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}} | 502 | insufficient_quota | no credit left | | 2
          credits | 402 | | {"error":{"message":"Insufficient credits. Add more at https://x.example/k?key=1","code":402}} | 502 | insufficient_quota | no credit left | | 2
          balance | 400 | | {"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}} | 502 | insufficient_quota | no credit left | | 2
          key | 401 | | {"error":{"message":"Incorrect API key sk-abcdefgh","code":"invalid_api_key"}} | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          key, Google | 400 | | [{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}] | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          key, code | 400 | | {"error":{"message":"no","type":"invalid_request_error","code":"invalid_api_key"}} | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          key, xAI | 400 | | {"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***"} | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          key, text | 400 | | {"error":"Invalid authentication"} | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          key, type | 400 | | {"error":{"message":"no","type":"authentication_error"}} | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          blocked | 403 | | The request is blocked. | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          device | 500 | | {"error":"CUDA error: GPU 0 does not support bfloat16"} | 502 | model_server_unavailable | GPU 0 does not support bfloat16 | | 2
          NCCL | 500 | | {"error":"NCCL: the device does not support P2P"} | 502 | model_server_unavailable | does not support P2P | | 2
          forbidden | 403 | | {"detail":"no"} | 502 | model_server_unavailable | rejected JARVIS's API key | | 2
          no model | 404 | | {"object":"error","message":"The model `m` does not exist.","type":"NotFoundError","code":404} | 404 | model_not_found | no such model | | 1
          no model, 400 | 400 | | {"error":{"message":"x is not valid","code":"model_not_found"}} | 404 | model_not_found | no such model | | 1
          no path | 404 | | {"detail":"Not Found"} | 502 | model_server_unavailable | does not know the path | | 2
          no path, Go | 404 | | 404 page not found | 502 | model_server_unavailable | does not know the path | | 2
          no path, page | 404 | | <html><title>404 Not Found</title></html> | 502 | model_server_unavailable | does not know the path | | 2
          proxy | 503 | | <html><title>503 Service Temporarily Unavailable</title></html> | 502 | model_server_unavailable | status 503: 503 Service | | 2
          memory | 500 | | {"error":{"message":"CUDA out of memory at 10.0.0.7:8000 in /opt/vllm/engine.py","type":"server_error","code":"engine_dead"}} | 502 | engine_dead | CUDA out of memory at [address] in [path] | | 2
          trace | 500 | | Traceback (most recent call last): x | 502 | model_server_unavailable | answered with status 500. | | 2
          timeout of Go | 500 | | {"error":"deadline exceeded: context canceled"} | 502 | model_server_unavailable | context canceled | | 2
          """)
  void faults(
      String server,
      int status,
      @Nullable String header,
      String body,
      int shown,
      String code,
      String words,
      @Nullable String retryAfter,
      int asked) {
    Map<String, String> headers =
        header == null ? Map.of() : Map.of(header.split(": ", 2)[0], header.split(": ", 2)[1]);
    cloud.respond(status, body, headers);

    HttpResponse<String> response = ask("shaky", "");

    assertThat(response.statusCode()).as(response.body()).isEqualTo(shown);
    error(TestService.json(response.body()), code, shown == 404 ? "model" : null, words);
    assertThat(response.headers().firstValue("retry-after").orElse(null)).isEqualTo(retryAfter);
    assertThat(cloud.requests()).isEqualTo(asked);
    assertThat(ask("shaky-or-spare", "").statusCode()).isEqualTo(200);
  }

  /** Errors in a 200: the answer, the first event of a stream, or a later event. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          # server | body | client's status | code | param | words | outcome
          vLLM | {"error":{"message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}} | 400 | context_length_exceeded | messages | maximum context length | rejected
          vLLM, older | {"object":"error","message":"top_p must be in (0, 1]","type":"BadRequestError","param":"top_p","code":400} | 400 | refused_by_model | top_p | top_p must be | rejected
          FastAPI | {"detail":[{"loc":["body","n"],"msg":"context length exceeded"}]} | 400 | context_length_exceeded | n | body.n | rejected
          LM Studio | {"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"} | 400 | context_length_exceeded | messages | only 4096 | rejected
          Anthropic | {"type":"error","error":{"type":"invalid_request_error","message":"bad tool"}} | 400 | refused_by_model | | bad tool | rejected
          filter | {"error":{"message":"blocked","code":"content_filter"},"choices":[]} | 400 | content_filter | | blocked | rejected
          422 | {"error":{"message":"n is 0","code":422}} | 422 | refused_by_model | | n is 0 | rejected
          limit | {"error":{"message":"slow down","code":429}} | 429 | rate_limit_exceeded | | slow down | rejected
          limit by name | {"error":{"message":"slow down","type":"rate_limit_error"}} | 429 | rate_limit_exceeded | | slow down | rejected
          busy | {"error":{"message":"no capacity","code":"503"}} | 503 | overloaded | | no capacity | rejected
          overloaded | {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}} | 503 | overloaded | | Overloaded | rejected
          no credit | {"error":{"message":"Insufficient credits","code":402}} | 502 | insufficient_quota | | no credit left | error
          fault | {"error":{"message":"engine at 10.0.0.1:80 died","code":"engine_dead"}} | 502 | engine_dead | | reported an error in its answer: engine at [address] died | error
          fault as text | {"error":"engine died"} | 502 | model_server_unavailable | | engine died | error
          violation | {"detail":[{"loc":["body","n"],"msg":"is 0"}]} | 400 | refused_by_model | n | body.n: is 0 | rejected
          fault as 500 | {"error":{"message":"engine died","code":500}} | 502 | model_server_unavailable | | engine died | error
          """)
  void errorsInA200(
      String server,
      String body,
      int shown,
      String code,
      @Nullable String param,
      String words,
      String outcome) {
    String said = words.replace("[address]", "10.0.0.1:80").replaceFirst("^reported.*: ", "");
    cloud.events(body); // of a stream, and the whole answer
    for (String fields : new String[] {"", ",\"stream\":true"}) {
      HttpResponse<String> response = ask("shaky", fields);

      assertThat(response.statusCode()).as(response.body()).isEqualTo(shown);
      error(TestService.json(response.body()), code, param, words);
      logged(outcome, shown == 502 ? null : said);
    }

    cloud.events(TEXT, body);
    HttpResponse<String> response = ask("shaky", ",\"stream\":true");
    assertThat(response.statusCode()).isEqualTo(200);
    List<String> events = response.body().lines().filter(it -> it.startsWith("data: ")).toList();
    assertThat(events.getLast()).isEqualTo("data: [DONE]");
    error(TestService.json(events.get(events.size() - 2).substring(6)), code, param, words);
    logged(shown < 429 ? "rejected" : "error", null);
  }

  @Test
  void theConfiguredKeyIsMaskedInAnswersToo() {
    String error = "{\"error\":{\"message\":\"no unlikely.word-1\",\"code\":\"unlikely.word-1\"}}";
    for (String fields : new String[] {"", ",\"stream\":true"}) {
      cloud.events(error);
      String body = ask("keyed", fields).body();
      assertThat(body).contains("no [secret]").doesNotContain("unlikely");
      logged("error", "no [secret]");
    }
    cloud.respond(200, error, Map.of());
    assertThat(service.post("/v1/embeddings", "{\"model\":\"keyed\",\"input\":\"a\"}").body())
        .contains("no [secret]")
        .doesNotContain("unlikely");
  }

  @Test
  void whatIsNoErrorIsAnAnswer() {
    for (String beside :
        List.of(
            "\"error\":null",
            "\"error\":\"\"",
            "\"error\":{}",
            "\"error\":false",
            "\"code\":0",
            "\"error\":{\"message\":\"\",\"code\":0}",
            "\"error\":{\"message\":null,\"code\":null}",
            "\"detail\":null")) {
      cloud.events(
          "{%s,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}"
              .formatted(beside));

      assertThat(ask("strict", "").statusCode()).as(beside).isEqualTo(200);
      assertThat(ask("strict", ",\"stream\":true").body()).as(beside).contains("[DONE]");
    }
  }

  @Test
  void questionsThatAreTooLongDoNotOpenTheCircuitBreaker() {
    String tooLong = "{\"error\":{\"message\":\"maximum context length is 9\",\"code\":400}}";
    for (int i = 0; i < 12; i++) {
      cloud.events(tooLong);
      assertThat(ask("blamed", ",\"stream\":true").statusCode()).isEqualTo(400);
      cloud.respond(500, tooLong, Map.of());
      assertThat(ask("blamed", "").statusCode()).isEqualTo(400);
      cloud.reset();
    }
    assertThat(service.metric("llm_circuit_open{model=\"m\",provider=\"blamed\"}")).isZero();
    assertThat(service.metric("llm_tokens_total{model=\"m\",provider=\"blamed\",type=\"input\"}"))
        .as("nobody worked")
        .isZero();
  }

  @Test
  void aTextThatIsTooLongToEmbedIsAnErrorOfTheInput() {
    cloud.respond(500, "{\"error\":\"the input length exceeds the context length\"}", Map.of());

    HttpResponse<String> response =
        service.post("/v1/embeddings", "{\"model\":\"strict\",\"input\":\"a\"}");

    assertThat(response.statusCode()).isEqualTo(400);
    error(TestService.json(response.body()), "context_length_exceeded", "input", "input length");
  }

  private static HttpResponse<String> ask(String model, String fields) {
    lines.clear();
    return service.chat(
        "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s}"
            .formatted(model, fields),
        "x-request-id",
        "odd-" + ids.incrementAndGet());
  }

  private static void error(JsonNode body, String code, @Nullable String param, String words) {
    JsonNode error = body.path("error");
    assertThat(error.path("code").asText()).as(error.toString()).isEqualTo(code);
    assertThat(error.path("param").textValue()).as(error.toString()).isEqualTo(param);
    assertThat(error.path("message").asText()).contains(words);
  }

  /** Waits for the request's last log line. */
  private static void logged(String outcome, @Nullable String words) {
    String id = "odd-" + ids.get();
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .untilAsserted(
            () ->
                assertThat(lines)
                    .anySatisfy(
                        line -> {
                          assertThat(line.getMDCPropertyMap()).containsValue(id);
                          assertThat(line.getMessage()).isEqualTo("request_completed");
                          Map<String, String> fields =
                              line.getKeyValuePairs().stream()
                                  .filter(it -> it.value != null)
                                  .collect(
                                      Collectors.toMap(it -> it.key, it -> it.value.toString()));
                          assertThat(fields).containsEntry("outcome", outcome);
                          if (words != null) {
                            assertThat(fields.get("error")).contains(words);
                          }
                        }));
  }
}
