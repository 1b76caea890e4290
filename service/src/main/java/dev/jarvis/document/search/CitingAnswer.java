package dev.jarvis.document.search;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.ForwardingAnswer;

/** An answer whose first event names the passages that ground it. */
final class CitingAnswer extends ForwardingAnswer {
  private final Event.Citations citations;
  private boolean cited;

  CitingAnswer(Answer answer, Event.Citations citations) {
    super(answer);
    this.citations = citations;
  }

  /** Returns the citations first, after the answer was opened without an error. */
  @Override
  public Event next() {
    if (cited) {
      return super.next();
    }
    cited = true;
    return citations;
  }
}
