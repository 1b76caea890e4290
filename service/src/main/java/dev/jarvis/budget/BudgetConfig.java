package dev.jarvis.budget;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import java.time.Duration;

/** How budgets are counted; the budgets themselves are made with the API of administrators. */
public record BudgetConfig(
    @Doc("The time zone in which a day and a month of a budget begin.") @Default("UTC") Zone zone,
    @Doc(
            "While Redis and PostgreSQL are both unavailable: how long calls are allowed within this replica's share of what is left of a hard budget. After that they are refused.")
        @Default("10m")
        Duration blindFor,
    @Doc("The percentage of a budget from which on it counts as near its limit.")
        @Default("80")
        @Range(min = 1, max = 100)
        int nearPercent) {}
