package dev.jarvis.chaos;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * A user with a key, in a team of its own.
 *
 * @param limit the hard budget of the team in USD, without a period; null without a budget
 */
record Account(String user, String team, String key, @Nullable BigDecimal limit) {}
