package dev.jarvis.storage;

import dev.jarvis.concurrent.Cancellation;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pooled connection whose statement PostgreSQL cancels when a scope is cancelled, from its
 * borrowing to its return. A signal that PostgreSQL sends hits whatever the backend does when it
 * arrives, so the connection goes back only when none can arrive any more.
 */
final class CancellableConnection implements InvocationHandler {
  /** The SQLSTATE of a statement that was cancelled. */
  static final String QUERY_CANCELED = "57014";

  private static final Logger LOG = LoggerFactory.getLogger(CancellableConnection.class);

  /** A signal is lost on a backend that is idle, as between two statements. */
  private static final long REPEAT_MILLIS = 200;

  private final Connection connection;
  private final Consumer<Connection> discard;
  private final Cancellation.Registration registration;

  /** Held while a cancel request is under way. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition ended = lock.newCondition();
  private boolean closed; // guarded by the lock, as are the next two
  private boolean signalled;
  private boolean uncertain;

  private CancellableConnection(
      Connection connection, Cancellation scope, Consumer<Connection> discard) {
    this.connection = connection;
    this.discard = discard;
    this.registration =
        scope.onCancel(() -> Thread.ofVirtual().name("cancel-query").start(this::cancel));
  }

  /**
   * Lends a connection.
   *
   * @param discard closes the connection for good
   */
  static Connection of(Connection connection, Cancellation scope, Consumer<Connection> discard) {
    return (Connection)
        Proxy.newProxyInstance(
            CancellableConnection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            new CancellableConnection(connection, scope, discard));
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
      throws Throwable {
    if (method.getName().equals("close")) {
      close();
      return null;
    }
    try {
      return method.invoke(connection, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private void cancel() {
    lock.lock();
    try {
      while (!closed) {
        signal();
        ended.await(REPEAT_MILLIS, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Returns when PostgreSQL has sent the signal. */
  private void signal() {
    try {
      signalled = true;
      connection.unwrap(PGConnection.class).cancelQuery();
    } catch (SQLException e) {
      uncertain = true; // it may be sent still
      LOG.atDebug().setCause(e).log("PostgreSQL did not confirm a cancel request");
    }
  }

  private void close() throws SQLException {
    registration.close();
    lock.lock(); // waits for the end of a cancel request
    try {
      if (closed) {
        return;
      }
      closed = true;
      ended.signalAll();
    } finally {
      lock.unlock();
    }
    if (signalled && (uncertain || !absorbed())) {
      discard.accept(connection);
    }
    connection.close();
  }

  /**
   * The backend gets the signal before it reads another statement. One that was sent when it had
   * just ended its statement hits this query, or nothing.
   */
  private boolean absorbed() {
    try {
      if (!connection.getAutoCommit()) {
        connection.rollback();
      }
      try (Statement statement = connection.createStatement()) {
        statement.execute("SELECT 1");
      }
      return true;
    } catch (SQLException e) {
      return QUERY_CANCELED.equals(e.getSQLState());
    }
  }
}
