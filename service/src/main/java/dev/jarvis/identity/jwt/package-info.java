/** Tokens of OIDC issuers: their signatures, their claims, and whom they stand for. */
@NullMarked
package dev.jarvis.identity.jwt;

import org.jspecify.annotations.NullMarked;
