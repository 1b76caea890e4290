package dev.jarvis.provider;

import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;

/** A configured provider: its type and its server. */
public record ProviderConfig(
    @Doc("The server's API; openai is any OpenAI-compatible server.") ProviderFactory type,
    @Inline ModelServerConfig server) {}
