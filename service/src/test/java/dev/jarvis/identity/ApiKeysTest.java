package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.identity.ApiKeys.HashedKey;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiKeysTest {
  @TempDir Path folder;

  @Test
  void aKeyIsGeneratedAndShownOnceAndStoredAsAHash() throws Exception {
    Path file = folder.resolve("api-key.sha256");
    List<String> shown = new ArrayList<>();

    ApiKeys first = ApiKeys.open(List.of(), file, shown::add);
    ApiKeys second = ApiKeys.open(List.of(), file, shown::add);

    assertThat(shown).hasSize(1);
    String key = shown.getFirst();
    assertThat(first.user(key)).isEqualTo("admin");
    assertThat(second.user(key)).isEqualTo("admin");
    assertThat(first.user(key + "x")).isNull();
    assertThat(Files.readString(file)).doesNotContain(key).hasSize(65);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @Test
  void configuredKeysNameTheirUsersAndNothingIsGenerated() throws Exception {
    Path file = folder.resolve("api-key.sha256");
    HashedKey alice =
        // SHA-256 of "abc", FIPS 180-2
        new HashedKey("alice", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    ApiKeys keys =
        ApiKeys.open(
            List.of(ApiKeys.admin("root-key"), alice),
            file,
            key -> {
              throw new AssertionError("a key was generated");
            });

    assertThat(keys.user("abc")).isEqualTo("alice");
    assertThat(keys.user("root-key")).isEqualTo("admin");
    assertThat(keys.user("")).isNull();
    assertThat(file).doesNotExist();
  }

  /** As an earlier version left it that was killed before it wrote to the file. */
  @Test
  void anEmptyFileHoldsNoKey() throws Exception {
    Path file = Files.createFile(folder.resolve("api-key.sha256"));
    List<String> shown = new ArrayList<>();

    ApiKeys keys = ApiKeys.open(List.of(), file, shown::add);

    assertThat(shown).hasSize(1);
    assertThat(keys.user(shown.getFirst())).isEqualTo("admin");
    assertThat(ApiKeys.open(List.of(), file, shown::add).user(shown.getFirst())).isEqualTo("admin");
    assertThat(shown).hasSize(1);
  }

  @Test
  void noKeyIsStoredBeforeItWasShown() throws Exception {
    Path file = folder.resolve("api-key.sha256");
    assertThatThrownBy(
            () ->
                ApiKeys.open(
                    List.of(),
                    file,
                    key -> {
                      assertThat(file).doesNotExist();
                      throw new IllegalStateException("killed");
                    }))
        .hasMessage("killed");
    List<String> shown = new ArrayList<>();

    ApiKeys keys = ApiKeys.open(List.of(), file, shown::add);

    assertThat(keys.user(shown.getFirst())).isEqualTo("admin");
    assertThat(folder.toFile().list()).containsExactly("api-key.sha256");
  }

  @Test
  void aFileWithOtherContentIsRefused() throws Exception {
    Path file = Files.writeString(folder.resolve("api-key.sha256"), "sk-jarvis-in-clear");

    assertThatThrownBy(() -> ApiKeys.open(List.of(), file, key -> {}))
        .hasMessageContaining(file.toString())
        .hasMessageNotContaining("sk-jarvis");
  }
}
