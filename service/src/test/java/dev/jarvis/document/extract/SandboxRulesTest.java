package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files the process that reads files may read. */
class SandboxRulesTest {
  @TempDir Path folder;

  private Path file(String name) throws Exception {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, "").toRealPath();
  }

  private void link(String name, Path target) throws Exception {
    Path link = folder.resolve(name);
    Files.createDirectories(link.getParent());
    Files.createSymbolicLink(link, target);
  }

  /** As Debian does, where the JVM does not start without its configuration. */
  @Test
  void theConfigurationOfTheJdkMayBeElsewhere() throws Exception {
    Path jvm = file("etc/java-25-openjdk/jvm-amd64.cfg");
    Path net = file("etc/java-25-openjdk/net.properties");
    file("etc/java-25-openjdk/security/java.security");
    Path security = folder.resolve("etc/java-25-openjdk/security");
    Path cacerts = file("etc/ssl/certs/java/cacerts");
    file("etc/passwd");
    link("jdk/lib/jvm.cfg", jvm);
    link("jdk/lib/src.zip", folder.resolve("absent"));
    link("jdk/lib/security/cacerts", cacerts);
    link("jdk/conf/net.properties", net);
    link("jdk/conf/security", security);
    link("jvm", folder.resolve("jdk"));

    for (String java : List.of("jdk", "jvm")) {
      assertThat(SandboxRules.linked(folder.resolve(java)))
          .containsExactlyInAnyOrder(jvm, net, security, cacerts);
    }
  }

  @Test
  void onlyCodeOfTheClassPathIsPassedOn() throws Exception {
    Path jar = file("lib/a.jar");
    file("config/key");
    file("classes/dev/jarvis/Main.class");
    Path classes = folder.resolve("classes");
    String classPath =
        List.of(folder.resolve("config"), jar, classes, folder.resolve("absent.jar"), "").stream()
            .map(Object::toString)
            .reduce((a, b) -> a + File.pathSeparator + b)
            .orElseThrow();

    assertThat(ReaderClassPath.entries(classPath)).containsExactly(jar, classes);
  }
}
