package dev.jarvis.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.regex.Pattern;

/**
 * Bounds of the number of tokens of a conversation, whatever the model's tokenizer. The lower one
 * is safe to refuse a prompt by: tokenizers do not join words, however long these are.
 */
public final class PromptTokens {
  /** No common tokenizer has a longer token, except for repeated characters. */
  private static final int LONGEST_TOKEN_CHARS = 64;

  /** What a template may add for a message: control tokens and the name of the role. */
  private static final int MOST_PER_MESSAGE = 32;

  /** Templates of reasoning models leave out what was thought in earlier turns. */
  private static final Pattern THOUGHTS = Pattern.compile("(?s)<think>.*?(</think>|$)");

  private PromptTokens() {}

  /** Not less than this: one token for each word, and for each 64 characters of a long one. */
  public static int least(ChatRequest chat) {
    long tokens = 0;
    for (ChatRequest.Message message : chat.messages()) {
      boolean assistant = message.role().equals("assistant");
      if (assistant && !message.toolCalls().isEmpty()) {
        continue; // some templates write the calls only
      }
      String text = message.text();
      tokens += words(assistant ? THOUGHTS.matcher(text).replaceAll("") : text);
    }
    return (int) Math.min(tokens, Integer.MAX_VALUE);
  }

  /** Not more than this: one token for each byte. */
  public static long most(ChatRequest chat) {
    long bytes = 0;
    for (ChatRequest.Message message : chat.messages()) {
      bytes += 3L * message.json().toString().length() + MOST_PER_MESSAGE;
    }
    JsonNode tools = chat.body().path("tools");
    return bytes + (tools.isMissingNode() ? 0 : 3L * tools.toString().length());
  }

  private static long words(String text) {
    long tokens = 0;
    int chars = 0; // of the current word, each run of one character once
    int last = -1;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isWhitespace(c)) {
        tokens += Math.ceilDiv(chars, LONGEST_TOKEN_CHARS);
        chars = 0;
      } else if (c != last) { // "-----" is often one token
        chars++;
      }
      last = c;
    }
    return tokens + Math.ceilDiv(chars, LONGEST_TOKEN_CHARS);
  }
}
