"""Runs the whole stack of compose.yaml as processes of this machine, on loopback, under supervisord.

  up [--without PART]   start everything that is not running, and wait until it is ready
  down                  stop everything
  status                each part's readiness, URL and log; exit code 1 if one is not ready
  key                   the API key of user "admin"
  logs QUERY [SINCE]    print the log lines that a LogQL query finds, in whichever log store runs; SINCE: 1h, 15m, …
  model NAME            add the small model to Ollama under a second name, such as smollm2:another
  start|stop|restart PART, pid PART

State (data, logs, secrets, rendered configuration) lives in JARVIS_STACK_HOME, by default ~/.jarvis-stack, or
/var/lib/jarvis-stack for root, because PostgreSQL then runs as the user postgres, which cannot read root's home.
"""

import argparse
import dataclasses
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import compose
import logs

ROOT = compose.STACK.parent
IS_ROOT = os.geteuid() == 0
DEFAULT_HOME = "/var/lib/jarvis-stack" if IS_ROOT else str(Path.home() / ".jarvis-stack")
HOME = Path(os.environ.get("JARVIS_STACK_HOME", DEFAULT_HOME)).resolve()
BIN = Path(sys.executable).parent
LOKI_FILE = "loki"  # in HOME: the JARVIS_LOKI that the running stack was started with
READY_LIMIT_SECONDS = 120
# http_proxy must not apply to loopback.
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))
MODEL = "smollm2:135m"
# The caller's variables that configure the scripts and compose, and are not passed to the service.
NOT_FOR_THE_SERVICE = re.compile(r"JARVIS_(CACHE|LOKI|ENVIRONMENT|PUBLISH|STACK_\w+|E2E_\w+)$")


def fail(message):
    sys.exit(f"stack: {message}")


def say(message):
    print(f"stack: {message}", flush=True)


def load_secrets():
    """The secrets of this stack, generated at its first start."""
    file = HOME / "secrets.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    missing = [name for name in compose.variable_names() if name not in known]
    if missing:
        known.update({name: secrets.token_hex(20) for name in missing})
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(known, out, indent=2)
    return known


def parts():
    given = {it: os.environ[it] for it in compose.optional_variable_names() if it in os.environ}
    timing = json.loads(os.environ.get("JARVIS_STACK_TIMING", "[]"))  # of `make e2e`: (pattern, replacement) pairs
    return [local(it) for it in compose.parts(HOME, {**given, **load_secrets()}, timing)]


def local(part):
    """Adds what a process needs beyond the description of its container."""
    if part.name == "postgres":
        data = part.folders[0]
        program = compose.postgres_program("postgres")
        options = ["-D", data, "-c", f"unix_socket_directories={data}"]
        return dataclasses.replace(
            part,
            command=[program, *options, *part.command[1:]],
            environment={},
            user="postgres" if IS_ROOT else "",
            stop_signal="INT",  # fast shutdown: disconnects the clients
        )
    if part.name == "api":
        jdk = subprocess.run([ROOT / "service/bin/find-jdk"], capture_output=True, text=True, check=True)
        jar = HOME / "service/jarvis.jar"
        given = {k: v for k, v in os.environ.items() if k.startswith(("JARVIS_", "OTEL_")) and not NOT_FOR_THE_SERVICE.match(k)}
        environment = {**part.environment, **given}
        return dataclasses.replace(
            part,
            command=[f"{jdk.stdout.strip()}/bin/java", "-XX:+ExitOnOutOfMemoryError", "-jar", str(jar)],
            environment=environment,
        )
    if part.name == "ollama":
        return dataclasses.replace(part, environment={**part.environment, "HOME": part.folders[0]})
    return part


# --- rendering


def write(path, text, mode):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
        out.write(text)


