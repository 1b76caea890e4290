package dev.jarvis.dialect.openai;

import java.time.Duration;

/**
 * Limits of a chat.
 *
 * @param maxMessages most messages of a conversation
 * @param maxTokens most tokens of an answer that a client may ask for
 * @param maxDuration how long an answer may take in all
 * @param sseKeepAlive after how long without an event a stream's client gets a comment; zero for
 *     never
 * @param maxConcurrent how many are answered at once
 * @param maxQueued how many more may wait
 * @param queueTimeout for how long
 * @param contentUrls which URLs may stand in messages
 */
public record ChatConfig(
    int maxMessages,
    int maxTokens,
    Duration maxDuration,
    Duration sseKeepAlive,
    int maxConcurrent,
    int maxQueued,
    Duration queueTimeout,
    ContentUrls.Mode contentUrls) {}
