package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.apache.james.mime4j.codec.DecodeMonitor;
import org.apache.james.mime4j.codec.DecoderUtil;
import org.apache.james.mime4j.dom.BinaryBody;
import org.apache.james.mime4j.dom.Body;
import org.apache.james.mime4j.dom.Entity;
import org.apache.james.mime4j.dom.Message;
import org.apache.james.mime4j.dom.Multipart;
import org.apache.james.mime4j.dom.SingleBody;
import org.apache.james.mime4j.message.BasicBodyFactory;
import org.apache.james.mime4j.message.DefaultMessageBuilder;
import org.apache.james.mime4j.stream.Field;
import org.apache.james.mime4j.stream.MimeConfig;
import org.apache.james.mime4j.util.ByteSequence;
import org.jsoup.Jsoup;
import org.jspecify.annotations.Nullable;

/**
 * Extracts the text of an e-mail, with Apache Mime4j: its subject, correspondents and date, its
 * text, and the messages that it forwards. Attachments are only named.
 */
final class EmlText {
  private static final List<String> SHOWN = List.of("Subject", "From", "To", "Cc", "Date");
  private static final int MAX_DEPTH = 20;
  private static final MimeConfig LIMITS =
      new MimeConfig.Builder()
          .setMaxLineLen(1 << 20)
          .setMaxHeaderCount(10_000)
          .setMaxHeaderLen(1 << 20)
          .build();

  private final TextLayout layout;
  private final SectionWriter writer;
  private final List<String> subjects = new ArrayList<>();
  private final boolean unicode; // whether the mail was saved as a text
  private int depth;

  private EmlText(TextLayout layout, SectionWriter writer, boolean unicode) {
    this.layout = layout;
    this.writer = writer;
    this.unicode = unicode;
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    TextLayout layout = new TextLayout(writer);
    Decoded unicode = UnicodeMail.decode(file);
    if (unicode != null) {
      writer.encoding(unicode.encoding());
    }
    try (InputStream in =
        unicode == null
            ? new BufferedInputStream(Files.newInputStream(file))
            : new ByteArrayInputStream(unicode.text().getBytes(StandardCharsets.UTF_8))) {
      new EmlText(layout, writer, unicode != null).message(parsed(in));
    }
    layout.end();
  }

  /**
   * Adds the page of a web archive (MHTML), which has the form of a mail.
   *
   * @return false if it has none
   */
  static boolean readPage(InputStream in, TextLayout layout)
      throws IOException, ExtractionException {
    Deque<Entity> entities = new ArrayDeque<>(List.of(parsed(in)));
    while (!entities.isEmpty()) {
      Entity entity = entities.pop();
      if (entity.getBody() instanceof Multipart parts) {
        parts.getBodyParts().reversed().forEach(entities::push);
      } else if (entity.getBody() instanceof SingleBody body
          && entity.getMimeType().equals("text/html")) {
        new HtmlText(layout)
            .read(Jsoup.parse(decoded(entity, body, charset(entity)).text()), false);
        return true;
      }
    }
    return false;
  }

  private static Message parsed(InputStream in) throws IOException {
    DefaultMessageBuilder builder = new DefaultMessageBuilder();
    builder.setMimeEntityConfig(LIMITS);
    builder.setDecodeMonitor(DecodeMonitor.SILENT);
    builder.setBodyFactory(new TextsOnly());
    return builder.parseMessage(in);
  }

  /** Keeps no attachments, which may be large. */
  private static final class TextsOnly extends BasicBodyFactory {
    TextsOnly() {
      super(true);
    }

    @Override
    public BinaryBody binaryBody(InputStream in) throws IOException {
      in.transferTo(OutputStream.nullOutputStream());
      return binaryBody(new byte[0]);
    }
  }

  private void message(Message message) throws IOException, ExtractionException {
    String subject = TextLayout.oneLine(value(message, "Subject"));
    subjects.add(subject.isEmpty() ? "E-mail" : subject);
    layout.section(subjects);
    for (String name : SHOWN) {
      String value = TextLayout.oneLine(value(message, name));
      if (!value.isEmpty()) {
        layout.verbatim(name + ": " + value);
        layout.line();
      }
    }
    layout.paragraph();
    entity(message);
    subjects.removeLast();
    if (!subjects.isEmpty()) {
      layout.section(subjects);
    }
  }

  private static String value(Message message, String name) {
    Field field = message.getHeader().getField(name);
    return field == null ? "" : DecoderUtil.decodeEncodedWords(body(field), DecodeMonitor.SILENT);
  }

