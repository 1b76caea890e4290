package dev.jarvis.gateway;

/**
 * Limits how many calls use models at once. The permit is released when the model is done, not when
 * the client has read the answer.
 */
public final class Admit implements Stage {
  /** Hands out permits to users. */
  public interface Permits {
    /**
     * Waits for a permit.
     *
     * @throws dev.jarvis.error.ApiException.Overloaded if none becomes free
     */
    Permit acquire(String user);
  }

  /** Must be closed when the model is done; closing is idempotent. */
  public interface Permit extends AutoCloseable {
    @Override
    void close();
  }

  private final Permits permits;

  public Admit(Permits permits) {
    this.permits = permits;
  }

  @Override
  public Answer handle(Call call, Next next) {
    Permit permit = permits.acquire(call.userId());
    try {
      return new Admitted(next.proceed(call), permit);
    } catch (RuntimeException | Error e) {
      permit.close();
      throw e;
    }
  }

  private static final class Admitted extends ForwardingAnswer {
    private final Permit permit;

    Admitted(Answer answer, Permit permit) {
      super(answer);
      this.permit = permit;
    }

    @Override
    public void close() {
      try (permit) {
        super.close();
      }
    }
  }
}
