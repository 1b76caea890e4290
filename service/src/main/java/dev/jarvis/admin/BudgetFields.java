package dev.jarvis.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.budget.Budget;
import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.error.ApiException;
import dev.jarvis.identity.Identifier;
import dev.jarvis.identity.KeyStore;
import dev.jarvis.identity.TeamStore;
import dev.jarvis.identity.User;
import dev.jarvis.identity.UserStore;
import io.helidon.dbclient.DbExecute;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads what an administrator sets of a budget. */
final class BudgetFields {
  private static final String LIMIT = "limit_usd";
  private static final String SCOPE_ID = "scope_id";
  private static final Pattern DECIMAL = Pattern.compile("\\d{1,9}(\\.\\d{1,9})?");

  /**
   * What a number in JSON has without loss, as <a
   * href="https://www.rfc-editor.org/rfc/rfc8259#section-6">binary64</a>.
   */
  private static final int EXACT_DIGITS = 15;

  private BudgetFields() {}

  /** The limit, exactly as it was sent. */
  static BigDecimal limit(ObjectNode body) {
    JsonNode value = body.path(LIMIT);
    if (value.isNumber()) {
      return limit(number(value), value);
    }
    String text = value.asText();
    if (!DECIMAL.matcher(text).matches()) {
      throw outOfRange(value);
    }
    return limit(new BigDecimal(text), value);
  }

  private static BigDecimal number(JsonNode value) {
    if (!Double.isFinite(value.doubleValue())) {
      throw outOfRange(value);
    }
    BigDecimal number = value.decimalValue();
    if (number.stripTrailingZeros().precision() > EXACT_DIGITS) {
      throw Fields.invalid(
          "'%s' is a number of more than %d digits, which JSON does not keep exactly; send it as a string."
              .formatted(LIMIT, EXACT_DIGITS),
          LIMIT);
    }
    return number;
  }

  private static BigDecimal limit(BigDecimal limit, JsonNode sent) {
    boolean fits =
        limit.signum() > 0
            && limit.compareTo(Budget.MAX_LIMIT_USD) < 0
            && limit.stripTrailingZeros().scale() <= 9;
    if (!fits) {
      throw outOfRange(sent);
    }
    return limit;
  }

  private static ApiException outOfRange(JsonNode value) {
    String text = value.toString();
    return Fields.invalid(
        "'%s' is %s; it must be a decimal above 0 and below 9000000 with at most 9 decimals, such as \"12.50\"."
            .formatted(LIMIT, text.length() > 40 ? text.substring(0, 40) + "…" : text),
        LIMIT);
  }

  /**
   * The id of what a new budget is for; empty for all.
   *
   * @throws ApiException.InvalidRequest if there is no such team, user or key
   */
  static String scopeId(DbExecute db, Scope scope, ObjectNode body) {
    if (scope == Scope.ALL) {
      if (body.has(SCOPE_ID)) {
        throw Fields.invalid("'scope_id' must be absent if 'scope' is 'all'.", SCOPE_ID);
      }
      return "";
    }
    if (!body.has(SCOPE_ID)) {
      throw new ApiException.InvalidRequest(
          "'scope_id' is missing; it must be the id of a %s.".formatted(scope.id()),
          SCOPE_ID,
          "missing_required_parameter");
    }
    String id = body.path(SCOPE_ID).textValue();
    boolean there =
        switch (scope) {
          case ALL -> true;
          case TEAM -> Identifier.isValid(id) && TeamStore.find(id).apply(db).isPresent();
          case USER -> isUser(db, id);
          case KEY -> Listing.uuid(id).flatMap(it -> KeyStore.find(it).apply(db)).isPresent();
        };
    if (!there) {
      throw new ApiException.InvalidRequest(
          "'scope_id' is '%s'; there is no such %s.".formatted(id, scope.id()),
          SCOPE_ID,
          scope.id() + "_not_found");
    }
    return id;
  }

  private static boolean isUser(DbExecute db, String id) {
    Optional<User> user =
        Optional.of(id).filter(Identifier::isValid).flatMap(it -> UserStore.find(it).apply(db));
    if (user.isPresent() && user.get().erasing()) {
      throw new ApiException.Conflict(
          "The user '%s' is being erased.".formatted(id), SCOPE_ID, "user_erasing");
    }
    return user.isPresent();
  }
}
