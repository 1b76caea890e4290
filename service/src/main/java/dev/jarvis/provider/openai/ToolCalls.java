package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.provider.Corrections;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Tells the tool calls of a choice apart by index, id and name, whatever a server gives of these,
 * and numbers them from 0. Each call has an id of its own.
 */
final class ToolCalls {
  /** Far more than a model can call at once; each takes memory. */
  private static final int MAX_CALLS = 1024;

  private static final class Call {
    private final int number;
    private @Nullable String serverId;
    private @Nullable String name;
    private final boolean isFunction;
    private boolean given;
    private final ArgumentsScanner arguments = new ArgumentsScanner();

    Call(int number, ToolCallPiece first) {
      this.number = number;
      this.serverId = first.id();
      this.isFunction = "function".equals(first.kind());
    }
  }

  private final int choice;
  private final Corrections corrections;
  private final List<Call> calls = new ArrayList<>();
  private final Map<Integer, Call> byIndex = new HashMap<>();
  private final Set<String> ids = new HashSet<>();

  ToolCalls(int choice, Corrections corrections) {
    this.choice = choice;
    this.corrections = corrections;
  }

  /** Whether there is any call. */
  boolean any() {
    return !calls.isEmpty();
  }

  /**
   * Adds a piece of a call, or a whole one.
   *
   * @param whole whether it is a whole call, from a message
   */
  void add(JsonNode json, boolean whole, List<Event> events) throws ProviderException {
    if (!(json instanceof ObjectNode object)) {
      return; // null, from some servers
    }
    ToolCallPiece piece = ToolCallPiece.of(object);
    Call known = whole ? null : known(piece);
    events.add(known == null ? begin(piece, whole, events) : next(piece, known, events));
  }

  /** The arguments of functions that were called without any: clients parse them as JSON. */
  void end(List<Event> events) {
    for (Call call : calls) {
      if (call.isFunction && !call.given) {
        call.given = true;
        corrections.report("tool_calls.arguments", events);
        events.add(new Event.ToolCall(choice, call.number, null, null, "{}", null));
      }
    }
  }

  private Event begin(ToolCallPiece piece, boolean whole, List<Event> events)
      throws ProviderException {
    if (calls.size() == MAX_CALLS) {
      throw LineStream.invalidResponse(
          new IOException("the answer has more than " + MAX_CALLS + " tool calls"));
    }
    Call call = new Call(calls.size(), piece);
    calls.add(call);
    if (piece.index() != null) {
      byIndex.put(piece.index(), call);
    }
    checkIndex(piece, call, whole, events);
    boolean ownId = piece.id() != null && ids.add(piece.id());
    String id = ownId ? piece.id() : "call_" + UUID.randomUUID().toString().replace("-", "");
    report(!ownId, "tool_calls.id", events);
    String type = piece.json().path("type").asText("");
    boolean typed = piece.kind() == null || !type.isEmpty();
    report(!typed, "tool_calls.type", events);
    call.name = piece.name();
    String arguments = read(piece, call, events);
    if (whole && call.isFunction && !call.given) {
      call.given = true;
      corrections.report("tool_calls.arguments", events);
      arguments = "{}";
    }
    boolean changed = !ownId || !typed || !piece.arguments().isTextual();
    JsonNode raw =
        changed
            ? piece.with(id, type.isEmpty() ? piece.kind() : type, piece.name(), arguments)
            : piece.json();
    return new Event.ToolCall(choice, call.number, id, piece.name(), arguments, raw);
  }

  private Event next(ToolCallPiece piece, Call call, List<Event> events) {
    if (piece.index() != null) {
      byIndex.put(piece.index(), call);
    }
    checkIndex(piece, call, false, events);
    report(piece.id() != null, "tool_calls.id", events); // repeated, or too late
    String name = call.name == null ? piece.name() : null;
    report(piece.name() != null && name == null, "tool_calls.name", events);
    call.name = name == null ? call.name : name;
    String arguments = read(piece, call, events);
    boolean typed = piece.json().has("type");
    report(typed, "tool_calls.type", events);
    boolean changed =
        typed
            || piece.json().has("id")
            || (piece.name() != null && name == null)
            || piece.otherForm();
    JsonNode raw = changed ? piece.with(null, null, name, arguments) : piece.json();
    return new Event.ToolCall(choice, call.number, null, name, arguments, raw);
  }

  private void checkIndex(ToolCallPiece piece, Call call, boolean whole, List<Event> events) {
    Integer index = piece.index();
    boolean right = index != null && index == call.number && piece.json().path("index").isInt();
    report(!whole && !right, "tool_calls.index", events);
  }

  private String read(ToolCallPiece piece, Call call, List<Event> events) {
    report(piece.otherForm(), "tool_calls.arguments", events);
    String arguments = piece.argumentsText();
    call.given |= piece.arguments().isTextual() || piece.hasArguments();
    if (call.isFunction) {
      call.arguments.add(arguments);
    }
    return arguments;
  }

  private void report(boolean corrected, String what, List<Event> events) {
    if (corrected) {
      corrections.report(what, events);
    }
  }

  /** The call that a piece belongs to; null if it begins another one. */
  private @Nullable Call known(ToolCallPiece piece) {
    Call at = piece.index() == null ? null : byIndex.get(piece.index());
    if (piece.id() != null && ids.contains(piece.id())) {
      Call sameId = ofId(piece.id());
      if (at == null && piece.index() != null && piece.name() != null) {
        return null; // the server gives the same id to several calls
      }
      Call call = at == null ? sameId : at;
      return call == null || repeatsId(piece, call) ? null : call;
    }
    boolean nameless = piece.id() == null && piece.name() == null;
    if (at == null && (piece.index() == null || nameless)) {
      at = calls.isEmpty() ? null : calls.getLast();
    }
    return at == null || begins(piece, at) ? null : at;
  }

  /** Whether a piece with the id of a call begins another one: some servers give all the same. */
  private static boolean repeatsId(ToolCallPiece piece, Call call) {
    if (piece.name() == null || call.name == null) {
      return false;
    }
    boolean more = call.arguments.complete() && !piece.argumentsText().isBlank();
    return more || !piece.name().equals(call.name);
  }

  private @Nullable Call ofId(String id) {
    for (Call call : calls.reversed()) {
      if (id.equals(call.serverId)) {
        return call;
      }
    }
    return null;
  }

  /** Whether a piece begins another call than the one it seems to continue. */
  private static boolean begins(ToolCallPiece piece, Call call) {
    if (call.arguments.open()) { // some servers repeat the name, or give another id, in each piece
      return piece.name() != null && !piece.name().equals(call.name);
    }
    boolean more = call.arguments.complete() && !piece.argumentsText().isBlank();
    if (piece.id() != null && call.serverId != null) {
      return piece.name() != null || more;
    }
    if (piece.name() == null || call.name == null) {
      return false;
    }
    return more || !piece.name().equals(call.name);
  }
}
