package dev.jarvis.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Document;
import dev.jarvis.document.FileObject;
import dev.jarvis.document.FileStore;
import dev.jarvis.identity.AuditLog;
import dev.jarvis.identity.KeyStore;
import dev.jarvis.identity.StoredKey;
import dev.jarvis.identity.User;
import dev.jarvis.json.Json;
import dev.jarvis.ledger.UserEntries;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.storage.Page;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/** Writes everything about a user to a ZIP archive, a page of rows in memory at a time. */
final class Export {
  private static final int PAGE = 200;
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int MAX_NAME = 150;
  private static final int MAX_ERRORS = 1_000;

  private final Database database;
  private final FileStore files;
  private final ObjectStore objects;

  Export(Database database, FileStore files, ObjectStore objects) {
    this.database = database;
    this.files = files;
    this.objects = objects;
  }

  /** Objects that cannot be read; bounded, for the store may be away. */
  private static final class Errors {
    private final ObjectNode json = Json.object();
    private final ArrayNode listed = json.putArray("errors");
    private int omitted;

    void add(Document file, String problem) {
      if (listed.size() < MAX_ERRORS) {
        listed.addObject().put("file_id", file.fileId()).put("error", problem);
      } else {
        omitted++;
      }
    }
  }

  /**
   * Writes the archive. The output is closed only if it is complete.
   *
   * @throws IOException if the output cannot be written
   * @throws io.helidon.dbclient.DbClientException if the database fails
   */
  void write(User user, OutputStream out) throws IOException {
    ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8);
    begin(zip, "user.json");
    zip.write(Json.bytes(AdminObject.user(user)));
    begin(zip, "keys.json");
    this.<StoredKey>array(zip, after -> keys(user.id(), after), AdminObject::key);
    begin(zip, "files.json");
    this.<Document>array(zip, after -> files(user.id(), after), FileObject::json);
    begin(zip, "requests.ndjson");
    this.<UserEntries.Entry>pages(
        after -> database.execute(UserEntries.list(user.id(), after, PAGE)),
        it -> line(zip, it.json().getBytes(StandardCharsets.UTF_8)));
    begin(zip, "audit.ndjson");
    this.<AuditLog.Entry>pages(
        after ->
            database.execute(AuditLog.ofUser(user.id(), after == null ? null : after.id(), PAGE)),
        it -> line(zip, Json.bytes(AdminObject.action(it))));
    Errors errors = new Errors();
    this.<Document>pages(after -> files(user.id(), after), it -> copy(zip, it, errors));
    if (!errors.listed.isEmpty()) {
      begin(zip, "errors.json");
      zip.write(Json.bytes(errors.json.put("omitted", errors.omitted)));
    }
    zip.close();
  }

  private List<StoredKey> keys(String userId, @Nullable StoredKey after) {
    String last = after == null ? null : after.id().toString();
    return database.execute(
        KeyStore.list(new KeyStore.Filter(userId, null), new Page(last, true, PAGE)));
  }

  private List<Document> files(String userId, @Nullable Document after) {
    UUID last = after == null ? null : after.id();
    return files.list(userId, last, null, false, PAGE);
  }

  /** What is done with a row. */
  private interface Sink<T> {
    void accept(T row) throws IOException;
  }

  private <T> void pages(Function<@Nullable T, List<T>> page, Sink<T> sink) throws IOException {
    @Nullable T last = null;
    for (List<T> rows = page.apply(last); !rows.isEmpty(); rows = page.apply(last)) {
      for (T row : rows) {
        sink.accept(row);
      }
      last = rows.getLast();
      if (rows.size() < PAGE) {
        return;
      }
    }
  }

  private <T> void array(
      ZipOutputStream zip, Function<@Nullable T, List<T>> page, Function<T, JsonNode> json)
      throws IOException {
    zip.write('[');
    boolean[] first = {true};
    this.<T>pages(
        page,
        it -> {
          zip.write(first[0] ? '\n' : ',');
          first[0] = false;
          line(zip, Json.bytes(json.apply(it)));
        });
    zip.write(']');
  }

  private static void begin(ZipOutputStream zip, String name) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
  }

  private static void line(ZipOutputStream zip, byte[] json) throws IOException {
    zip.write(json);
    zip.write('\n');
  }

  private void copy(ZipOutputStream zip, Document file, Errors errors) throws IOException {
    InputStream opened;
    try {
      opened = objects.get(file.objectKey());
    } catch (IOException e) {
      errors.add(file, "could not be read from the object store");
      return;
    }
    try {
      begin(zip, "files/%s-%s".formatted(file.fileId(), safe(file.file().name())));
      byte[] buffer = new byte[BUFFER_BYTES];
      long bytes = 0;
      for (int read = read(opened, buffer); read >= 0; read = read(opened, buffer)) {
        zip.write(buffer, 0, read);
        bytes += read;
      }
      if (bytes < file.file().bytes()) {
        errors.add(
            file,
            "only the first %d of %d bytes could be read".formatted(bytes, file.file().bytes()));
      }
    } finally {
      close(opened);
    }
  }

  private static void close(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      // what could be read is written
    }
  }

  /** Returns -1 where the object cannot be read further, as at its end. */
  private static int read(InputStream in, byte[] buffer) {
    try {
      return in.read(buffer);
    } catch (IOException e) {
      return -1;
    }
  }

  /** A name that no archive program unpacks elsewhere. */
  private static String safe(String filename) {
    String name = filename.replaceAll("[\\p{Cntrl}/\\\\:*?\"<>|]", "_");
    return name.codePointCount(0, name.length()) <= MAX_NAME
        ? name
        : name.substring(name.offsetByCodePoints(name.length(), -MAX_NAME)); // with its extension
  }
}
