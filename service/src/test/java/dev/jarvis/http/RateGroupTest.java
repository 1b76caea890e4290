package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.gateway.Permission;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which limit the requests of an endpoint have, without a line at the endpoint. */
class RateGroupTest {
  static Stream<Arguments> endpoints() {
    return Stream.of(
        Arguments.of(key(), null),
        Arguments.of(key().permission(Permission.CHAT), null),
        Arguments.of(key().permission(Permission.EMBEDDINGS), null),
        Arguments.of(key().permission(Permission.FILES), RateGroup.FILES),
        Arguments.of(key().permission(Permission.SEARCH), RateGroup.SEARCH),
        Arguments.of(key().permission(Permission.ADMIN), RateGroup.ADMIN),
        Arguments.of(admin(), RateGroup.ADMIN),
        Arguments.of(admin().permission(Permission.ADMIN), RateGroup.ADMIN),
        Arguments.of(
            admin().permission(Permission.ADMIN).rateLimited(RateGroup.EXPLAIN), RateGroup.EXPLAIN),
        Arguments.of(
            admin().rateLimited(RateGroup.EXPLAIN).permission(Permission.ADMIN), RateGroup.EXPLAIN),
        Arguments.of(Endpoint.get("/x", Access.ANYBODY), null),
        Arguments.of(Endpoint.get("/x", Access.METRICS_TOKEN), null));
  }

  private static Endpoint key() {
    return Endpoint.get("/x", Access.KEY);
  }

  private static Endpoint admin() {
    return Endpoint.get("/x", Access.ADMIN);
  }

  @ParameterizedTest
  @MethodSource("endpoints")
  void followsFromAccessAndPermission(Endpoint endpoint, RateGroup group) {
    assertThat(endpoint.rateGroup()).isEqualTo(group);
    assertThat(endpoint.operation().at("/responses/429").isMissingNode()).isEqualTo(group == null);
  }

  @Test
  void everyPermissionIsDecided() {
    assertThat(Arrays.stream(Permission.values()).filter(it -> RateGroup.of(it) == null))
        .as("calls to models have limits of their own")
        .containsExactly(Permission.CHAT, Permission.EMBEDDINGS);
  }
}