  /** Returns what follows the name, in which UTF-8 may stand as it is (RFC 6532). */
  private static String body(Field field) {
    ByteSequence raw = field.getRaw();
    if (raw == null) {
      return field.getBody();
    }
    byte[] bytes = raw.toByteArray();
    String line =
        Objects.requireNonNullElseGet(
            TextDecoder.strict(bytes, StandardCharsets.UTF_8),
            () -> new String(bytes, StandardCharsets.ISO_8859_1));
    return line.substring(line.indexOf(':') + 1).replaceAll("\\R", "");
  }

  private void entity(Entity entity) throws IOException, ExtractionException {
    if (++depth > MAX_DEPTH) {
      throw new ExtractionException(
          "broken_file",
          "The parts of the e-mail are nested too deep; the maximum is %d levels."
              .formatted(MAX_DEPTH));
    }
    Body body = entity.getBody();
    if (isEncrypted(entity)) {
      throw new ExtractionException(
          "encrypted", "The e-mail is encrypted; upload a decrypted copy.");
    } else if (body instanceof Multipart parts) {
      parts(entity, parts);
    } else if (isAttachment(entity)) {
      layout.verbatim("Attachment: " + attachment(entity));
      layout.line();
    } else if (body instanceof Message forwarded) {
      message(forwarded);
    } else if (body instanceof SingleBody single && entity.getMimeType().startsWith("text/")) {
      text(entity, single);
    }
    depth--;
  }

  private static boolean isEncrypted(Entity entity) {
    String type = entity.getMimeType();
    return type.equals("multipart/encrypted")
        || (type.matches("application/(x-)?pkcs7-mime") && !isAttachment(entity));
  }

  /** Whether a reader sees only its name. */
  private static boolean isAttachment(Entity entity) {
    boolean shown = entity.getMimeType().startsWith("text/") || entity.getBody() instanceof Message;
    return "attachment".equals(entity.getDispositionType())
        || (entity.getFilename() != null && !shown);
  }

  private static String attachment(Entity entity) {
    return Optional.ofNullable(entity.getFilename())
        .map(name -> DecoderUtil.decodeEncodedWords(name, DecodeMonitor.SILENT))
        .orElse(entity.getMimeType());
  }

  private void parts(Entity entity, Multipart multipart) throws IOException, ExtractionException {
    List<Entity> parts = multipart.getBodyParts();
    if (entity.getMimeType().equals("multipart/alternative")) {
      parts = best(parts);
    }
    for (Entity part : parts) {
      layout.paragraph();
      entity(part);
    }
  }

  /** Of the forms of one text, the plain one if it says anything, or else the last, the richest. */
  private List<Entity> best(List<Entity> forms) throws IOException, ExtractionException {
    for (Entity form : forms) {
      if (form.getMimeType().equals("text/plain")
          && form.getBody() instanceof SingleBody body
          && decoded(form, body, declared(form))
              .text()
              .codePoints()
              .anyMatch(Character::isLetterOrDigit)) {
        return List.of(form);
      }
    }
    List<Entity> readable = new ArrayList<>(forms);
    readable.removeIf(it -> !it.isMultipart() && !it.getMimeType().equals("text/html"));
    return readable.isEmpty() ? List.of() : List.of(readable.getLast());
  }

  private void text(Entity entity, SingleBody body) throws IOException, ExtractionException {
    Decoded text = decoded(entity, body, declared(entity));
    if (writer.encoding() == null || !text.encoding().certain()) {
      writer.encoding(text.encoding());
    }
    if (entity.getMimeType().equals("text/html")) {
      new HtmlText(layout).read(Jsoup.parse(text.text()), false);
    } else {
      layout.verbatim(text.text());
    }
    layout.paragraph();
  }

  private static Decoded decoded(Entity entity, SingleBody body, @Nullable Charset declared)
      throws IOException, ExtractionException {
    byte[] bytes;
    try (InputStream in = body.getInputStream()) {
      bytes = in.readAllBytes();
    }
    return entity.getMimeType().equals("text/html")
        ? TextDecoder.html(bytes, declared)
        : TextDecoder.decode(bytes, declared);
  }

  /** Returns the encoding of a part: what was saved as a text has that of the text. */
  private @Nullable Charset declared(Entity entity) {
    boolean encoded = entity.getContentTransferEncoding().matches("(?i)base64|quoted-printable");
    return unicode && !encoded ? StandardCharsets.UTF_8 : charset(entity);
  }

  /** Returns null if none is declared: Mime4j takes US-ASCII then. */
  private static @Nullable Charset charset(Entity entity) {
    Field type = entity.getHeader().getField("Content-Type");
    return type != null && type.getBody().toLowerCase(Locale.ROOT).contains("charset")
        ? TextDecoder.charset(entity.getCharset())
        : null;
  }
}
