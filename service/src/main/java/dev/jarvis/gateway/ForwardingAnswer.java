package dev.jarvis.gateway;

import java.time.Duration;

/** Forwards to another answer; stages override what they change. */
public abstract class ForwardingAnswer implements Answer {
  private final Answer answer;

  protected ForwardingAnswer(Answer answer) {
    this.answer = answer;
  }

  @Override
  public Head head() {
    return answer.head();
  }

  @Override
  public Event next() {
    return answer.next();
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
