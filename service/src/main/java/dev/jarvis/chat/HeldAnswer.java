package dev.jarvis.chat;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import dev.jarvis.http.ByteBudget;
import java.time.Duration;

/**
 * An answer that is held in memory until its client has taken all of it: the memory of each event
 * is reserved as it comes, and given back with the request.
 */
record HeldAnswer(Answer answer, ByteBudget.Reservation memory) implements Answer {
  @Override
  public Head head() {
    return answer.head();
  }

  /**
   * The next event.
   *
   * @throws dev.jarvis.http.ApiException.Overloaded if there is no memory for it
   */
  @Override
  public Event next() {
    Event event = answer.next();
    memory.add(event.weight());
    return event;
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
