package dev.jarvis.gateway.cache;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.TargetName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * A whole answer that can be reused.
 *
 * @param target the model that generated it
 * @param events in their order, without the end
 */
record CachedAnswer(TargetName target, List<Event> events) {

  CachedAnswer {
    events = List.copyOf(events);
  }

  /** Whether each choice ended with a reason that means it is complete. */
  boolean complete() {
    Set<Integer> begun = new HashSet<>();
    Set<Integer> ended = new HashSet<>();
    for (Event event : events) {
      switch (event) {
        case Event.Text it -> begun.add(it.choice());
        case Event.Reasoning it -> begun.add(it.choice());
        case Event.ToolCall it -> begun.add(it.choice());
        case Event.MessageFields it -> begun.add(it.choice());
        case Event.ChoiceEnd it -> {
          if (!it.reason().complete()) {
            return false;
          }
          ended.add(it.choice());
        }
        default -> {}
      }
    }
    return !ended.isEmpty() && ended.containsAll(begun);
  }

  /** The same answer with adjacent pieces of text joined. */
  CachedAnswer merged() {
    List<Event> merged = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    int choice = 0;
    for (Event event : events) {
      boolean plain = event instanceof Event.Text it && it.logprobs() == null;
      boolean sameChoice = event instanceof Event.Text it && it.choice() == choice;
      if (!text.isEmpty() && !(plain && sameChoice)) {
        merged.add(new Event.Text(choice, text.toString(), null));
        text.setLength(0);
      }
      if (plain && event instanceof Event.Text it) {
        text.append(it.text());
        choice = it.choice();
      } else {
        merged.add(event);
      }
    }
    if (!text.isEmpty()) {
      merged.add(new Event.Text(choice, text.toString(), null));
    }
    return new CachedAnswer(target, merged);
  }

  /**
   * Returns the answer once more.
   *
   * @param route the model name in the request
   */
  Answer replay(String route) {
    Iterator<Event> left = events.iterator();
    return new Answer() {
      @Override
      public Head head() {
        return new Head(route, target, List.of(), AnswerCache.Result.HIT.header());
      }

      @Override
      public Event next() {
        return left.hasNext() ? left.next() : new Event.End(null);
      }

      @Override
      public void close() {}
    };
  }
}
