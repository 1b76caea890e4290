/** Endpoints as data, their schemas and document; the request's life; errors as HTTP. */
@NullMarked
package dev.jarvis.http;

import org.jspecify.annotations.NullMarked;
