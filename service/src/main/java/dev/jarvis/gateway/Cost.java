package dev.jarvis.gateway;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * What an answer cost.
 *
 * @param comparison what the same tokens cost at the model to compare with; null where none is
 *     named
 */
public record Cost(BigDecimal usd, @Nullable BigDecimal comparison) {}
