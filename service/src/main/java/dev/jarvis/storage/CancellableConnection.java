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
 * A borrowed connection whose running statement is cancelled when a scope is. PostgreSQL cancels
 * whatever the backend runs when the signal arrives, so the connection returns to the pool only
 * when no signal can arrive any more.
 */
final class CancellableConnection implements InvocationHandler {
  /** The SQLSTATE of a cancelled statement. */
  static final String QUERY_CANCELED = "57014";

  private static final Logger LOG = LoggerFactory.getLogger(CancellableConnection.class);

  /** Cancelling is repeated, because a backend between two statements ignores the signal. */
  private static final long REPEAT_MILLIS = 200;

  private final Connection connection;
  private final Consumer<Connection> discard;
  private final Cancellation.Registration registration;

  /** Held while a cancel request is sent. */
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
   * Wraps a connection of the pool.
   *
   * @param discard removes the connection from the pool
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

  /** Sends a cancel request; returns when PostgreSQL has sent the signal to the backend. */
  private void signal() {
    try {
      signalled = true;
      connection.unwrap(PGConnection.class).cancelQuery();
    } catch (SQLException e) {
      uncertain = true; // the signal may still be sent
      LOG.atDebug().setCause(e).log("PostgreSQL did not confirm a cancel request");
    }
  }

  private void close() throws SQLException {
    registration.close();
    lock.lock(); // after a cancel request
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
   * Runs a query to catch a signal that was sent when the statement had just ended: the backend
   * gets it before it reads another statement. Returns whether the connection is usable.
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
