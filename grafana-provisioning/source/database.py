"""Database: PostgreSQL, the pool towards it, Redis, and the object store."""

from panels import ENVIRONMENT, LOGS, UP
from panels import dashboard, graph, log_lines, prom, row, stat, timeline, to_logs, to_traces

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
        "What their exporters say. Normal: up all along.",
        [of("environment:pg_up:min", "PostgreSQL"), of("environment:redis_up:min", "Redis")],
        w=24,
        h=4,
    ),
    graph(
        "Connections",
        "Connections of all clients, and how many PostgreSQL takes at most. Normal: the pool's size for each replica, far below the limit.",
        [
            of("environment_datname:pg_stat_database_numbackends:sum", "{{datname}}"),
            of("environment:pg_settings_max_connections:max", "limit"),
        ],
        "short",
    ),
    graph(
        "Transactions",
        "Transactions a second. Normal: commits follow the requests; rollbacks are rare.",
        [
            of("environment_datname:pg_stat_database_xact_commit:rate5m", "{{datname}} committed"),
            of("environment_datname:pg_stat_database_xact_rollback:rate5m", "{{datname}} rolled back"),
        ],
        "ops",
    ),
    graph(
        "Cache hits",
        "Share of blocks found in PostgreSQL's own memory. Normal: above 99 % once warm.",
        [of("environment:pg_stat_database_blks_hit:ratio_rate5m", "hits")],
        "percentunit",
        max=1,
    ),
    graph(
        "Longest transaction",
        "Age of the oldest transaction by its state. Normal: below a second; idle in transaction for long holds locks.",
        [of("environment_state:pg_stat_activity_max_tx_duration:max", "{{state}}")],
        "s",
    ),
    graph(
        "Locks",
        "Locks held or waited for, by mode. Normal: few; accessexclusivelock stops everybody else.",
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
        "Size of each database on its disk. Normal: grows with the rows of use, a month's partition at a time.",
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
        "The service's connections: in use, idle, and the most it may open. Normal: hardly any in use.",
        [
            of("environment_pool:hikaricp_connections_active:sum", "in use"),
            of("environment_pool:hikaricp_connections_idle:sum", "idle"),
            of("environment_pool:hikaricp_connections_max:sum", "limit"),
        ],
        "short",
    ),
    graph(
        "Waiting for a connection",
        "Threads that wait for a connection. Normal: 0; above it the pool or the database is too slow.",
        [of("environment_pool:hikaricp_connections_pending:sum", "waiting")],
        "short",
    ),
    graph(
        "Time with and for a connection",
        "Mean time to get a connection, and to use it. Normal: well below a millisecond to get one.",
        [
            of("environment_pool:hikaricp_connections_acquire_seconds:mean5m", "to get"),
            of("environment_pool:hikaricp_connections_usage_seconds:mean5m", "in use"),
        ],
        "s",
    ),
)

queries = row(
    "Queries and commands, as the service sees them",
    graph(
        "Operations a second",
        "SQL statements and Redis commands by their names in the code. Normal: a few for each request.",
        [of(LE, "{{db_system_name}} {{db_operation_name}}", 'le="+Inf"')],
        "ops",
        data_links=[to_traces("${__field.labels.db_operation_name} ${__field.labels.db_system_name}")],
    ),
    graph(
        "p95 of operations",
        "The slowest 5 % of each take longer. Normal: below 10 ms for SQL, 1 ms for Redis.",
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
        "Operations a second that failed or ran out of time. Normal: 0.",
        [of(f"{OPERATIONS}:db_client_operation_errors:rate5m", "{{db_system_name}} {{db_operation_name}}")],
        "ops",
        data_links=[to_logs("severity_text=~`WARN|ERROR`")],
    ),
)

redis = row(
    "Redis",
    graph(
        "Redis hits",
        "Share of look-ups that found their key. Normal: high for a cache; counters of users look up little.",
        [of("environment:redis_keyspace_hits:ratio_rate5m", "hits")],
        "percentunit",
        max=1,
    ),
    graph(
        "Redis memory",
        "Memory in use, and the most that Redis may take. Normal: far below the limit; at it Redis refuses writes.",
        [of("environment:redis_memory_used_bytes:sum", "in use"), of("environment:redis_memory_max_bytes:sum", "limit")],
        "bytes",
    ),
    graph(
        "Redis clients",
        "Connections to Redis, and the most it takes. Normal: a few for each replica.",
        [of("environment:redis_connected_clients:sum", "clients"), of("environment:redis_config_maxclients:sum", "limit")],
        "short",
    ),
    graph(
        "Redis commands",
        "Commands a second. Normal: follows the requests.",
        [of("environment:redis_commands_processed:rate5m", "commands")],
        "ops",
    ),
    graph(
        "Evicted and expired keys",
        "Keys a second that went for lack of room, or at the end of their time. Normal: none evicted.",
        [of("environment:redis_evicted_keys:rate5m", "evicted"), of("environment:redis_expired_keys:rate5m", "expired")],
        "ops",
    ),
    graph(
        "Refused connections",
        "Connections a second that Redis refused, for it had too many. Normal: 0.",
        [of("environment:redis_rejected_connections:rate5m", "refused")],
        "ops",
    ),
)

objects = row(
    "Object store",
    graph(
        "Object-store calls",
        "Calls a second by name. Normal: the health check's alone while no documents move.",
        [of(OBJECTS, "{{operation}}", 'le="+Inf"')],
        "ops",
        w=12,
        data_links=[to_traces("S3 ${__field.labels.operation}")],
    ),
    graph(
        "p95 of object-store calls",
        "The slowest 5 % of each take longer; and failures a second. Normal: below 50 ms, no failures.",
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
        "Warnings and errors of the service's storage, ledger and health checks. Normal: empty.",
        f"{LOGS} | severity_text=~`WARN|ERROR` | scope_name=~`dev.jarvis.(storage|ledger|health|account).*`",
    ),
)

DASHBOARD = dashboard(
    "jarvis-database",
    "Database",
    "PostgreSQL, the pool towards it, Redis, and the object store.",
    ["environment"],
    postgres,
    pool,
    queries,
    redis,
    objects,
    logs,
)
