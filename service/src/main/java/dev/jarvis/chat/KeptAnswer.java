package dev.jarvis.chat;

import dev.jarvis.model.ChatStream.Chunk;
import dev.jarvis.model.ChatStream.Finish;
import dev.jarvis.model.Models;

/** An answer that is handed on, and kept in the cache once it is complete. */
final class KeptAnswer implements Answer {
  private final Answer answer;
  private final Models.Target target;
  private final AnswerCache.Look look;
  private final Choices choices = new Choices();

  KeptAnswer(Answer answer, Models.Target target, AnswerCache.Look look) {
    this.answer = answer;
    this.target = target;
    this.look = look;
  }

  @Override
  public Chunk next() {
    Chunk chunk = answer.next();
    choices.add(chunk);
    Finish finish = chunk.finish();
    if (finish != null && choices.complete()) {
      look.keep(
          new CachedAnswer(
              target.provider().name(), target.model(), choices.json(), finish.usage()));
    }
    return chunk;
  }

  @Override
  public void abort() {
    answer.abort();
  }
}
