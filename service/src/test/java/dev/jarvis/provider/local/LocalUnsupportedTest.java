package dev.jarvis.provider.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.UnsupportedFields;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the model inside the process does not take. */
class LocalUnsupportedTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'role':'user','content':[{'type':'input_audio','input_audio':{}},{'type':'file','file':{}}]} | [messages.input_audio, messages.file] | []",
        "{'role':'user','content':[{'type':'image_url','image_url':{'url':'data:image/png;base64,aGk='}}]} | [messages.image_url] | []",
        "{'role':'user','content':[{'type':'text','text':'a'}],'name':'ann'} | [] | [messages.name]",
        "{'role':'assistant','content':[{'type':'refusal','refusal':'no'}]} | [] | []",
        "{'role':'assistant','content':null,'reasoning_content':'t'} | [] | [messages.reasoning_content]",
        "{'role':'assistant','content':null,'tool_calls':null,'function_call':null} | [] | []",
        "{'role':'assistant','tool_calls':[{'function':{'name':'f'}}]} | [messages.tool_calls] | []",
        "{'role':'assistant','function_call':{'name':'f'}} | [messages.tool_calls] | []",
        "{'role':'function','name':'f','content':'x'} | [messages.tool_calls] | []"
      })
  void partsOfMessagesAreRefusedOrIgnored(String message, String refused, String ignored)
      throws Exception {
    ObjectNode body =
        (ObjectNode)
            new ObjectMapper().readTree(("{'messages':[" + message + "]}").replace('\'', '"'));

    UnsupportedFields fields =
        UnsupportedFields.of(
            new ChatRequest("local", body), LocalModel.HONOURED, FieldPolicy.DEFAULT);

    assertThat(fields.refused().toString()).isEqualTo(refused);
    assertThat(fields.ignored().toString()).isEqualTo(ignored);
  }
}
