package dev.jarvis.provider;

import dev.jarvis.gateway.ChatRequest;
import java.time.Duration;

/**
 * A request to a provider to answer a chat.
 *
 * @param chat with the model's name at the provider
 * @param label the model's label in metrics: bounded, unlike its name
 * @param streamed whether the client wants the answer piece by piece
 * @param uncut whether the server should rather refuse the prompt than cut it
 * @param limit how long the answer may take
 */
public record ProviderRequest(
    ChatRequest chat, String label, boolean streamed, boolean uncut, Duration limit) {}