def render(all_parts):
    """Writes supervisord.conf, and for each part its files and its start script, which contains secrets."""
    for folder in ("config", "data", "logs", "run"):
        (HOME / folder).mkdir(exist_ok=True)
    sections = [
        f"""[unix_http_server]
file={HOME}/supervisor.sock
chmod=0700

[supervisord]
logfile={HOME}/logs/supervisord.log
pidfile={HOME}/supervisord.pid
childlogdir={HOME}/logs
umask=077
{"user=root" if IS_ROOT else ""}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{HOME}/supervisor.sock
"""
    ]
    for part in all_parts:
        for folder in part.folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
        for path, text in part.files.items():
            write(path, text, 0o600)
        exports = "".join(f"export {k}={shlex.quote(v)}\n" for k, v in part.environment.items())
        write(HOME / "run" / part.name, f"{exports}exec {shlex.join(part.command)}\n", 0o600 if not part.user else 0o644)
        sections.append(
            f"""[program:{part.name}]
command=/bin/sh {HOME}/run/{part.name}
directory={HOME}/data
autostart=false
startsecs=1
stopsignal={part.stop_signal}
stopwaitsecs={part.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={HOME}/logs/{part.name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
{f"user={part.user}" if part.user else ""}
"""
        )
    write(HOME / "supervisord.conf", "\n".join(sections), 0o600)


def prepare_postgres(part):
    data = Path(part.folders[0])
    if (data / "PG_VERSION").exists():
        return
    say("creating the database cluster")
    password_file = HOME / "run" / "postgres.password"
    write(password_file, load_secrets()["POSTGRES_PASSWORD"], 0o600)
    data.chmod(0o700)
    if part.user:
        shutil.chown(data, part.user)
        shutil.chown(password_file, part.user)
    command = [compose.postgres_program("initdb"), "-D", data, "-U", "jarvis", "-A", "scram-sha-256", "-E", "UTF8"]
    command += [f"--pwfile={password_file}", "--no-instructions", "--locale=C.UTF-8"]
    run_as = {"user": part.user, "group": part.user, "extra_groups": []} if part.user else {}
    result = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **run_as)
    password_file.unlink()
    if result.returncode:
        fail(f"initdb failed: {result.stderr}")


def install_service():
    """Copies the built service, so that a new build does not change the files of a running one."""
    target = ROOT / "service/target"
    shutil.rmtree(HOME / "service", ignore_errors=True)
    shutil.copytree(target / "libs", HOME / "service/libs")
    shutil.copy2(target / "jarvis.jar", HOME / "service/jarvis.jar")


def create_database():
    environment = {**os.environ, "PGPASSWORD": load_secrets()["POSTGRES_PASSWORD"], "PGCONNECT_TIMEOUT": "5"}
    psql = [compose.postgres_program("psql"), "-h", "127.0.0.1", "-U", "jarvis", "-d", "postgres", "-Atqc"]
    found = subprocess.run(
        [*psql, "SELECT 1 FROM pg_database WHERE datname = 'jarvis'"],
        env=environment, capture_output=True, text=True, check=True,
    )
    if not found.stdout.strip():
        subprocess.run([*psql, "CREATE DATABASE jarvis"], env=environment, check=True)


def renamed(weights):
    """A copy that differs in a digit of the model's name, because Ollama identifies a loaded model by the hash of its file."""
    name = b"Mix1 Ep2"
    content = weights.read_bytes()
    if name not in content:
        fail(f"{weights} does not contain the model name {name.decode()}")
    copy = HOME / "run" / "another.gguf"
    copy.write_bytes(content.replace(name, b"Mix1 Ep3", 1))
    return copy


def create_model(part, name=MODEL):
    tags = json.loads(HTTP.open("http://127.0.0.1:11434/api/tags", timeout=10).read())
    if any(it["name"] == name for it in tags["models"]):
        return
    say(f"creating the model {name} in Ollama")
    fetched = subprocess.run([ROOT / "service/bin/fetch-model"], stdout=subprocess.PIPE, text=True, check=True)
    weights = Path(fetched.stdout.strip().splitlines()[-1])
    if name != MODEL:
        weights = renamed(weights)
    file = HOME / "run" / "Modelfile"
    text = (compose.STACK / "ollama/Modelfile").read_text(encoding="utf-8")
    write(file, text.replace("./model.gguf", str(weights)), 0o644)
    environment = {**os.environ, **part.environment}
    result = subprocess.run(
        [part.command[0], "create", name, "-f", file], env=environment, capture_output=True, text=True, check=False
    )
    (HOME / "run" / "another.gguf").unlink(missing_ok=True)  # Ollama has its own copy
    if result.returncode:
        fail(f"ollama create failed: {result.stderr}")


