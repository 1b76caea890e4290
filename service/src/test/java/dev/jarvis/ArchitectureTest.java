package dev.jarvis;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * The package rules of the design: features rest on http, telemetry and storage, and there are no
 * cycles.
 */
@AnalyzeClasses(packages = "dev.jarvis", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("dev.jarvis.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule layersLookDownwardsOnly =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("http")
          .definedBy("dev.jarvis.http")
          .layer("telemetry")
          .definedBy("dev.jarvis.telemetry")
          .layer("storage")
          .definedBy("dev.jarvis.storage")
          .layer("ledger")
          .definedBy("dev.jarvis.ledger")
          .layer("shared")
          .definedBy("dev.jarvis.gateway", "dev.jarvis.limit")
          .layer("features")
          .definedBy(
              "dev.jarvis.chat",
              "dev.jarvis.document",
              "dev.jarvis.model",
              "dev.jarvis.account",
              "dev.jarvis.health")
          .layer("start")
          .definedBy("dev.jarvis")
          .whereLayer("start")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("features")
          .mayOnlyBeAccessedByLayers("start")
          .whereLayer("shared")
          .mayOnlyBeAccessedByLayers("features", "start")
          .whereLayer("ledger")
          .mayOnlyBeAccessedByLayers("shared", "start")
          .whereLayer("storage")
          .mayOnlyBeAccessedByLayers("ledger", "shared", "features", "start")
          .whereLayer("telemetry")
          .mayOnlyBeAccessedByLayers("storage", "ledger", "shared", "features", "start");

  /** Whatever a client speaks and whoever answers: the gateway knows neither, nor HTTP's server. */
  @ArchTest
  static final ArchRule theGatewayKnowsNoDialectAndNoProvider =
      noClasses()
          .that()
          .resideInAPackage("dev.jarvis.gateway")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.jarvis.chat", "dev.jarvis.model", "dev.jarvis.document", "io.helidon..");

  @ArchTest
  static final ArchRule providersKnowNoDialectOfClients =
      noClasses()
          .that()
          .resideInAPackage("dev.jarvis.model")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.jarvis.chat", "dev.jarvis.document");

  @ArchTest
  static final ArchRule modelsKnowNoHttpServer =
      noClasses()
          .that()
          .resideInAnyPackage("dev.jarvis.model", "dev.jarvis.ledger", "dev.jarvis.storage")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.helidon.webserver..");

  /** Jackson's own way to begin, whose buffers each virtual thread would make anew. */
  @ArchTest
  static final ArchRule buffersOfJacksonAreShared =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.jarvis.json", "dev.jarvis.document")
          .should()
          .callConstructor(ObjectMapper.class)
          .orShould()
          .callConstructor(JsonFactory.class)
          .orShould()
          .callMethod(JsonFactory.class, "builder")
          .orShould()
          .callMethod(JsonMapper.class, "builder");
}
