package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.provider.openai.FakeOpenAi;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Requests as clients of other services send them, one line a case. A single quote stands for a
 * double one, a backquote for an escaped one.
 */
@Timeout(60)
class OddRequestsTest {
  private static final String CLOUD = "cloud-1";
  private static final String OLLAMA = "fake:1b";

  private static FakeOpenAi cloud;
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    cloud = FakeOpenAi.start(CLOUD);
    service =
        TestService.startWith(
                "providers:\n  cloud:\n    type: openai\n    url: %s\n".formatted(cloud.uri()))
            .awaitModel(CLOUD);
  }

  @AfterAll
  static void stop() {
    service.close();
    cloud.close();
  }

  @BeforeEach
  void reset() {
    service.ollama().reset();
    cloud.reset();
    cloud.events("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"}}]}");
  }

  private static String json(String quoted) {
    return quoted.replace('\'', '"').replace("`", "\\\"");
  }

  private static HttpResponse<String> ask(String model, String messages, String fields) {
    return service.chat(
        "{\"model\":\"%s\",\"messages\":[%s]%s}"
            .formatted(model, json(messages), fields.isEmpty() ? "" : ", " + json(fields)));
  }

  /** Asks the server of OpenAI's dialect, and asserts that it gets what the client sent. */
  private static void assertHandedOn(String messages, String fields) {
    HttpResponse<String> response = ask(CLOUD, messages, fields);

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-jarvis-ignored")).isEmpty();
    JsonNode sent = TestService.json(cloud.lastBody());
    assertThat(sent.path("messages")).isEqualTo(TestService.json("[" + json(messages) + "]"));
    TestService.json("{" + json(fields) + "}")
        .properties()
        .forEach(it -> assertThat(sent.path(it.getKey())).isEqualTo(it.getValue()));
  }

  /**
   * Asserts what Ollama does with a request: 400 and the place of what it does not support, or 200
   * and the ignored fields.
   */
  private static void assertAtOllama(HttpResponse<String> response, String expected) {
    if (expected.startsWith("400 ")) {
      assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
      JsonNode error = TestService.json(response.body()).path("error");
      assertThat(error.path("param").asText()).isEqualTo(expected.substring(4));
      assertThat(error.path("code").asText()).isEqualTo("unsupported_field");
      assertThat(error.path("message").asText())
          .contains("(ollama) ", "'" + expected.substring(4) + "'");
      assertThat(service.ollama().requests()).isZero();
    } else {
      assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
      assertThat(response.headers().firstValue("x-jarvis-ignored").orElse("none"))
          .isEqualTo(expected);
    }
  }

  /** Messages that the service, or another one, answered with, and the results of their calls. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        // an answer without content
        "{'role':'assistant'} | {'content':''} | none",
        "{'role':'assistant','content':null} | {'content':''} | none",
        "{'role':'assistant','content':''} | {'content':''} | none",
        "{'role':'assistant','content':[]} | {'content':''} | none",
        "{'role':'assistant','content':null,'reasoning_content':'t'} | {'content':'','thinking':'t'} | none",
        "{'role':'assistant','content':null,'refusal':null,'reasoning':'t','reasoning_content':null} | {'content':'','thinking':'t'} | none",
        "{'role':'assistant','content':[],'reasoning_content':'t','reasoning':'u'} | {'content':'','thinking':'t'} | none",
        "{'role':'assistant','content':null,'refusal':'no'} | {'content':'no'} | none",
        "{'role':'assistant','content':[{'type':'refusal','refusal':'no'}]} | {'content':'no'} | none",
        "{'role':'assistant','content':null,'audio':{'id':'a','transcript':'spoken'}} | {'content':'spoken'} | none",
        "{'role':'assistant','content':null,'audio':{'id':'a'}} | {'content':''} | messages.audio",
        "{'role':'assistant','content':null,'images':[{'type':'image_url','image_url':{'url':'data:image/png;base64,aGk='}}]} | {'content':''} | messages.images",
        "{'role':'assistant','content':'x','annotations':[{'type':'url_citation','url_citation':{'url':'http://gone.example/'}}]} | {'content':'x'} | messages.annotations",
        "{'role':'assistant','content':'x','annotations':[]} | {'content':'x'} | none",
        // the nulls of clients in typed languages
        "{'role':'assistant','content':'x','refusal':null,'name':null,'tool_calls':null,'function_call':null,'audio':null,'annotations':null} | {'content':'x'} | none",
        // tool calls
        "{'role':'assistant','content':[],'tool_calls':[{'id':'a','type':'function','function':{'name':'f','arguments':'{}'}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{}}}]} | none",
        "{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':{'a':1}}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{'a':1}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':null,'type':null,'index':0,'function':{'name':'f','arguments':null}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'','function':{'name':'f'}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':''}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':'{`a`:1}'}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{'a':1}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':'`{}`'}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':'{oops'}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{'input':'{oops'}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':'{}{}'}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{'input':'{}{}'}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':[1]}}]} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{'input':[1]}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','function':{'name':'get','arguments':{'url':'http://10.0.0.1/'}}}]} | {'content':'','tool_calls':[{'function':{'name':'get','arguments':{'url':'http://10.0.0.1/'}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','type':'custom','custom':{'name':'run','input':'ls'}}]} | {'content':'','tool_calls':[{'function':{'name':'run','arguments':{'input':'ls'}}}]} | none",
        "{'role':'assistant','tool_calls':[{'id':'a','type':'retrieval','retrieval':{'q':'x'}}]} | {'content':'','tool_calls':[{'function':{'name':'retrieval','arguments':{'q':'x'}}}]} | none",
        "{'role':'assistant','content':null,'function_call':{'name':'f','arguments':'{`a`:1}'}} | {'content':'','tool_calls':[{'function':{'name':'f','arguments':{'a':1}}}]} | none",
        // results of calls, with and without an id
        "{'role':'function','name':'f','content':'x'} | {'role':'tool','content':'x','tool_name':'f'} | none",
        "{'role':'function','name':'f','content':null} | {'role':'tool','content':'','tool_name':'f'} | none",
        "{'role':'tool','tool_call_id':'a','content':[]} | {'role':'tool','content':'','tool_name':''} | none",
        "{'role':'tool','tool_call_id':null,'name':'f','content':null} | {'role':'tool','content':'','tool_name':'f'} | none",
        "{'role':'tool','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]} | {'role':'tool','content':'a\\nb','tool_name':''} | none",
        // other messages
        "{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]} | {'role':'user','content':'a\\nb'} | none",
        "{'role':'user','name':'ann','content':'x'} | {'role':'user','content':'x'} | messages.name",
        "{'role':'developer','name':'ann','content':'x'} | {'role':'system','content':'x'} | messages.name",
        "{'role':'user','content':[{'type':'image_url','image_url':{'url':'DATA:image/png;charset=utf-8;BASE64,aGk='}}]} | {'role':'user','content':'','images':['aGk=']} | none",
        "{'role':'user','content':[{'type':'image_url','image_url':{'url':'data:IMAGE/svg+xml;a=b;c=d;base64,aGk='}}]} | {'role':'user','content':'','images':['aGk=']} | none",
      })
  void messagesAreHandedOnAndTranslated(String message, String translated, String ignored) {
    assertHandedOn(message, "");

    HttpResponse<String> response = ask(OLLAMA, message, "");

    assertAtOllama(response, ignored);
    JsonNode expected = TestService.json(json(translated));
    JsonNode sent = TestService.json(service.ollama().lastBody()).at("/messages/0");
    assertThat(sent.path("role").asText()).isEqualTo(expected.path("role").asText("assistant"));
    assertThat(sent.path("content").asText()).isEqualTo(expected.path("content").asText());
    for (String field : new String[] {"thinking", "tool_calls", "tool_name", "images"}) {
      assertThat(sent.path(field)).as(field).isEqualTo(expected.path(field));
    }
  }

  /** Calls of f and g, and two results: which tools Ollama is told. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "'id':'a' | 'id':'b' | 'tool_call_id':'b' | 'tool_call_id':'a' | g | f",
        "'id':null | 'id':null | 'content':'' | 'content':'' | f | g",
        "'type':null | 'id':'' | 'name':'g' | 'tool_call_id':'' | g | f",
        "'id':'a' | 'id':'b' | 'tool_call_id':'b' | 'tool_call_id':null | g | f",
        "'id':'a' | 'id':'b' | 'tool_call_id':'x','name':'h' | 'tool_call_id':'x' | h | f"
      })
  void resultsOfCallsNameTheirTools(
      String call1, String call2, String result1, String result2, String tool1, String tool2) {
    String messages =
        """
        {'role':'assistant','tool_calls':[{%s,'function':{'name':'f'}},{%s,'function':{'name':'g'}}]},
        {'role':'tool',%s,'content':'1'}, {'role':'tool',%s,'content':'2'}"""
            .formatted(call1, call2, result1, result2)
            .replace("'content':'','content'", "'content'");
    assertHandedOn(messages, "");

    ask(OLLAMA, messages, "");

    JsonNode sent = TestService.json(service.ollama().lastBody()).path("messages");
    assertThat(sent.at("/1/tool_name").asText()).isEqualTo(tool1);
    assertThat(sent.at("/2/tool_name").asText()).isEqualTo(tool2);
  }

  /** Kinds of parts that only a server of OpenAI's dialect may know. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'type':'input_audio','input_audio':{'data':'//uQxAAA','format':'mp3'}} | 400 messages[0].content[0]",
        "{'type':'file','file':{'file_data':'data:application/pdf;base64,aGk=','filename':'a.pdf'}} | 400 messages[0].content[0]",
        "{'type':'file','file':{'file_id':'file-1'}} | 400 messages[0].content[0]",
        "{'type':'video_url','video_url':{'url':'https://8.8.8.8/a.mp4'}} | 400 messages[0].content[0]",
        "{'type':'audio_url','audio_url':{'url':'data:audio/wav;base64,aGk='}} | 400 messages[0].content[0]",
        "{'type':'audio_url','audio_url':'HTTPS://8.8.8.8/a.mp3'} | 400 messages[0].content[0]",
        "{'type':'image_url','image_url':{'url':'HTTPS://8.8.8.8/x.png'}} | 400 messages[0].content[0].image_url.url",
        "{'type':'image_url','image_url':{'url':'data:image/png;charset=utf-8;base64,aGk='}} | none",
        "{'type':'document','source':{'type':'text','data':'x'}} | 400 messages[0].content[0]",
        "{'type':'tools','tools':[]} | 400 messages[0].content[0]",
        "{'type':'thinking','thinking':'http://10.0.0.1/ is what I thought of'} | 400 messages[0].content[0]",
        "{'type':'text','text':'http://10.0.0.1/'} | none"
      })
  void partsGoToServersOfTheDialect(String part, String atOllama) {
    String message = "{'role':'user','content':[" + part + "]}";
    assertHandedOn(message, "");

    assertAtOllama(ask(OLLAMA, message, ""), atOllama);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'type':'text','text':'a'},{'type':'input_audio','input_audio':{}} | supports 'input_audio' in 'messages[1].content[1]'; remove it or use another model.",
        "{'type':'file','file':{}},{'type':'file','file':{}} | supports 'file' in 'messages[1].content[0]'; remove it or use another model.",
        "{'type':'image_url','image_url':{'url':'data:image/png;base64,aGk='}},{'type':'image_url','image_url':{'url':'https://8.8.8.8/'}} | fetches the image in 'messages[1].content[1].image_url.url'; send it as a data: URL or use another model."
      })
  void theErrorSaysWhereAPartIsThatOllamaDoesNotTake(String parts, String words) {
    HttpResponse<String> response =
        ask(
            OLLAMA,
            "{'role':'system','content':'s'},{'role':'user','content':[" + parts + "]}",
            "");

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(TestService.json(response.body()).at("/error/message").asText())
        .isEqualTo("None of the providers of 'fake:1b' (ollama) " + words);
  }

  /** URLs that a model server could fetch, wherever they stand. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'type':'video_url','video_url':{'url':'http://10.0.0.1/a.mp4'}} | video_url.url",
        "{'type':'audio_url','audio_url':'http://10.0.0.1/'} | audio_url",
        "{'type':'video_url','video_url':['https://8.8.8.8/','http://10.0.0.1/']} | video_url[1]",
        "{'type':'video_url','video_url':[['/etc/passwd']]} | video_url[0][0]",
        "{'type':'file','file':{'file_data':'http://10.0.0.1/a.pdf'}} | file.file_data",
        "{'type':'file','file':{'file_url':'http://127.0.0.1/'}} | file.file_url",
        "{'type':'file','file':{'file_data':'file:/etc/passwd'}} | file.file_data",
        "{'type':'input_audio','input_audio':{'data':'http://10.0.0.1/a.wav','format':'wav'}} | input_audio.data",
        "{'type':'image','image':'file:///etc/passwd'} | image",
        "{'type':'image','image':' \\tHT\\ntp://10.0.0.1/'} | image",
        "{'type':'image','image':'http:10.0.0.1'} | image",
        "{'type':'image','image':'\\u00a0http://10.0.0.1/'} | image",
        "{'type':'image','image':'\\ufeff\\u200bht\\u2060tp://10.0.0.1/'} | image",
        "{'type':'image','source':'gopher://10.0.0.1/'} | source",
        "{'type':'video','video':['http://10.0.0.1/1.png']} | video[0]",
        "{'type':'new','deep':{'er':[{'fileUri':'gs://bucket/x'}]}} | deep.er[0].fileUri",
        "{'type':'new','text':{'url':'http://10.0.0.1/'}} | text.url",
        "{'type':'new','tool_calls':[{'function':'http://10.0.0.1/'}]} | tool_calls[0].function",
        "{'type':'new','FILE':'S3://bucket/x'} | FILE",
        "{'type':'image_url','image_url':{'url':'data:image/png;base64,aGk=','fallback':'http://10.0.0.1/'}} | image_url.fallback"
      })
  void urlsInPartsObeyTheRulesForUrls(String part, String field) {
    HttpResponse<String> response = ask(CLOUD, "{'role':'user','content':[" + part + "]}", "");

    assertUrlRefused(response, "messages[0].content[0]." + field);
  }

  private static void assertUrlRefused(HttpResponse<String> response, String field) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    JsonNode error = TestService.json(response.body()).path("error");
    assertThat(error.path("code").asText()).isEqualTo("content_url_refused");
    assertThat(error.path("param").asText()).isEqualTo(field);
    assertThat(cloud.requests()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'type':'mcp','server_url':'http://10.0.0.1/'} | server_url",
        "{'type':'mcp','headers':{'x':'http://10.0.0.1/'}} | headers.x",
        "{'type':'function','function':{'name':'f'},'server':'http://10.0.0.1/'} | server"
      })
  void urlsOfToolsThatTheServerCallsObeyTheRulesForUrls(String tool, String field) {
    HttpResponse<String> response =
        ask(CLOUD, "{'role':'user','content':'x'}", "'tools':[" + tool + "]");

    assertUrlRefused(response, "tools[0]." + field);
  }

  /** Fields, and what Ollama does with them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        // limits that only OpenAI has
        "'stop':['a','b','c','d','e'] | none",
        "'temperature':2.5 | none",
        "'frequency_penalty':-3,'presence_penalty':2.5 | none",
        "'logprobs':true,'top_logprobs':1000 | 400 logprobs",
        "'logit_bias':{'5':-1000} | 400 logit_bias",
        "'reasoning_effort':'xhigh' | reasoning_effort",
        "'service_tier':'on_demand' | service_tier",
        "'metadata':{'a':{'b':[1]},'c':5} | metadata",
        "'verbosity':'chatty' | verbosity",
        "'response_format':{'type':'grammar','grammar':'x'} | 400 response_format",
        "'response_format':{'type':'structural_tag','structures':[]} | 400 response_format",
        "'response_format':{'type':'json_object','schema':{}} | none",
        "'tools':[{'type':'function','function':{'name':'mcp.server/do it'}}] | none",
        "'tools':[{'type':'function','function':{'name':'f','parameters':{'$schema':'http://json-schema.org/draft-07/schema#'}}}] | none",
        // kinds of tools
        "'tools':[{'type':'custom','custom':{'name':'run','format':{'type':'text'}}}] | 400 tools[0]",
        "'tools':[{'type':'web_search'}] | 400 tools[0]",
        "'tools':[{'type':'function','function':{'name':'f'}},{'type':'mcp','server_label':'x'}] | 400 tools[1]",
        "'tools':[{'type':'function','function':{'name':'f'}}],'tool_choice':{'type':'custom','custom':{'name':'f'}} | 400 tool_choice",
        "'tools':[{'type':'function','function':{'name':'f'}}],'tool_choice':{'type':'allowed_tools','allowed_tools':{'mode':'auto'}} | 400 tool_choice",
        "'tools':[{'type':'function','function':{'name':'f'}}],'tool_choice':'any' | 400 tool_choice",
        // whole numbers with a fraction
        "'max_tokens':5.0,'seed':7.0 | none"
      })
  void otherServersHaveOtherLimits(String fields, String atOllama) {
    String message = "{'role':'user','content':'x'}";
    assertHandedOn(message, fields);

    assertAtOllama(ask(OLLAMA, message, fields), atOllama);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "'stop':['a','b','c','d','e'] | stop | ['a','b','c','d','e']",
        "'temperature':2.5 | temperature | 2.5",
        "'frequency_penalty':-3 | frequency_penalty | -3.0",
        "'max_tokens':5.0 | num_predict | 5",
        "'seed':7.0 | seed | 7"
      })
  void ollamaHonoursThem(String fields, String option, String value) {
    ask(OLLAMA, "{'role':'user','content':'x'}", fields);

    assertThat(TestService.json(service.ollama().lastBody()).path("options").path(option))
        .isEqualTo(TestService.json(json(value)));
  }

  @ParameterizedTest
  @CsvSource({"'[1, 2]'", "'[[1, 2], [3]]'"})
  void embeddingsOfTokensAtOllamaAreRefusedWithAdvice(String input) {
    HttpResponse<String> response =
        service.post(
            "/v1/embeddings", "{\"model\": \"%s\", \"input\": %s}".formatted(OLLAMA, input));

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(TestService.json(response.body()).at("/error/message").asText())
        .isEqualTo(
            "None of the providers of 'fake:1b' (ollama) supports lists of tokens as 'input'; send texts or use another model.");
  }

  /** A client adds the message of an answer to its conversation, and asks again. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'role':'assistant','content':'x'}",
        "{'role':'assistant','content':null}",
        "{'role':'assistant','content':null,'refusal':'no'}",
        "{'role':'assistant','content':null,'reasoning_content':'t'}",
        "{'role':'assistant','content':'','reasoning':'t','reasoning_details':[{'type':'reasoning.text','text':'t'}]}",
        "{'role':'assistant','content':null,'images':[{'type':'image_url','image_url':{'url':'data:image/png;base64,aGk='}}]}",
        "{'role':'assistant','content':null,'audio':{'id':'a','data':'aGk=','transcript':'spoken','expires_at':1}}",
        "{'role':'assistant','content':'x','annotations':[{'type':'url_citation','url_citation':{'url':'http://gone.example/','title':'t'}}]}",
        "{'role':'assistant','content':null,'function_call':{'name':'f','arguments':'{}'}}",
        "{'role':'assistant','content':null,'tool_calls':[{'id':'a','type':'function','function':{'name':'f','arguments':'{}'}}]}",
        "{'role':'assistant','content':null,'tool_calls':[{'type':'function','function':{'name':'f','arguments':'{}'}}]}",
        "{'role':'assistant','content':null,'tool_calls':[{'id':'a','type':'function','function':{'name':'f','arguments':{'a':1}}}]}",
        "{'role':'assistant','content':null,'tool_calls':[{'id':'a','type':'custom','custom':{'name':'run','input':'ls'}}]}"
      })
  void anAnswerIsValidInTheNextRequest(String message) {
    String question = "{'role':'user','content':'x'}";
    cloud.answer(
        json("{'choices':[{'index':0,'message':" + message + ",'finish_reason':'stop'}]}"));
    HttpResponse<String> answer = ask(CLOUD, question, "");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    String given = TestService.json(answer.body()).at("/choices/0/message").toString();

    for (String model : new String[] {CLOUD, OLLAMA}) {
      HttpResponse<String> next = ask(model, question + "," + given + "," + question, "");

      assertThat(next.statusCode()).as(next.body()).isEqualTo(200);
    }
    assertThat(TestService.json(cloud.lastBody()).at("/messages/1"))
        .isEqualTo(TestService.json(given));
  }
}
