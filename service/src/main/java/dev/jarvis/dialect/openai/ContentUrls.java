package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Checks the URLs in messages and tools. JARVIS fetches none of them, but a model server may, and
 * can reach hosts that a client cannot. Thread-safe.
 */
public final class ContentUrls implements AutoCloseable {
  /** The values of {@code chat.content-urls}. */
  public enum Mode {
    /** Only {@code data:} URLs. */
    REFUSE,
    /** {@code data:} URLs, and those of hosts that have only public addresses. */
    PUBLIC,
    /** Any URL; the model server's access is limited elsewhere. */
    PASS
  }

  /** Resolves a host to its addresses. */
  interface Resolver {
    InetAddress[] resolve(String host) throws UnknownHostException;
  }

  private static final String CODE = "content_url_refused";
  private static final Duration RESOLVE_LIMIT = Duration.ofSeconds(2);
  private static final int MAX_HOSTS = 16;

  /**
   * A lookup that hangs cannot be cancelled: it keeps its thread, and further ones wait in the
   * queue.
   */
  private static final int THREADS = 16;

  private static final int QUEUE = 256;

  private final Mode mode;
  private final Resolver resolver;
  private final Duration limit;
  private final ThreadPoolExecutor lookups;

  public ContentUrls(Mode mode) {
    this(mode, InetAddress::getAllByName, RESOLVE_LIMIT);
  }

  ContentUrls(Mode mode, Resolver resolver, Duration limit) {
    this.mode = mode;
    this.resolver = resolver;
    this.limit = limit;
    // Platform threads: a lookup blocks in native code, which would hold a virtual thread's
    // carrier.
    lookups =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(QUEUE),
            Thread.ofPlatform().daemon().name("content-urls-", 0).factory());
    lookups.allowCoreThreadTimeOut(true);
  }

  /**
   * Checks every URL in the messages and tools of a body; waits at most two seconds for the
   * lookups.
   *
   * @throws ApiException.InvalidRequest naming the first field whose URL is not allowed
   * @throws ApiException.Overloaded if too many lookups are in progress
   */
  void check(ObjectNode body) {
    if (mode == Mode.PASS) {
      return;
    }
    Map<String, String> fieldsByHost = new LinkedHashMap<>();
    UrlFields.of(body).forEach((field, url) -> check(field, url, fieldsByHost));
    if (fieldsByHost.size() > MAX_HOSTS) {
      throw new ApiException.InvalidRequest(
          "'messages' has URLs of %d hosts; the maximum is %d."
              .formatted(fieldsByHost.size(), MAX_HOSTS),
          "messages",
          CODE);
    }
    resolve(fieldsByHost);
  }

  @Override
  public void close() {
    lookups.shutdownNow();
  }

  private void check(String field, String url, Map<String, String> fieldsByHost) {
    if (mode == Mode.REFUSE) {
      throw new ApiException.InvalidRequest(
          "'%s' must be a data: URL; this server does not accept http and https URLs."
              .formatted(field),
          field,
          CODE);
    }
    UrlHost host = UrlHost.of(url).orElseThrow(() -> refused(field, "this URL is not one"));
    if (host.address().isPresent()) {
      if (!PublicAddress.is(host.address().get())) {
        throw refused(field, "the host '%s' is not public".formatted(host.name()));
      }
    } else {
      fieldsByHost.putIfAbsent(host.name(), field);
    }
  }

  private void resolve(Map<String, String> fieldsByHost) {
    long deadline = System.nanoTime() + limit.toNanos();
    Map<String, Future<Boolean>> results = new LinkedHashMap<>();
    try {
      for (String host : fieldsByHost.keySet()) {
        results.put(host, lookups.submit(() -> isPublic(host)));
      }
      for (Map.Entry<String, Future<Boolean>> result : results.entrySet()) {
        String host = result.getKey();
        String field = String.valueOf(fieldsByHost.get(host));
        // One message for both cases: two would reveal which internal names exist.
        if (!result.getValue().get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          throw refused(field, "the host '%s' is not public or cannot be resolved".formatted(host));
        }
      }
    } catch (TimeoutException e) {
      if (!lookups.getQueue().isEmpty()) { // lookups of other requests hold the threads
        throw new ApiException.Overloaded(
            "Too many host names are being resolved; try again later.");
      }
      String host = firstPending(results);
      throw refused(
          String.valueOf(fieldsByHost.get(host)),
          "the host '%s' could not be resolved within %d ms".formatted(host, limit.toMillis()));
    } catch (RejectedExecutionException e) {
      throw new ApiException.Overloaded("Too many host names are being resolved; try again later.");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException.Overloaded("The request was interrupted.");
    } catch (ExecutionException e) {
      throw new IllegalStateException("a lookup failed", e.getCause());
    } finally {
      results.values().forEach(it -> it.cancel(true));
      lookups.purge();
    }
  }

  private static String firstPending(Map<String, Future<Boolean>> results) {
    return results.entrySet().stream()
        .filter(it -> !it.getValue().isDone())
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseGet(() -> results.keySet().iterator().next());
  }

  /** Whether all addresses of a host are public. */
  private boolean isPublic(String host) {
    try {
      InetAddress[] addresses = resolver.resolve(host);
      for (InetAddress address : addresses) {
        if (!PublicAddress.is(address)) {
          return false;
        }
      }
      return addresses.length > 0;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static ApiException refused(String field, String why) {
    return new ApiException.InvalidRequest(
        "'%s' must be a data: URL, or an http or https URL of a public host, without user information; %s."
            .formatted(field, why),
        field,
        CODE);
  }
}
