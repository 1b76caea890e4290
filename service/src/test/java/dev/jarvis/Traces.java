package dev.jarvis;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.TestDatabase;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** What requests leave behind in log lines, spans, answers and the database, from now on. */
public final class Traces implements AutoCloseable {
  private static final Logger ROOT =
      (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

  private final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();
  private final List<String> answers = new CopyOnWriteArrayList<>();
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          event.prepareForDeferredProcessing();
          lines.add(event);
        }
      };

  public Traces() {
    appender.start();
    ROOT.addAppender(appender);
  }

  /** Adds a response, and returns it. */
  public HttpResponse<String> answered(HttpResponse<String> response) {
    answers.add(response.statusCode() + response.body() + response.headers().map());
    return response;
  }

  /** Adds the text of a response. */
  public void answered(String response) {
    answers.add(response);
  }

  /** The values of a field in the lines of completed requests. */
  public List<String> completed(String field) {
    return lines.stream()
        .filter(it -> it.getMessage().equals("request_completed"))
        .flatMap(it -> it.getKeyValuePairs().stream())
        .filter(it -> it.key.equals(field))
        .map(it -> String.valueOf(it.value))
        .toList();
  }

  /** All of it but the database. */
  public String text() {
    StringBuilder all = new StringBuilder();
    answers.forEach(it -> all.append(it).append('\n'));
    lines.forEach(it -> all.append(text(it)).append('\n'));
    Recorded.spans().forEach(it -> all.append(it).append('\n'));
    return all.toString();
  }

  private static String text(ILoggingEvent line) {
    return line.getFormattedMessage()
        + line.getKeyValuePairs()
        + line.getMDCPropertyMap()
        + (line.getThrowableProxy() == null
            ? ""
            : ThrowableProxyUtil.asString(line.getThrowableProxy()));
  }

  /** The rows of all tables. */
  public static String rows(TestDatabase database) throws SQLException {
    return database.rows("SELECT database_to_xml(true, false, '')::text AS rows").toString();
  }

  @Override
  public void close() {
    ROOT.detachAppender(appender);
  }
}
