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
          .layer("concurrent")
          .definedBy("dev.jarvis.concurrent")
          .layer("http")
          .definedBy("dev.jarvis.http")
          .layer("limit")
          .definedBy("dev.jarvis.limit")
          .layer("telemetry")
          .definedBy("dev.jarvis.telemetry")
          .layer("storage")
          .definedBy("dev.jarvis.storage")
          .layer("ledger")
          .definedBy("dev.jarvis.ledger")
          .layer("gateway")
          .definedBy("dev.jarvis.gateway")
          .layer("features")
          .definedBy(
              "dev.jarvis.chat",
              "dev.jarvis.document",
              "dev.jarvis.model",
              "dev.jarvis.limit",
              "dev.jarvis.account",
              "dev.jarvis.health")
          .layer("start")
          .definedBy("dev.jarvis")
          .whereLayer("start")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("features")
          .mayOnlyBeAccessedByLayers("start")
          .whereLayer("limit")
          .mayOnlyBeAccessedByLayers("features", "start")
          .whereLayer("storage")
          .mayOnlyBeAccessedByLayers("features", "start")
          .whereLayer("telemetry")
          .mayOnlyBeAccessedByLayers("storage", "features", "start");

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
