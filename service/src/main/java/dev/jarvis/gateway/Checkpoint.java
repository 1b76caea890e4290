package dev.jarvis.gateway;

import java.time.Duration;
import java.util.UUID;

/**
 * What an attempt has used so far.
 *
 * @param attempt its number within the call, from 1
 * @param elapsed since its start
 */
public record Checkpoint(
    UUID callId, int attempt, TargetName target, Usage usage, Duration elapsed) {}
