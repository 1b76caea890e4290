"""Reads ../compose.yaml as a list of processes of this machine, with the same programs, commands, variables and files.

Only what must differ between a container and a process is replaced: host names and 0.0.0.0 become 127.0.0.1, paths inside
volumes become folders of the stack's home, and configuration files are copied with the same changes. Loki is a part if
the variable JARVIS_LOKI names its program; otherwise VictoriaLogs replaces it (x-native-services).
"""

import glob
import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

STACK = Path(__file__).resolve().parent.parent
VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")
PORT = re.compile(r"^(?:[\w.$:{}-]*:)?(?:\$\{\w+:-(\d+)\}|(\d+)):(\d+)$")


@dataclass(frozen=True)
class Part:
    """A process of the stack."""

    name: str
    command: list
    environment: dict
    folders: list  # data folders, created before the start
    files: dict  # configuration files to write: path -> text
    ports: list
    inner_ports: list  # on loopback natively, not published by compose
    ready: str  # http:// or tcp:// URL that answers when the part is ready
    user: str = ""
    stop_signal: str = "TERM"
    stop_seconds: int = 20


def load():
    with open(STACK / "compose.yaml", encoding="utf-8") as file:
        return yaml.safe_load(file)


def parts(home, variables, timing=()):
    """The parts in the order of compose.yaml; timing: (pattern, replacement) pairs for configuration files."""
    services = native_services()
    return [_part(name, service, services, Path(home), variables, timing) for name, service in services.items()]


def native_services():
    """name -> service, for the services that run natively. A replacement runs instead of its service, never beside it."""
    composed = load()
    services = {name: it for name, it in composed["services"].items() if "x-native" in it}
    stand_ins = {it["x-native"]["instead-of"]: (name, it) for name, it in composed["x-native-services"].items()}
    return dict(
        stand_ins[name] if name in stand_ins and not _program(it["x-native"]) else (name, it) for name, it in services.items()
    )


def variable_names():
    """The names of the required variables, without which compose refuses to start."""
    text = (STACK / "compose.yaml").read_text(encoding="utf-8")
    return sorted({m[1] for m in VARIABLE.finditer(text) if m[2] == "?"})


def optional_variable_names():
    """The names of the optional variables."""
    text = (STACK / "compose.yaml").read_text(encoding="utf-8")
    return sorted({m[1] for m in VARIABLE.finditer(text) if m[2] == "-" and not m[1].endswith("_TAG")})


def versions():
    """name -> version, from native/servers/versions.env."""
    pairs = re.findall(r"^(\w+)_VERSION=(\S+)", (STACK / "native/servers/versions.env").read_text(), re.M)
    return {name.lower().replace("_", "-"): version for name, version in pairs}


def _part(name, service, services, home, variables, timing):
    mounts = {}  # path in the container -> path here
    folders, files = [], {}
    for volume in service.get("volumes", []):
        source, target = volume.split(":")[:2]
        if source.startswith("."):
            mounts[target] = str(home / "config" / name / Path(target).name)
            files.update(_mounted((STACK / source).resolve(), Path(mounts[target])))
        else:
            mounts[target] = str(home / "data" / name)
            folders.append(mounts[target])

    addresses = {k: v for it in services.values() for k, v in it["x-native"].get("addresses", {}).items()}

    def local(text):
        text = str(text)
        for address, stand_in in addresses.items():
            text = text.replace(address, stand_in)
        text = VARIABLE.sub(lambda m: _value(m, variables), text)
        for target, here in sorted(mounts.items(), key=lambda it: -len(it[0])):
            text = re.sub(rf"(?<![\w/.-]){re.escape(target)}(?=[/\s\"',;\\]|$)", here, text)
        text = re.sub(rf"(?<![\w.-])({'|'.join(services)}):(\d+)", r"127.0.0.1:\2", text)
        return text.replace("0.0.0.0", "127.0.0.1")

    def config(file):
        text = local(file.read_text(encoding="utf-8"))
        for pattern, replacement in timing:
            text = re.sub(pattern, replacement, text)
        return text

    native = service["x-native"]
    command = service.get("command", [])
    command = [local(it) for it in (command if isinstance(command, list) else command.split())]
    if "entrypoint" in service:  # it runs the program that comes first in the command
        command = [local(it) for it in service["entrypoint"]] + _program(native) + command[1:]
    else:
        command = _program(native) + command
    return Part(
        name=name,
        command=command,
        environment={key: local(value) for key, value in service.get("environment", {}).items()},
        folders=folders,
        files={path: config(file) for path, file in files.items()},
        ports=[int(m[1] or m[2]) for m in map(PORT.match, service.get("ports", []))],
        inner_ports=native.get("ports", []),
        ready=local(native["ready"]),
        stop_seconds=int(service.get("stop_grace_period", "20s").removesuffix("s")),
    )


def _mounted(source, target):
    """path here -> source, for a mounted file or the files of a mounted folder."""
    if source.is_dir():
        return {str(target / it.name): it for it in sorted(source.iterdir())}
    return {str(target): source}


def _value(match, variables):
    if match[0] == "$$":
        return "$"
    name, kind, rest = match[1], match[2], match[3]
    if name in variables:
        return variables[name]
    if kind == "-":
        return rest
    return match[0]  # in a configuration file: its program expands it


def _program(native):
    """[path] of the program that x-native names; [] if the command contains it, or if its variable is not set."""
    if "program-variable" in native:
        return [it for it in [os.environ.get(native["program-variable"])] if it]
    return [program(native["program"])] if "program" in native else []


def program(name):
    """The path of a program of a built server ("prometheus/promtool") or of a Debian package ("/usr/bin/…")."""
    if name.startswith("/"):
        return name
    server, binary = name.split("/")
    cache = Path(os.environ.get("JARVIS_CACHE", Path.home() / ".cache/jarvis"))
    return str(cache / "servers" / f"{server}-{versions()[server]}" / binary)


def postgres_program(name):
    """A program of Debian's newest PostgreSQL; they are not on the PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else f"/usr/lib/postgresql/15/bin/{name}"
