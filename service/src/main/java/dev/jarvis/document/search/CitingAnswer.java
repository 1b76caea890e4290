package dev.jarvis.document.search;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.ForwardingAnswer;

/** An answer that begins with the passages it is grounded on. */
final class CitingAnswer extends ForwardingAnswer {
  private final Event.Citations citations;
  private boolean cited;

  CitingAnswer(Answer answer, Event.Citations citations) {
    super(answer);
    this.citations = citations;
  }

  /** The passages come once it is known that there is an answer. */
  @Override
  public Event next() {
    if (cited) {
      return super.next();
    }
    cited = true;
    return citations;
  }
}
