package dev.jarvis.chaos;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.ForwardingAnswer;
import dev.jarvis.gateway.Stage;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds a call at its {@link Moment} before the stage that follows, or on the way back from it. The
 * call's request id names the moment.
 */
public final class HoldStage implements Stage {
  private final String following;
  private final Held held;

  private HoldStage(String following, Held held) {
    this.following = following;
    this.held = held;
  }

  /** Puts one before each stage. */
  public static List<Stage> around(List<Stage> stages, Held held) {
    List<Stage> all = new ArrayList<>();
    for (Stage stage : stages) {
      all.add(new HoldStage(name(stage), held));
      all.add(stage);
    }
    held.stages(stages.stream().map(HoldStage::name).toList());
    return all;
  }

  private static String name(Stage stage) {
    return stage.getClass().getSimpleName();
  }

  @Override
  public Answer handle(Call call, Next next) {
    hold(call, Moment.BEFORE);
    return new HeldAnswer(next.proceed(call), call);
  }

  private void hold(Call call, String phase) {
    if (call.requestId().endsWith(":" + phase + following)) {
      held.await(call.requestId());
    }
  }

  private final class HeldAnswer extends ForwardingAnswer {
    private final Call call;
    private boolean first = true;

    HeldAnswer(Answer answer, Call call) {
      super(answer);
      this.call = call;
    }

    @Override
    public Event next() {
      Event event = super.next();
      if (first) {
        first = false;
        hold(call, Moment.FIRST);
      }
      if (event instanceof Event.End) {
        hold(call, Moment.END);
      }
      return event;
    }
  }
}
