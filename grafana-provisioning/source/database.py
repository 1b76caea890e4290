"""Database: PostgreSQL, its connection pool, Redis, and the object store."""

from panels import ENVIRONMENT, LOGS
from panels import dashboard, graph, log_lines, prom, row, timeline, to_logs, to_traces

OPERATIONS = "environment_db_system_name_db_operation_name"
LE = "environment_le_db_system_name_db_operation_name:db_client_operation_duration_seconds_bucket:rate5m"
OBJECTS = "environment_le_operation:object_store_operation_duration_seconds_bucket:rate5m"


def of(name, legend="", *more):
    return prom(f"{name}{{{', '.join([ENVIRONMENT, *more])}}}", legend)


def ratio(name, used, bound):
    return prom(f"{name}:{used}{{{ENVIRONMENT}}} / on (environment) {name}:{bound}")


postgres = row(
    "PostgreSQL",
    timeline(
        "PostgreSQL and Redis",
        "Whether they respond to their exporters. Normal: always up.",
        [of("environment:pg_up:min", "PostgreSQL"), of("environment:redis_up:min", "Redis")],
        w=24,
        h=4,
    ),
    graph(
        "Connections",
        "Connections of all clients, and the maximum that PostgreSQL accepts. Normal: the pool size of each replica, well below the limit.",
        [
            of("environment_datname:pg_stat_database_numbackends:sum", "{{datname}}"),
            of("environment:pg_settings_max_connections:max", "limit"),
        ],
        "short",
    ),
    graph(
        "Transactions",
        "Transactions per second. Normal: commits follow the requests; rollbacks are rare.",
        [
            of("environment_datname:pg_stat_database_xact_commit:rate5m", "{{datname}} committed"),
            of("environment_datname:pg_stat_database_xact_rollback:rate5m", "{{datname}} rolled back"),
        ],
        "ops",
    ),
    graph(
        "Cache hits",
        "Share of blocks found in PostgreSQL's buffer cache. Normal: above 99 % once warm.",
        [of("environment:pg_stat_database_blks_hit:ratio_rate5m", "hits")],
        "percentunit",
        max=1,
    ),
    graph(
        "Longest transaction",
        "Age of the oldest transaction by state. Normal: below a second; a transaction that stays idle holds its locks.",
        [of("environment_state:pg_stat_activity_max_tx_duration:max", "{{state}}")],
        "s",
    ),
    graph(
        "Locks",
        "Locks held or waited for, by mode. Normal: few; accessexclusivelock blocks all others.",
        [of("environment_mode:pg_locks_count:sum", "{{mode}}")],
        "short",
    ),
    graph(
        "Deadlocks",
        "Deadlocks in the last hour. Normal: 0.",
        [of("environment_datname:pg_stat_database_deadlocks:increase1h", "{{datname}}")],
        "short",
    ),
    graph(
        "Size",
        "Size of each database on disk. Normal: grows with the ledger, one partition per month.",
        [of("environment_datname:pg_database_size_bytes:max", "{{datname}}")],
        "bytes",
        w=24,
        h=6,
    ),
)

pool = row(
    "Connection pool",
    graph(
        "Pool",
        "The service's connections: in use, idle, and their limit. Normal: hardly any in use.",
        [
            of("environment_pool:hikaricp_connections_active:sum", "in use"),
            of("environment_pool:hikaricp_connections_idle:sum", "idle"),
            of("environment_pool:hikaricp_connections_max:sum", "limit"),
        ],
        "short",
    ),
    graph(
        "Waiting for a connection",
        "Threads waiting for a connection. Normal: 0; otherwise the pool is too small or the database too slow.",
        [of("environment_pool:hikaricp_connections_pending:sum", "waiting")],
        "short",
    ),
    graph(
        "Connection times",
        "Mean time to acquire a connection, and mean time of its use. Normal: well below a millisecond to acquire one.",
        [
            of("environment_pool:hikaricp_connections_acquire_seconds:mean5m", "to acquire"),
            of("environment_pool:hikaricp_connections_usage_seconds:mean5m", "in use"),
        ],
        "s",
    ),
)

