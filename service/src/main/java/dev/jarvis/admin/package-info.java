/** The API of administrators: users, teams, keys, the audit log, erasure and export. */
@NullMarked
package dev.jarvis.admin;

import org.jspecify.annotations.NullMarked;
