package dev.jarvis;

import dev.jarvis.config.ConfigReference;
import org.junit.jupiter.api.Test;

/** The references of the configuration are the records' own words. */
class ConfigGoldenTest {
  @Test
  void applicationYaml() throws Exception {
    GoldenFile.check(
        "service/src/main/resources/application.yaml",
        ConfigReference.yaml(
            """
            Every key with its default: a reference, which the service does not read. Generated from the configuration records by make generate.
            Set your own values in a file named by JARVIS_CONFIG, or by environment: the key in capitals, "." and "-" as "_", after JARVIS_ (server.max-body-bytes: JARVIS_SERVER_MAX_BODY_BYTES). The environment takes precedence over the file. A variable with the suffix _FILE names a file that contains the value, for secrets. Durations are a number with ms, s, m or h, or ISO 8601 (PT30S). "_" stands for the name of an entry, or for each item of a list.""",
            JarvisConfig.keyList()));
  }

  @Test
  void configurationPage() throws Exception {
    GoldenFile.check(
        "docs/configuration.md",
        ConfigReference.markdown(
            """
            # Configuration

            Every key, its environment variable, its default and what is allowed. Generated from the configuration records
            by `make generate`.

            Set values in a YAML file that `JARVIS_CONFIG` names, or by environment; the environment takes precedence. An unknown
            key or variable, or an invalid value, stops the start, and all problems are reported at once. For secrets, a variable
            with the suffix `_FILE` names a file that contains the value, for example `JARVIS_DATABASE_PASSWORD_FILE`.

            ```yaml
            server:
              port: 9000
            providers:
              cloud: {type: openai, url: "https://models.example/v1"}
            ```

            ```sh
            JARVIS_CONFIG=jarvis.yaml JARVIS_PROVIDERS_CLOUD_API_KEY_FILE=/run/secrets/cloud java -jar service/target/jarvis.jar
            ```

            Durations are a number with `ms`, `s`, `m` or `h`, or ISO 8601 (`PT30S`). Entries of `providers` have names of your own (`NAME` below); items of
            lists are numbered from 0 (`N` below). Entries and items are created in the file; the environment can only override their values.
            [application.yaml](../service/src/main/resources/application.yaml) shows all keys in their nesting.
            """,
            JarvisConfig.keyList()));
  }
}
