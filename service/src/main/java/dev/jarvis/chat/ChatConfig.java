package dev.jarvis.chat;

import java.time.Duration;

/**
 * Limits of a chat.
 *
 * @param maxMessages most messages of a conversation
 * @param maxDuration how long an answer may take in all
 * @param writeTimeout how long a client may take to accept a piece of a stream
 */
public record ChatConfig(int maxMessages, Duration maxDuration, Duration writeTimeout) {}
