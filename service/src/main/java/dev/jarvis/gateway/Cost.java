package dev.jarvis.gateway;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * What an answer cost.
 *
 * @param comparison what the same tokens would have cost at the model that {@code compare-with}
 *     names; null if it names none
 * @param priceVersion names the price that was used, and stays the same as long as its amounts do
 */
public record Cost(BigDecimal usd, @Nullable BigDecimal comparison, String priceVersion) {}
