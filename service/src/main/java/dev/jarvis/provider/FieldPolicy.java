package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.config.Checked;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Problems;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which fields of a request must not be sent to a provider. A server of OpenAI's dialect gets
 * fields that JARVIS does not know, and on some servers such fields choose the address to which a
 * request is forwarded, the credentials, or a mock answer: LiteLLM's proxy uses {@code api_base},
 * for example.
 */
public record FieldPolicy(
    @Doc(
            "Request fields to pass to this provider although they are refused by default, as comma-separated names. A server that speaks OpenAI's dialect gets every field that a client sends, except those that choose a server, a credential or a mock answer, such as api_base, api_key, mock_response or extra_headers: a request with one of them is refused with 400.")
        Set<String> allowFields,
    @Doc("Further request fields to refuse for this provider.") Set<String> denyFields)
    implements Checked {
  /** The policy of a provider without settings. */
  public static final FieldPolicy DEFAULT = new FieldPolicy(Set.of(), Set.of());

  /** Fields that choose a server, credentials or a mock answer in LiteLLM, vLLM and SGLang. */
  private static final Set<String> NAMES =
      Set.of(
          "api_type",
          "api_version",
          "client",
          "content_policy_fallbacks",
          "context_window_fallbacks",
          "custom_llm_provider",
          "data_sources",
          "default_headers",
          "deployment",
          "deployment_id",
          "fallbacks",
          "headers",
          "hf_model_name",
          "kv_transfer_params",
          "model_info",
          "model_list",
          "models",
          "organization",
          "organization_id",
          "project",
          "project_id",
          "provider",
          "proxy_server_request",
          "region_name",
          "route",
          "specific_deployment",
          "ssl_verify",
          "tenant_id",
          "user_config");

  /** Names of the same kind, both at the top level and in {@code metadata}. */
  private static final Pattern ANYWHERE =
      Pattern.compile(
          "(mock|extra|litellm|aws|azure|vertex|gcs|s3|sagemaker|watsonx|databricks|bootstrap|langfuse|langsmith"
              + "|arize|phoenix|posthog|wandb|weave|braintrust|humanloop|helicone)_.*"
              + "|.*(api_?base|base_?url|api_?key|api_?token|access_key|private_key|secret|password|credential|endpoint"
              + "|webhook|callback).*");

  /** Names of the same kind that may mean something else in {@code metadata}. */
  private static final Pattern TOP_LEVEL =
      Pattern.compile("(?!timings_per_token$).*_(url|uri|host|port|token|headers)");

  /**
   * Fields that the gateway reads or writes. Spelled in another case, such as {@code Model}, they
   * would bypass it, because servers written in Go ignore case.
   */
  private static final Set<String> OWN =
      Set.of(
          "model",
          "messages",
          "input",
          "stream",
          "stream_options",
          "n",
          "max_tokens",
          "max_completion_tokens",
          "user",
          "tools",
          "encoding_format");

  private static final String METADATA = "metadata";
  private static final Pattern FIELD = Pattern.compile("[\\w-]{1,64}");
  private static final Set<String> REQUIRED = Set.of("model", "messages", "input");

  public FieldPolicy {
    allowFields = normalised(allowFields);
    denyFields = normalised(denyFields);
  }

  @Override
  public void check(Problems problems) {
    checkNames("allow-fields", allowFields, problems);
    checkNames("deny-fields", denyFields, problems);
    for (String field : new TreeSet<>(denyFields)) {
      if (allowFields.contains(field)) {
        problems.add(
            "deny-fields", "must not contain %s, which allow-fields contains.".formatted(field));
      }
      if (REQUIRED.contains(field)) {
        problems.add(
            "deny-fields", "must not contain %s, which every request needs.".formatted(field));
      }
    }
  }

  private static void checkNames(String key, Set<String> fields, Problems problems) {
    if (!fields.stream().allMatch(it -> FIELD.matcher(it).matches())) {
      problems.add(
          key, "must be comma-separated field names of 1 to 64 letters, digits, \"_\" or \"-\".");
    }
  }

  /** The fields of a request that must not be sent to the provider, in their order. */
  List<String> refused(ObjectNode body) {
    List<String> refused = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : body.properties()) {
      if (!field.getValue().isNull() && refuses(field.getKey(), true)) {
        refused.add(field.getKey());
      }
    }
    for (Map.Entry<String, JsonNode> field : body.path(METADATA).properties()) {
      if (!field.getValue().isNull() && refuses(field.getKey(), false)) {
        refused.add(METADATA + "." + field.getKey());
      }
    }
    return refused;
  }

  private boolean refuses(String field, boolean onTop) {
    if (onTop && isOwnInDisguise(field)) {
      return true;
    }
    String name = normalised(field);
    if (onTop && denyFields.contains(name)) {
      return true;
    }
    return !allowFields.contains(name) && isUnsafe(name, onTop);
  }

  /**
   * Whether a field is refused because it is unsafe, not because a provider does not support it.
   */
  public static boolean isUnsafe(String field) {
    if (UnsupportedFields.isInside(field)) {
      return false;
    }
    return field.startsWith(METADATA + ".")
        ? isUnsafe(normalised(field.substring(METADATA.length() + 1)), false)
        : isOwnInDisguise(field) || isUnsafe(normalised(field), true);
  }

  private static boolean isOwnInDisguise(String field) {
    String lower = field.toLowerCase(Locale.ROOT);
    return !field.equals(lower) && OWN.contains(lower);
  }

  private static boolean isUnsafe(String name, boolean onTop) {
    return ANYWHERE.matcher(name).matches()
        || (onTop && (NAMES.contains(name) || TOP_LEVEL.matcher(name).matches()));
  }

  private static Set<String> normalised(Set<String> names) {
    return names.stream().map(FieldPolicy::normalised).collect(Collectors.toUnmodifiableSet());
  }

  /** Some servers also read {@code apiBase} or {@code api-base}. */
  private static String normalised(String name) {
    return name.strip()
        .replaceAll("([a-z0-9])([A-Z])", "$1_$2")
        .replace('-', '_')
        .toLowerCase(Locale.ROOT);
  }
}
