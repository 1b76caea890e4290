package dev.jarvis.provider;

import dev.jarvis.gateway.ChatRequest;
import java.time.Duration;

/**
 * How a provider is asked for a chat.
 *
 * @param request under the model's name at the provider
 * @param label the model's label in metrics: bounded, unlike its name
 * @param streamed whether the client wants the answer piece by piece
 * @param limit how long the answer may take
 */
public record ProviderRequest(
    ChatRequest request, String label, boolean streamed, Duration limit) {}
