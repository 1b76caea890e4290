package dev.jarvis.limit;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Question;

/**
 * How many tokens a call reserves until their number is known.
 *
 * @param output of one answer, if its maximum is not less
 * @param context of passages that an answer is grounded on, unless the request sets it
 */
record Reservation(int output, int context) {
  long tokens(Question question) {
    if (question.operation() != Operation.CHAT) {
      return question.estimatedTokens();
    }
    JsonNode body = question.body();
    JsonNode grounding = body.path("grounding");
    long passages = grounding.isObject() ? grounding.path("max_tokens").asLong(context) : 0;
    long answer = Math.min(output, question.maxTokens().orElse(Integer.MAX_VALUE));
    long answers = Math.max(1, body.path("n").asLong(1));
    return question.estimatedTokens() + passages + answer * answers;
  }
}
