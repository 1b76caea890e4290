package dev.jarvis.budget;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.Origin;

/** Intents as texts of bounded length, as they are kept in Redis and PostgreSQL. */
final class Intents {
  /** A request may name anything; nothing longer is a model or a person. */
  private static final int MAX_NAME = 512;

  private Intents() {}

  static String write(Intent intent) {
    Origin origin = intent.origin();
    Asked asked = intent.asked();
    String endUser = origin.endUser();
    Intent bounded =
        new Intent(
            intent.callId(),
            intent.day(),
            new Origin(
                origin.userId(),
                origin.teamId(),
                origin.keyId(),
                endUser == null ? null : cut(endUser),
                origin.parentId(),
                cut(origin.requestId()),
                origin.traceId()),
            new Asked(asked.operation(), cut(asked.model()), asked.streamed()),
            intent.target(),
            intent.expected(),
            intent.compute());
    return new String(LedgerJson.write(bounded), UTF_8);
  }

  private static String cut(String name) {
    return name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME);
  }
}
