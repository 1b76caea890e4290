/**
 * Rate limits of keys, users, teams and routes over all replicas; and how many requests are
 * processed at once, fairly between users.
 */
@NullMarked
package dev.jarvis.limit;

import org.jspecify.annotations.NullMarked;
