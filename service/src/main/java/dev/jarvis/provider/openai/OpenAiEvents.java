package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Corrections;
import dev.jarvis.provider.Counts;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ModelServerErrors;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.WholeAnswer;
import dev.jarvis.provider.WrittenTokens;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Translates the JSON objects of an answer in OpenAI's dialect into events: a {@code
 * chat.completion}, or the {@code chat.completion.chunk}s of a stream. Fields without an event of
 * their own are kept as JSON. What the specification settles is corrected, and reported.
 */
final class OpenAiEvents {
  /** OpenAI's limit for {@code n}. */
  private static final int MAX_CHOICES = 128;

  /** Fields of an answer that are translated, or that JARVIS replaces. */
  private static final Set<String> ANSWER_FIELDS =
      Set.of("id", "object", "created", "model", "choices", "usage", "obfuscation");

  private final Corrections corrections = new Corrections();
  private final Map<Integer, ChoiceReader> choices = new LinkedHashMap<>();
  private @Nullable ObjectNode answerFields;
  private boolean wrote;
  private @Nullable Usage lastUsage;
  private boolean lastUsageUnusable;

  /** The events of a chunk of a stream. */
  List<Event> ofChunk(JsonNode chunk) throws ProviderException {
    return of(chunk, false);
  }

  /** The events of a JSON value in place of an event: a chunk, or a whole answer. */
  List<Event> ofUnframed(JsonNode value) throws ProviderException {
    boolean whole = choices.isEmpty() && value.at("/choices/0").hasNonNull("finish_reason");
    return of(value, whole);
  }

  /**
   * The events of a whole answer.
   *
   * @param request to estimate the tokens if the server does not count
   */
  List<Event> ofAnswer(WholeAnswer answer, ChatRequest request) throws ProviderException {
    List<Event> events = new ArrayList<>();
    for (JsonNode value : answer.values()) {
      events.addAll(of(value, !answer.pieces()));
    }
    if (answer.pieces()) {
      corrections.report("framing", events);
      if (!answer.done() && !complete()) {
        throw LineStream.brokenOff();
      }
    }
    events.addAll(finish());
    if (lastUsage == null) {
      events.add(new Event.UsageReport(WrittenTokens.estimate(request, events), null));
    }
    events.add(new Event.End(null));
    return events;
  }

  /** Whether at least one choice has ended, and no choice is unfinished. */
  boolean complete() {
    return !choices.isEmpty() && choices.values().stream().allMatch(ChoiceReader::ended);
  }

  /** The end of every choice; servers that give no reason for it end it as well. */
  List<Event> finish() {
    List<Event> events = new ArrayList<>();
    if (choices.isEmpty()) {
      corrections.report("choices", events);
      choice(0);
    }
    choices.values().forEach(it -> it.finish(events));
    if (lastUsageUnusable) {
      corrections.report("usage", events);
      if (lastUsage != null) { // that of an earlier chunk
        events.add(new Event.UsageReport(lastUsage.asEstimate(), null));
      }
    }
    return events;
  }

  /** Adds a note about the framing. */
  void report(String what, List<Event> events) {
    corrections.report(what, events);
  }

  private List<Event> of(JsonNode json, boolean whole) throws ProviderException {
    ProviderException error = ModelServerErrors.inAnswer(json);
    if (error != null) {
      throw error;
    }
    JsonNode found = json.path("choices");
    boolean none = found.isMissingNode() || found.isNull();
    if (!json.isObject() || (whole ? !found.isArray() : !(none || found.isArray()))) {
      throw LineStream.invalidResponse(new IOException("the response has no array 'choices'"));
    }
    List<Event> events = new ArrayList<>();
    ObjectNode fields = OtherFields.of(json, ANSWER_FIELDS);
    if (fields != null && !fields.equals(answerFields)) {
      answerFields = fields;
      events.add(new Event.AnswerFields(fields));
    }
    int before = events.size();
    for (JsonNode choice : found) {
      choice(index(choice.path("index"), events)).read(choice, whole, events);
    }
    for (int i = before; i < events.size() && !wrote; i++) {
      wrote = events.get(i).says();
    }
    if (whole || found.isEmpty()) { // what follows a chunk without choices is no part of a choice
      choices.values().forEach(it -> it.release(events));
    }
    usage(json.path("usage"), events);
    return events;
  }

  private void usage(JsonNode json, List<Event> events) {
    UsageReader.Result read = UsageReader.read(json, wrote);
    Usage usage = read.usage();
    if (usage != null) {
      lastUsage = usage;
      events.add(new Event.UsageReport(usage, (ObjectNode) json));
    }
    lastUsageUnusable = usage == null && (read.corrected() || lastUsageUnusable);
    if (usage != null && read.corrected()) {
      corrections.report("usage", events);
    }
  }

  private ChoiceReader choice(int index) {
    return choices.computeIfAbsent(index, it -> new ChoiceReader(it, corrections));
  }

  private int index(JsonNode value, List<Event> events) throws ProviderException {
    int index = Counts.of(value);
    if (index == Counts.ABSENT) {
      return 0;
    }
    if (index < 0 || index >= MAX_CHOICES) {
      throw LineStream.invalidResponse(
          new IOException("a choice has an index that is not from 0 to 127"));
    }
    if (!value.isInt()) {
      corrections.report("choices.index", events);
    }
    return index;
  }
}
