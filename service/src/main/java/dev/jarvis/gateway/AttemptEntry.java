package dev.jarvis.gateway;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What one attempt of a call used.
 *
 * @param number within the call, from 1
 * @param worked whether a model worked, so that it may have cost something
 * @param finishReason null if the answer did not end
 * @param cost null if the model had no price at that time, or did not work
 * @param timeToFirstToken null if it is not known
 */
public record AttemptEntry(
    int number,
    TargetName target,
    Outcome outcome,
    boolean worked,
    @Nullable FinishReason finishReason,
    Usage usage,
    @Nullable Cost cost,
    Duration duration,
    @Nullable Duration timeToFirstToken) {}
