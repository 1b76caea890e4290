package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.error.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class ByteBudgetTest {
  private final ByteBudget budget = new ByteBudget(1_000);

  @Test
  void oneUserGetsHalfAndAllUsersTogetherGetAll() {
    ByteBudget.Reservation ann = budget.reserve("ann", 500);
    assertThatThrownBy(() -> budget.reserve("ann", 1))
        .isInstanceOf(ApiException.Overloaded.class)
        .hasMessage(
            "Your requests in progress and their answers take 500 bytes of memory; 1 more would exceed"
                + " the maximum of 500. Try again later.");
    ByteBudget.Reservation bob = budget.reserve("bob", 400);
    assertThatThrownBy(() -> budget.reserve("carl", 101))
        .isInstanceOf(ApiException.Overloaded.class)
        .hasMessage(
            "The server is busy: all requests in progress and their answers take 900 bytes of memory;"
                + " 101 more would exceed the maximum of 1000. Try again later.");
    assertThat(budget.reserved()).isEqualTo(900);

    ann.close();
    ann.close();
    ann.resize(500); // no effect after close
    bob.close();

    assertThat(budget.reserved()).isZero();
    assertThat(budget.users()).isZero();
  }

  @Test
  void aReservationThatCannotGrowKeepsItsSize() {
    ByteBudget.Reservation ann = budget.reserve("ann", 100);
    ann.resize(300);
    assertThatThrownBy(() -> ann.resize(501)).isInstanceOf(ApiException.Overloaded.class);
    assertThat(budget.reserved()).isEqualTo(300);

    ann.resize(20);
    assertThat(budget.reserved()).isEqualTo(20);
    ann.close();
    assertThat(budget.users()).isZero();
  }

  @Test
  void concurrentReservationsAddUp() {
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int client = 0; client < 100; client++) {
        Random random = new Random(client);
        String user = "user" + client % 5;
        clients.add(CompletableFuture.runAsync(() -> reserveOften(user, random), threads));
      }
      CompletableFuture.allOf(clients.toArray(CompletableFuture[]::new)).join();
    }
    assertThat(budget.reserved()).isZero();
    assertThat(budget.users()).isZero();
  }

  private void reserveOften(String user, Random random) {
    for (int i = 0; i < 200; i++) {
      try (ByteBudget.Reservation memory = budget.reserve(user, random.nextInt(200))) {
        memory.resize(random.nextInt(400));
        assertThat(budget.reserved()).isBetween(0L, 1_000L);
      } catch (ApiException.Overloaded e) {
        assertThat(e).hasMessageEndingWith("Try again later.");
      }
    }
  }
}
