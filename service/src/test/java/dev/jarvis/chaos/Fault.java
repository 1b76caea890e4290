package dev.jarvis.chaos;

import java.io.IOException;
import java.util.List;

/** What a test breaks, and how it is mended. The first replica holds the calls of the test. */
@SuppressWarnings("ImmutableEnumChecker") // its actions have no state
enum Fault {
  /** Only clients leave. */
  NOTHING(Effect.NONE),

  /** The first replica is killed, and starts again. */
  KILLED(Effect.ENDS, it -> it.first().process().close(), Fault::restart),

  /** The first replica is killed, and stays away until the other one has settled its calls. */
  KILLED_FOR_LONG(
      Effect.ENDS_FOR_LONG, it -> {}, it -> it.first().process().close(), it -> {}, Fault::restart),

  /** The first replica is killed, and its spool is gone. */
  SPOOL_LOST(
      Effect.LOSES_SPOOL,
      it -> {
        it.first().process().close();
        Spool.of(it.first()).delete();
      },
      Fault::restart),

  BOTH_KILLED(
      Effect.ENDS,
      it -> {
        it.first().process().close();
        it.second().process().close();
      },
      it -> {
        it.second().start();
        restart(it);
      }),

  /** The first replica gets SIGTERM. */
  TERMINATED(
      Effect.ENDS,
      it -> {
        it.gate().open(); // it waits for requests in progress
        it.first().process().end("TERM");
      },
      Fault::restart),

  /** The last record of a killed replica is not complete. */
  SPOOL_TORN(
      Effect.LOSES_SPOOL,
      it -> {
        it.first().process().close();
        Spool.of(it.first()).tear();
      },
      Fault::restart),

  /** A record of a killed replica has another content. */
  SPOOL_DAMAGED(
      Effect.LOSES_SPOOL,
      it -> {
        it.first().process().close();
        Spool.of(it.first()).damage();
      },
      Fault::restart),

  /** The spool's file system is full. */
  SPOOL_FULL(
      Effect.ENDS,
      it -> {
        it.first().process().end("TERM");
        Spool.of(it.first()).startOnSmallFileSystem();
        it.awaitReplicas();
      },
      it -> Spool.of(it.first()).fill(),
      it -> Spool.of(it.first()).empty(),
      it -> {
        it.first().process().end("TERM");
        restart(it);
      }),

  DATABASE_FROZEN(
      Effect.NONE,
      it -> it.postgres().primary().process().signal("STOP"),
      it -> it.postgres().primary().process().signal("CONT")),

  DATABASE_STOPPED(
      Effect.NONE, it -> it.postgres().primary().stop(), it -> it.postgres().primary().start()),

  /** The database loses what it had not written down. */
  DATABASE_CRASHED(
      Effect.NONE, it -> it.postgres().primary().crash(), it -> it.postgres().primary().start()),

  DATABASE_READ_ONLY(Effect.NONE, it -> it.readOnly(true), it -> it.readOnly(false)),

  /** A standby that lags takes over. */
  DATABASE_FAILED_OVER(
      Effect.NONE,
      it -> {
        it.postgres().addStandby();
        it.postgres().lag();
      },
      it -> it.postgres().failOver(),
      it -> {},
      it -> {}),

  /** The database freezes, and then the replica is killed: the ledger is in the spool only. */
  DATABASE_FROZEN_AND_KILLED(
      Effect.ENDS,
      it -> it.postgres().primary().process().signal("STOP"),
      it -> {
        it.first().process().close();
        it.postgres().primary().process().signal("CONT");
        restart(it);
      }),

  REDIS_FROZEN(
      Effect.NONE,
      it -> it.redis().process().signal("STOP"),
      it -> it.redis().process().signal("CONT")),

  REDIS_FLUSHED(Effect.NONE, it -> it.redis().flush(), it -> {}),

  REDIS_RESTARTED(Effect.NONE, it -> it.redis().restart(), it -> {}),

  REDIS_STOPPED(Effect.NONE, it -> it.redis().process().end("KILL"), it -> it.redis().start()),

  /** Redis refuses what needs memory. */
  REDIS_FULL(Effect.NONE, it -> it.redis().fill(), it -> it.redis().empty()),

  /** Redis freezes, and then the replica is killed. */
  REDIS_FROZEN_AND_KILLED(
      Effect.ENDS,
      it -> it.redis().process().signal("STOP"),
      it -> {
        it.first().process().close();
        it.redis().process().signal("CONT");
        restart(it);
      }),

  BOTH_STORES_FROZEN(
      Effect.NONE,
      it -> {
        it.redis().process().signal("STOP");
        it.postgres().primary().process().signal("STOP");
      },
      it -> {
        it.redis().process().signal("CONT");
        it.postgres().primary().process().signal("CONT");
      }),

  /** The second replica's clock is an hour ahead, and the first one is killed. */
  CLOCKS_DIFFER(
      Effect.ENDS,
      it -> {
        it.second().process().end("TERM");
        it.second().start(List.of(), SkewedClock.ahead(it.folder()));
        it.awaitReplicas();
      },
      it -> it.first().process().close(),
      Fault::restart,
      it -> {
        it.second().process().end("TERM");
        it.second().start();
        it.awaitReplicas();
      });

  /** What a fault may cost. */
  enum Effect {
    /** Both replicas live. */
    NONE,
    /** A replica ends; its spool is kept. */
    ENDS,
    /** A replica ends; what only its spool holds comes to the ledger when it starts again. */
    ENDS_FOR_LONG,
    /** A replica ends, and exact counts may be lost with its spool. */
    LOSES_SPOOL
  }

  /** A change of the cluster. */
  private interface Action {
    void on(Cluster cluster) throws IOException, InterruptedException;
  }

  private final Effect effect;
  private final Action preparation;
  private final Action stroke;
  private final Action remedy;
  private final Action restoration;

  Fault(Effect effect) {
    this(effect, it -> {}, it -> {});
  }

  Fault(Effect effect, Action stroke, Action remedy) {
    this(effect, it -> {}, stroke, remedy, it -> {});
  }

  Fault(Effect effect, Action preparation, Action stroke, Action remedy, Action restoration) {
    this.effect = effect;
    this.preparation = preparation;
    this.stroke = stroke;
    this.remedy = remedy;
    this.restoration = restoration;
  }

  Effect effect() {
    return effect;
  }

  /** Before the calls of the test are sent. */
  void prepare(Cluster cluster) throws IOException, InterruptedException {
    preparation.on(cluster);
  }

  /** While the calls of the test are held. */
  void strike(Cluster cluster) throws IOException, InterruptedException {
    stroke.on(cluster);
  }

  void heal(Cluster cluster) throws IOException, InterruptedException {
    remedy.on(cluster);
  }

  /** After everything was settled: as it was before the test. */
  void restore(Cluster cluster) throws IOException, InterruptedException {
    restoration.on(cluster);
  }

  private static void restart(Cluster cluster) throws IOException {
    cluster.first().start();
    cluster.awaitReplicas();
  }
}
