package dev.jarvis.http;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import java.time.Duration;
import java.util.List;

/** Which web pages may use the API from a browser. */
public record CorsConfig(
    @Doc(
            "Origins of web pages whose scripts may use the API (CORS), comma-separated: https://app.example,http://localhost:3000, or * for all pages. Empty: browsers let no page read a response. Cookies are never used: a page needs an API key.")
        List<Origin> allowedOrigins,
    @Doc("How long a browser may remember what a page may send.") @Default("1h") Duration maxAge) {}