# --- processes


def supervisorctl(*arguments, check=True):
    command = [BIN / "supervisorctl", "-c", HOME / "supervisord.conf", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and (result.returncode or "ERROR" in result.stdout):
        fail(f"{' '.join(arguments)}: {(result.stdout + result.stderr).strip()}")
    return result.stdout.strip()


def supervisor_runs():
    return (HOME / "supervisord.conf").exists() and supervisorctl("pid", check=False).isdigit()


def ready(part):
    url = part.ready
    try:
        if url.startswith("tcp://"):
            host, port = url.removeprefix("tcp://").split(":")
            socket.create_connection((host, int(port)), timeout=1).close()
        else:
            HTTP.open(url, timeout=2).close()
        return True
    except (OSError, urllib.error.URLError):
        return False


def await_ready(waiting):
    began = time.monotonic()
    waiting = list(waiting)
    while waiting:
        for part in [it for it in waiting if ready(it)]:
            waiting.remove(part)
            say(f"{part.name} is ready")
        if waiting and time.monotonic() - began > READY_LIMIT_SECONDS:
            logs = ", ".join(f"{HOME}/logs/{it.name}.log" for it in waiting)
            fail(f"not ready after {READY_LIMIT_SECONDS} s: {', '.join(it.name for it in waiting)}; see {logs}")
        time.sleep(0.3)


def check_startable(all_parts):
    for part in all_parts:
        program = part.command[0]
        if program != "sh" and not os.access(program, os.X_OK):
            fail(f"{part.name}: {program} does not exist; `make stack` builds and installs what is missing")
        if part.name == "api" and not (ROOT / "service/target/jarvis.jar").exists():
            fail("the service is not built; run `make build`")
        listens = re.findall(r"127\.0\.0\.1:(\d+)", " ".join(part.command))
        for port in {*part.ports, *part.inner_ports, *map(int, listens)}:
            try:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                fail(f"port {port} of {part.name} is in use by another process (`ss -ltnp` shows which)")


def up(without):
    os.umask(0o022)  # PostgreSQL's user must be able to enter its folder; secrets are written with mode 600
    HOME.mkdir(parents=True, exist_ok=True)
    all_parts = [it for it in parts() if it.name not in without]
    if supervisor_runs():
        running = supervisorctl("status", check=False)
        fresh = [it for it in all_parts if not re.search(rf"^{it.name}\s+RUNNING", running, re.M)]
    else:
        write(HOME / LOKI_FILE, os.environ.get("JARVIS_LOKI", ""), 0o644)
        fresh = all_parts
        check_startable(fresh)
        render(parts())
        for part in fresh:
            if part.name == "postgres":
                prepare_postgres(part)
        subprocess.run([BIN / "supervisord", "-c", HOME / "supervisord.conf"], check=True)
    by_name = {it.name: it for it in fresh}
    api = by_name.pop("api", None)
    if by_name:
        supervisorctl("start", *by_name)
        await_ready(by_name.values())
    # Even if they were running: an earlier start may have failed before this step.
    names = {it.name: it for it in all_parts}
    if "postgres" in names:
        create_database()
    if "ollama" in names:
        create_model(names["ollama"])
    if api:
        install_service()
        supervisorctl("start", "api")
        await_ready([api])
    # so that the first log query during an outage needs no network
    subprocess.run([ROOT / "stack/native/npm-packages", ROOT / "stack/native/logql"], stdout=subprocess.DEVNULL, check=False)
    print_welcome()


def print_welcome():
    store = next(it for it in parts() if it.name in ("loki", "victoria-logs"))
    name, url = {"loki": ("Loki", logs.Loki.URL), "victoria-logs": ("VictoriaLogs", logs.VictoriaLogs.URL)}[store.name]
    print(
        f"""
  JARVIS       http://127.0.0.1:8000      Prometheus   http://127.0.0.1:9090
  Jaeger API   http://127.0.0.1:16686     {name:<12} {url}
  Alertmanager http://127.0.0.1:9093

  Send a request:

    export JARVIS_API_KEY=$(stack/native/stack key)
    curl -s http://127.0.0.1:8000/v1/chat/completions -H "Authorization: Bearer $JARVIS_API_KEY" \\
      -d '{{"model": "{MODEL}", "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""
    )


def down():
    if not supervisor_runs():
        say("nothing is running")
        return
    pid = int(supervisorctl("pid"))
    # The service first, then the collector, so that each can send its remaining data.
    for name in ("api", "otel-collector"):
        supervisorctl("stop", name, check=False)
    supervisorctl("shutdown")
    for _ in range(600):
        if not Path(f"/proc/{pid}").exists():
            remove_sockets()
            say("stopped")
            return
        time.sleep(0.2)
    fail(f"supervisord (pid {pid}) did not stop within 120 s")


def remove_sockets():
    """Removes the sockets that SeaweedFS leaves in /tmp; no option changes their place."""
    command = " ".join(next(it for it in parts() if it.name == "seaweedfs").command)
    for server, port in re.findall(r"-(master|volume|filer|s3)\.port=(\d+)", command):
        Path(f"/tmp/seaweedfs-{server}-grpc-{10000 + int(port)}.sock").unlink(missing_ok=True)


def status():
    states = supervisorctl("status", check=False) if supervisor_runs() else ""
    all_ready = True
    print(f"{'part':<18} {'state':<10} {'ready':<6} {'url':<46} log")
    for part in parts():
        match = re.search(rf"^{part.name}\s+(\w+)", states, re.M)
        answers = ready(part)
        all_ready = all_ready and answers
        state = match[1].lower() if match else "stopped"
        print(f"{part.name:<18} {state:<10} {'yes' if answers else 'NO':<6} {part.ready:<46} {HOME}/logs/{part.name}.log")
    sys.exit(0 if all_ready else 1)


def print_logs(query, since, as_json):
    """Prints the oldest lines first, so that the newest are next to the prompt."""
    try:
        lines = logs.store().find(query, since)[::-1]
    except logs.QueryError as error:
        fail(error)
    if as_json:
        print(json.dumps([dataclasses.asdict(it) for it in lines]))
    else:
        for line in lines:
            print(logs.shown(line))


def use_running_loki():
    """Uses the JARVIS_LOKI with which the running stack was started, because it determines the parts."""
    if (HOME / LOKI_FILE).exists() and supervisor_runs():
        os.environ["JARVIS_LOKI"] = (HOME / LOKI_FILE).read_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up").add_argument("--without", action="append", default=[], metavar="PART")
    for name in ("down", "status", "key", "help"):
        commands.add_parser(name)
    for name in ("start", "stop", "restart", "pid"):
        commands.add_parser(name).add_argument("part")
    commands.add_parser("model").add_argument("name")
    log_lines = commands.add_parser("logs")
    log_lines.add_argument("query")
    log_lines.add_argument("since", nargs="?", default="1h")
    log_lines.add_argument("--json", action="store_true", help="an array of {time, text, fields}")
    given = parser.parse_args()
    if given.command not in ("key", "logs", "help"):
        use_running_loki()
    match given.command:
        case "up":
            up(given.without)
        case "down":
            down()
        case "status":
            status()
        case "key":
            print(load_secrets()["JARVIS_API_KEY"])
        case "model":
            create_model(next(it for it in parts() if it.name == "ollama"), given.name)
        case "logs":
            print_logs(given.query, given.since, given.json)
        case "help":
            parser.print_help()
        case command:
            if given.part not in compose.native_services():
                fail(f"no part is called '{given.part}'; the parts are {', '.join(compose.native_services())}")
            print(supervisorctl(command, given.part))


if __name__ == "__main__":
    main()
