package dev.jarvis.chaos;

import dev.jarvis.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A clock that differs, for a whole process: a library that adds to the system's time. */
final class SkewedClock {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <sys/time.h>
      #include <time.h>

      int clock_gettime(clockid_t clock, struct timespec *time) {
        static int (*real)(clockid_t, struct timespec *);
        if (!real) {
          real = dlsym(RTLD_NEXT, "clock_gettime");
        }
        int result = real(clock, time);
        if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
          time->tv_sec += 3600;
        }
        return result;
      }

      int gettimeofday(struct timeval *restrict time, void *restrict zone) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        time->tv_sec = now.tv_sec;
        time->tv_usec = now.tv_nsec / 1000;
        return 0;
      }

      time_t time(time_t *out) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (out) {
          *out = now.tv_sec;
        }
        return now.tv_sec;
      }
      """;

  private SkewedClock() {}

  /** The environment of a process whose clock is an hour ahead. */
  static Map<String, String> ahead(Path folder) throws IOException, InterruptedException {
    Path library = folder.resolve("skewed-clock.so");
    if (!Files.exists(library)) {
      Path source = Files.writeString(folder.resolve("skewed-clock.c"), SOURCE);
      Programs.run(
          List.of("cc", "-shared", "-fPIC", "-o", library.toString(), source.toString(), "-ldl"));
    }
    return Map.of("LD_PRELOAD", library.toString());
  }
}