queries = row(
    "Queries and commands, as seen by the service",
    graph(
        "Operations",
        "SQL statements and Redis commands per second, by their names in the code. Normal: a few per request.",
        [of(LE, "{{db_system_name}} {{db_operation_name}}", 'le="+Inf"')],
        "ops",
        data_links=[to_traces("${__field.labels.db_operation_name} ${__field.labels.db_system_name}")],
    ),
    graph(
        "p95 of operations",
        "The p95 of each operation. Normal: below 10 ms for SQL, 1 ms for Redis.",
        [
            of(
                f"{OPERATIONS}_quantile:db_client_operation_duration_seconds:histogram_quantile",
                "{{db_system_name}} {{db_operation_name}}",
                'quantile="0.95"',
            )
        ],
        "s",
        data_links=[to_traces("${__field.labels.db_operation_name} ${__field.labels.db_system_name}")],
    ),
    graph(
        "Failed operations",
        "Operations per second that failed or timed out. Normal: 0.",
        [of(f"{OPERATIONS}:db_client_operation_errors:rate5m", "{{db_system_name}} {{db_operation_name}}")],
        "ops",
        data_links=[to_logs("severity_text=~`WARN|ERROR`")],
    ),
)

redis = row(
    "Redis",
    graph(
        "Redis hits",
        "Share of look-ups that found their key. Normal: high for the answer cache; the count of active users looks up little.",
        [of("environment:redis_keyspace_hits:ratio_rate5m", "hits")],
        "percentunit",
        max=1,
    ),
    graph(
        "Redis memory",
        "Memory in use, and its limit. Normal: well below the limit; at the limit Redis rejects writes.",
        [of("environment:redis_memory_used_bytes:sum", "in use"), of("environment:redis_memory_max_bytes:sum", "limit")],
        "bytes",
    ),
    graph(
        "Redis clients",
        "Connections to Redis, and the maximum that it accepts. Normal: a few per replica.",
        [of("environment:redis_connected_clients:sum", "clients"), of("environment:redis_config_maxclients:sum", "limit")],
        "short",
    ),
    graph(
        "Redis commands",
        "Commands per second. Normal: follows the requests.",
        [of("environment:redis_commands_processed:rate5m", "commands")],
        "ops",
    ),
    graph(
        "Evicted and expired keys",
        "Keys per second removed for lack of memory (evicted) or at the end of their lifetime (expired). Normal: none evicted.",
        [of("environment:redis_evicted_keys:rate5m", "evicted"), of("environment:redis_expired_keys:rate5m", "expired")],
        "ops",
    ),
    graph(
        "Rejected connections",
        "Connections per second that Redis rejected because it had too many. Normal: 0.",
        [of("environment:redis_rejected_connections:rate5m", "rejected")],
        "ops",
    ),
)

objects = row(
    "Object store",
    graph(
        "Object-store calls",
        "Calls per second by name. Normal: only the health check's while no documents are transferred.",
        [of(OBJECTS, "{{operation}}", 'le="+Inf"')],
        "ops",
        w=12,
        data_links=[to_traces("S3 ${__field.labels.operation}")],
    ),
    graph(
        "p95 of object-store calls",
        "The p95 of each call, and failures per second. Normal: below 50 ms, no failures.",
        [
            of(
                "environment_operation_quantile:object_store_operation_duration_seconds:histogram_quantile",
                "{{operation}}",
                'quantile="0.95"',
            ),
            of("environment_operation:object_store_operation_errors:rate5m", "failures of {{operation}}"),
        ],
        "s",
        w=12,
        data_links=[to_traces("S3 ${__field.labels.operation}")],
    ),
)

logs = row(
    "Logs",
    log_lines(
        "Storage in the logs",
        "Warnings and errors of the service's storage, ledger, health checks and API keys. Normal: empty.",
        f"{LOGS} | severity_text=~`WARN|ERROR` | scope_name=~`dev.jarvis.(storage|ledger|health|identity).*`",
    ),
)

DASHBOARD = dashboard(
    "jarvis-database",
    "Database",
    "PostgreSQL, its connection pool, Redis, and the object store.",
    ["environment"],
    postgres,
    pool,
    queries,
    redis,
    objects,
    logs,
)
