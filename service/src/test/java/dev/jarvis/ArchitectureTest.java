package dev.jarvis;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The package rules of the design. Each package is listed with the packages that it may use, so a
 * new package must be given its place, and there can be no cycle that is not visible here.
 */
@AnalyzeClasses(packages = "dev.jarvis", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "dev.jarvis";

  /** Needed everywhere, and without knowledge of the rest. */
  private static final List<String> FOUNDATION =
      List.of("concurrent", "config", "error", "id", "json");

  /**
   * What each package may use beside the foundation. The root package, which wires, may use all.
   */
  private static final Map<String, List<String>> MAY_USE =
      Map.ofEntries(
          Map.entry("concurrent", List.of()),
          Map.entry("config", List.of()),
          Map.entry("error", List.of()),
          Map.entry("id", List.of()),
          Map.entry("json", List.of()),
          Map.entry("telemetry", List.of()),
          Map.entry("http.connection", List.of()),
          Map.entry("http", List.of("gateway", "http.connection", "identity", "telemetry")),
          Map.entry("storage", List.of("telemetry")),
          Map.entry("storage.embedded", List.of("storage", "telemetry")),
          Map.entry("limit", List.of("gateway", "storage", "telemetry")),
          Map.entry("budget", List.of("gateway", "storage", "telemetry")),
          Map.entry("identity", List.of("gateway", "storage", "telemetry")),
          Map.entry("identity.jwt", List.of("identity")),
          Map.entry("gateway", List.of("telemetry")),
          Map.entry("gateway.cache", List.of("gateway", "storage", "telemetry")),
          Map.entry("ledger.spool", List.of()),
          Map.entry("ledger", List.of("gateway", "ledger.spool", "storage", "telemetry")),
          Map.entry("provider", List.of("gateway", "telemetry")),
          Map.entry("provider.*", List.of("gateway", "provider", "telemetry")),
          Map.entry("routing", List.of("gateway", "gateway.cache", "provider", "telemetry")),
          Map.entry(
              "dialect.*",
              List.of(
                  "gateway",
                  "http",
                  "http.connection",
                  "identity",
                  "limit",
                  "provider",
                  "routing")),
          Map.entry("document.sandbox", List.of()),
          Map.entry("document.extract", List.of("document.sandbox")),
          Map.entry("document.words", List.of()),
          Map.entry(
              "document",
              List.of(
                  "document.extract",
                  "document.words",
                  "gateway",
                  "http",
                  "http.connection",
                  "limit",
                  "storage",
                  "telemetry")),
          Map.entry(
              "document.search",
              List.of(
                  "document",
                  "document.words",
                  "gateway",
                  "http",
                  "http.connection",
                  "limit",
                  "storage",
                  "telemetry")),
          Map.entry(
              "admin",
              List.of(
                  "document",
                  "gateway",
                  "http",
                  "http.connection",
                  "identity",
                  "ledger",
                  "limit",
                  "storage",
                  "telemetry")),
          Map.entry("health", List.of("gateway", "http", "provider", "routing", "telemetry")));

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("(dev.jarvis..)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule everyPackageHasItsPlace =
      classes()
          .should()
          .resideInAnyPackage(
              Stream.concat(Stream.of(ROOT), MAY_USE.keySet().stream().map(it -> ROOT + "." + it))
                  .toArray(String[]::new));

  @ArchTest
  static void packagesUseWhatTheyMay(JavaClasses classes) {
    MAY_USE.forEach(
        (name, others) ->
            noClasses()
                .that()
                .resideInAPackage(ROOT + "." + name)
                .should()
                .dependOnClassesThat(
                    resideInAPackage(ROOT + "..")
                        .and(
                            resideOutsideOfPackages(
                                Stream.of(List.of(name), FOUNDATION, others)
                                    .flatMap(List::stream)
                                    .map(it -> ROOT + "." + it)
                                    .toArray(String[]::new))))
                .because("of its line in MAY_USE")
                .check(classes));
  }

  @ArchTest
  static final ArchRule noProviderKnowsAnother =
      slices().matching("dev.jarvis.provider.(*)").should().notDependOnEachOther();

  @ArchTest
  static final ArchRule noDialectKnowsAnother =
      slices().matching("dev.jarvis.dialect.(*)").should().notDependOnEachOther();

  /** Pipeline, providers and stores work without Helidon's server. */
  @ArchTest
  static final ArchRule onlyTheEdgesKnowHelidonsServer =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.jarvis.gateway..",
              "dev.jarvis.routing..",
              "dev.jarvis.provider..",
              "dev.jarvis.limit..",
              "dev.jarvis.budget..",
              "dev.jarvis.ledger..",
              "dev.jarvis.storage..",
              "dev.jarvis.telemetry..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.helidon.webserver..", "io.helidon.http..");

  /** Jackson's own way to begin, whose buffers each virtual thread would make anew. */
  @ArchTest
  static final ArchRule buffersOfJacksonAreShared =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.jarvis.json", "dev.jarvis.document..")
          .should()
          .callConstructor(ObjectMapper.class)
          .orShould()
          .callConstructor(JsonFactory.class)
          .orShould()
          .callMethod(JsonFactory.class, "builder")
          .orShould()
          .callMethod(JsonMapper.class, "builder");
}
