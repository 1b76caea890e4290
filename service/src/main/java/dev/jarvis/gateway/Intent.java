package dev.jarvis.gateway;

import java.time.Duration;
import java.time.LocalDate;
import java.util.UUID;

/**
 * What is written down of a call before a model is asked: enough to settle it by an estimate if its
 * replica dies.
 *
 * @param callId the {@link Call#id}
 * @param day decides in which period of a budget the call counts
 * @param target the dearest target that may be asked
 * @param expected what the call is expected to use there
 * @param compute how long the target is expected to work
 */
public record Intent(
    UUID callId,
    LocalDate day,
    Origin origin,
    Asked asked,
    TargetName target,
    Usage expected,
    Duration compute) {}
