package dev.jarvis.document;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import java.time.Duration;

/** An answer that begins with the passages it is grounded on. */
final class CitingAnswer implements Answer {
  private final Answer answer;
  private final Event.Citations citations;
  private boolean cited;

  CitingAnswer(Answer answer, Event.Citations citations) {
    this.answer = answer;
    this.citations = citations;
  }

  @Override
  public Head head() {
    return answer.head();
  }

  /** The passages come once it is known that there is an answer. */
  @Override
  public Event next() {
    if (cited) {
      return answer.next();
    }
    cited = true;
    return citations;
  }

  @Override
  public boolean await(Duration limit) {
    return answer.await(limit);
  }

  @Override
  public void close() {
    answer.close();
  }
}
