package dev.jarvis.admin;

import java.util.Locale;

/** What an administrator may do: the label {@code action} of {@code admin_actions_total}. */
enum Action {
  USER_CREATE,
  USER_UPDATE,
  USER_BLOCK,
  USER_UNBLOCK,
  USER_DELETE,
  USER_EXPORT,
  TEAM_CREATE,
  TEAM_UPDATE,
  TEAM_BLOCK,
  TEAM_UNBLOCK,
  TEAM_DELETE,
  KEY_CREATE,
  KEY_UPDATE,
  KEY_ROTATE,
  KEY_REVOKE,
  KEY_DELETE,
  PRICE_IMPORT,
  BUDGET_CREATE,
  BUDGET_UPDATE,
  BUDGET_DELETE;

  /** The name in the audit log and the telemetry, such as {@code user.block}. */
  String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '.');
  }

  /** The kind of object that it changes. */
  String targetType() {
    return id().substring(0, id().indexOf('.'));
  }
}
