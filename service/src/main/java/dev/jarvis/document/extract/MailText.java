package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.james.mime4j.codec.DecodeMonitor;
import org.apache.james.mime4j.codec.DecoderUtil;
import org.apache.james.mime4j.dom.Body;
import org.apache.james.mime4j.dom.Entity;
import org.apache.james.mime4j.dom.Message;
import org.apache.james.mime4j.dom.Multipart;
import org.apache.james.mime4j.dom.SingleBody;
import org.apache.james.mime4j.message.DefaultMessageBuilder;
import org.apache.james.mime4j.stream.Field;
import org.apache.james.mime4j.stream.MimeConfig;

/** Reads a mail, with Apache James Mime4j: its subject as the heading, its names, and its text. */
final class MailText {
  private static final List<String> FIELDS = List.of("From", "To", "Cc", "Date", "Subject");
  private static final int MAX_DEPTH = 20;

  private final SectionWriter writer;
  private final List<String> attachments = new ArrayList<>();

  private MailText(SectionWriter writer) {
    this.writer = writer;
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    DefaultMessageBuilder builder = new DefaultMessageBuilder();
    builder.setMimeEntityConfig(MimeConfig.PERMISSIVE);
    builder.setDecodeMonitor(DecodeMonitor.SILENT);
    Message message = builder.parseMessage(new ByteArrayInputStream(bytes(file)));
    try {
      new MailText(writer).message(message, "", 0);
    } finally {
      message.dispose();
    }
  }

  /** Returns the bytes of a mail; one that was saved as UTF-16 is converted. */
  private static byte[] bytes(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    return UnicodeText.byMark(bytes)
        .or(() -> UnicodeText.byNuls(bytes))
        .map(it -> it.text().getBytes(StandardCharsets.UTF_8))
        .orElse(bytes);
  }

  private void message(Message message, String above, int depth)
      throws IOException, ExtractionException {
    String subject = field(message, "Subject");
    String heading =
        above.isEmpty() || subject.isEmpty()
            ? above + subject
            : above + HeadingPath.SEPARATOR + subject;
    StringBuilder head = new StringBuilder();
    for (String name : FIELDS) {
      String value = field(message, name);
      head.append(value.isEmpty() ? "" : name + ": " + value + "\n");
    }
    writer.addLines(heading, head.toString());
    part(message, heading, depth);
    if (!attachments.isEmpty()) {
      writer.addLines(heading, "Attachments: " + String.join(", ", attachments));
      attachments.clear();
    }
  }

  private static String field(Entity entity, String name) {
    Field field = entity.getHeader() == null ? null : entity.getHeader().getField(name);
    return field == null
        ? ""
        : DecoderUtil.decodeEncodedWords(field.getBody(), DecodeMonitor.SILENT)
            .replaceAll("\\s+", " ")
            .strip();
  }

  private void part(Entity part, String heading, int depth)
      throws IOException, ExtractionException {
    if (depth > MAX_DEPTH) {
      return;
    }
    Body body = part.getBody();
    String filename = part.getFilename();
    switch (body) {
      case Multipart parts when parts.getSubType().equalsIgnoreCase("alternative") ->
          part(preferred(parts), heading, depth + 1);
      case Multipart parts -> {
        for (Entity inner : parts.getBodyParts()) {
          part(inner, heading, depth + 1);
        }
      }
      case Message inner -> message(inner, heading, depth + 1);
      case SingleBody ignored
          when filename != null || "attachment".equalsIgnoreCase(part.getDispositionType()) ->
          attachments.add(filename == null ? part.getMimeType() : filename);
      case SingleBody single when part.getMimeType().startsWith("text/") ->
          text(part, single, heading);
      case null, default -> {}
    }
  }

  /** Returns plain text if there is any, else the last, which is the richest (RFC 2046). */
  private static Entity preferred(Multipart alternatives) {
    List<Entity> parts = alternatives.getBodyParts();
    return parts.stream()
        .filter(it -> it.getMimeType().equalsIgnoreCase("text/plain"))
        .findFirst()
        .orElseGet(parts::getLast);
  }

  private void text(Entity part, SingleBody body, String heading)
      throws IOException, ExtractionException {
    byte[] bytes = body.getInputStream().readAllBytes();
    Field type = part.getHeader() == null ? null : part.getHeader().getField("Content-Type");
    boolean named = type != null && type.getBody().toLowerCase(Locale.ROOT).contains("charset");
    Charset declared = named ? TextDecoder.charset(part.getCharset()) : null;
    if (part.getMimeType().equalsIgnoreCase("text/html")) {
      Decoded html = TextDecoder.html(bytes, declared);
      HtmlText.add(html.text(), writer.under(heading));
    } else {
      writer.add(0, heading, TextDecoder.decode(bytes, declared).text());
    }
  }
}
