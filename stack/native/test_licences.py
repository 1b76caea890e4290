"""Tests that licences/check.py rejects what it must, and checks the repository for denied Go modules."""

import email
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from licences import check

POLICY = {
    "allowed": ["Apache-2.0", "MIT", "GPL-2.0-only WITH Classpath-exception-2.0"],
    "aliases": {"The MIT License": "MIT"},
    "exceptions": {
        "Maven": [
            {"name": "a:vague", "found": "BSD", "licence": "MIT", "reason": "its text is MIT's"},
            {"name": "a:silent", "found": "none", "licence": "MIT", "reason": "its text is MIT's"},
            {"name": "a:wishful", "found": "AGPL-3.0-only", "licence": "AGPL-3.0-only", "reason": "none"},
        ]
    },
    "denied_modules": ["github.com/minio/minio", "github.com/hashicorp/consul"],
    "models": {"good": "MIT", "bad": "CC-BY-NC-4.0"},
}
FORBIDDEN = ("AGPL-3.0-only", "AGPL-3.0-or-later", "SSPL-1.0", "BUSL-1.1", "GPL-2.0-only", "GPL-3.0", "Elastic-2.0")
GNU_NOTICE = """\
This program is free software: you can redistribute it and/or modify it under the terms of the GNU Affero General Public
License as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later
version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty
of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU Affero General Public License for more details.

You should have received a copy of the GNU Affero General Public License along with this program. If not, see
<https://www.gnu.org/licenses/>.
"""


def fault(*licences, ecosystem="Maven", name="a:b"):
    return check.Policy(POLICY).fault(ecosystem, check.Component(name, "1", licences))


class Licences(unittest.TestCase):
    def test_an_allowed_licence_passes_under_its_identifier_or_an_alias(self):
        self.assertIsNone(fault("MIT"))
        self.assertIsNone(fault("the mit license"))

    def test_forbidden_licences_are_refused(self):
        for it in FORBIDDEN:
            self.assertRegex(fault(it), "is not allowed", it)

    def test_an_unknown_or_missing_licence_is_refused(self):
        for it in ("Our own licence", "LicenseRef-Own", "SEE LICENSE IN x.txt", "unrecognised text", " "):
            self.assertRegex(fault(it), "is not a licence that this check knows", it)
        self.assertEqual(fault(), "no licence is declared")

    def test_of_a_choice_one_must_be_allowed_of_a_sum_all(self):
        self.assertIsNone(fault("AGPL-3.0-only OR MIT"))
        self.assertIsNone(fault("MIT AND (Apache-2.0 OR GPL-3.0-only)"))
        self.assertRegex(fault("AGPL-3.0-only AND MIT"), "is not allowed")
        self.assertRegex(fault("AGPL-3.0-only OR SSPL-1.0"), "is not allowed")
        self.assertRegex(fault("MIT", "AGPL-3.0-only"), "is not allowed")

    def test_gpl_passes_with_the_classpath_exception_only(self):
        self.assertIsNone(fault("GPL-2.0-only WITH Classpath-exception-2.0"))
        self.assertIsNotNone(fault("GPL-2.0-only WITH GCC-exception-2.0"))
        self.assertIsNotNone(fault("GPL-2.0-only"))

    def test_an_exception_applies_while_the_finding_is_the_same(self):
        self.assertIsNone(fault("BSD", name="a:vague"))
        self.assertIsNone(fault(name="a:silent"))
        self.assertIsNotNone(fault("AGPL-3.0-only", name="a:silent"))
        self.assertIsNotNone(fault("BSD", name="a:vague", ecosystem="npm"))

    def test_an_exception_cannot_allow_what_the_list_does_not(self):
        self.assertRegex(fault("AGPL-3.0-only", name="a:wishful"), "is not allowed")

    def test_the_policy_itself_allows_none_of_the_forbidden(self):
        policy = check.Policy.read()
        for it in FORBIDDEN:
            self.assertIsNotNone(policy.licence_fault(it), it)

    def test_every_exception_of_the_policy_is_complete_and_allowed(self):
        policy = check.Policy.read()
        for ecosystem, exceptions in policy.document["exceptions"].items():
            for it in exceptions:
                self.assertEqual(set(it), {"name", "found", "licence", "reason"}, it)
                self.assertIsNone(policy.licence_fault(it["licence"]), f"{ecosystem}: {it}")


class Ecosystems(unittest.TestCase):
    """One forbidden component among allowed ones, in the format of each ecosystem."""

    def refused(self, ecosystem, components):
        faults = check.faults_of(check.Policy(POLICY), ecosystem, components)
        self.assertEqual(len(faults), 1, faults)
        self.assertRegex(faults[0], rf"^{ecosystem}: \S*bad 1\.2: AGPL-3\.0-\S+ is not allowed; found: AGPL-3\.0")

    def test_maven_and_bundled_parts_of_python_packages(self):
        components = [
            {"group": "g", "name": "good", "version": "1", "licenses": [{"license": {"id": "MIT"}}]},
            {"group": "g", "name": "either", "version": "1", "licenses": [{"expression": "MIT OR AGPL-3.0-only"}]},
            {"group": "g", "name": "bad", "version": "1.2", "licenses": [{"license": {"name": "AGPL-3.0"}}]},
        ]
        self.refused("Maven", check.from_cyclonedx({"components": components}))

    def test_go(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "licences.json")
            good = {"name": "x.org/good", "version": "1", "licences": ["MIT"], "files": ["LICENSE"]}
            path.write_text(json.dumps([good, good | {"name": "x.org/bad", "version": "1.2", "licences": ["AGPL-3.0"]}]))
            self.refused("Go", check.from_go_modules(path))

    def test_npm(self):
        packages = {
            "": {"name": "ourselves"},
            "node_modules/good": {"version": "1", "license": "MIT"},
            "node_modules/good/node_modules/bad": {"version": "1.2", "license": "AGPL-3.0-only"},
        }
        self.refused("npm", check.from_package_lock({"packages": packages}))
        (silent,) = check.from_package_lock({"packages": {"node_modules/silent": {"version": "1"}}})
        self.assertEqual(fault(*silent.licences), "no licence is declared")

    def test_python(self):
        for metadata in (
            "License-Expression: AGPL-3.0-only\nClassifier: License :: OSI Approved :: The MIT License",
            "License: AGPL-3.0-or-later",
            "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: AGPL-3.0-only",
        ):
            licences = check.from_metadata(email.message_from_string(metadata))
            self.refused("Python", [check.Component("bad", "1.2", licences), check.Component("good", "1", ("MIT",))])

    def test_models(self):
        script = "package=good==1.0 size=1\npackages=(bad==2)\n  package=other==3\n"
        faults = check.model_faults(POLICY, script)
        self.assertEqual([it.split(": ")[1] for it in faults], ["bad", "other"])
        self.assertTrue(check.model_faults(POLICY, ""))

    def test_the_command_names_the_offender_and_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "licences.json")
            path.write_text(json.dumps([{"name": "x.org/bad", "version": "v1.2.0", "licences": ["BUSL-1.1"]}]))
            command = [sys.executable, check.HERE / "check.py", "go-modules", path]
            result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("Go: x.org/bad v1.2.0: BUSL-1.1 is not allowed", result.stderr)
        self.assertIn("allowed are 0BSD, Apache-2.0", result.stderr)


class DeniedModules(unittest.TestCase):
    def test_a_module_is_found_in_each_kind_of_file_and_major_version(self):
        for text in (
            "\tgithub.com/minio/minio v0.0.0-2026 // indirect\n",
            "github.com/minio/minio/v2 v2.0.0 h1:abc=",
            "MINIO_MODULE=github.com/minio/minio@v0.0.0",
            "RUN go install github.com/minio/minio/cmd/minio@latest",
            '  module: "github.com/hashicorp/consul"',
        ):
            self.assertEqual(len(check.denied_modules(POLICY, "file", text)), 1, text)

    def test_clients_with_modules_of_their_own_are_not_meant(self):
        for text in ("github.com/minio/minio-go/v7 v7.0.1", "github.com/hashicorp/consul/api v1.34.5"):
            self.assertEqual(check.denied_modules(POLICY, "file", text), [], text)

    def test_images_are_those_of_the_policy(self):
        policy = {"images": ["good/one", "debian"]}
        for text in ("    image: minio/minio:x\n", '- image: "grafana/tempo@sha256:1"\n', "FROM golang:1 AS build\nFROM build\n"):
            self.assertEqual(len(check.image_faults(policy, "file", text)), 1, text)
        for text in ("image: good/one:${TAG:-1}\n", "FROM --platform=x debian:12 AS a\nFROM a\n"):
            self.assertEqual(check.image_faults(policy, "file", text), [], text)

    def test_the_repository_names_none(self):
        self.assertEqual(check.denied_faults(check.Policy.read().document), [])


@unittest.skipUnless(shutil.which("go"), "Go reads the licences of Go modules, and there is none here")
class GoModules(unittest.TestCase):
    """Tests go-modules on a program with local modules."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        modules = ("agpl", "header", "inner", "odd", "silent")
        imports = "".join(f'import _ "x.org/{it}"\n' for it in (*modules, "inner/part"))
        write(cls.folder / "main/main.go", f"package main\n{imports}func main() {{}}\n")
        requires = "".join(f"require x.org/{it} v1.0.0\nreplace x.org/{it} => ../{it}\n" for it in modules)
        write(cls.folder / "main/go.mod", f"module x.org/main\ngo 1.24\n{requires}")
        for it in modules:
            write(cls.folder / it / "go.mod", f"module x.org/{it}\ngo 1.24\n")
            write(cls.folder / it / "it.go", f"package {it}\n")
        apache = (check.ROOT / "LICENSE").read_text()
        write(cls.folder / "agpl/LICENSE", GNU_NOTICE)
        write(cls.folder / "header/COPYING", apache)
        write(cls.folder / "header/it.go", "// SPDX-License-Identifier: SSPL-1.0\n\npackage header\n")
        write(cls.folder / "inner/LICENSE.md", apache)
        write(cls.folder / "inner/part/LICENSE", GNU_NOTICE)
        write(cls.folder / "inner/part/it.go", "package part\n")
        write(cls.folder / "odd/LICENSE", "You may look at this, but not touch it. All rights are reserved for ever.\n")
        path = cls.folder / "licences.json"
        command = ["go", "run", "-C", check.HERE / "go-modules", ".", cls.folder / "main", path, "."]
        environment = os.environ | {"GOFLAGS": "-mod=mod", "GOWORK": "off", "CGO_ENABLED": "0"}
        subprocess.run(command, check=True, env=environment, capture_output=True)
        cls.found = {it.name: it for it in check.from_go_modules(path)}

    def test_the_licence_nearest_to_each_package_counts(self):
        self.assertEqual(self.found["x.org/inner"].licences, ("Apache-2.0",))
        self.assertEqual(self.found["x.org/inner/part"].licences, ("AGPL-3.0-or-later",))

    def test_forbidden_unknown_and_missing_licences_are_refused(self):
        faults = check.faults_of(check.Policy(POLICY), "Go", self.found.values())
        refused = {it.split()[1]: it.rpartition("found: ")[2] for it in faults}
        self.assertEqual(
            refused,
            {
                "x.org/agpl": "AGPL-3.0-or-later",
                "x.org/header": "Apache-2.0 AND SSPL-1.0",
                "x.org/inner/part": "AGPL-3.0-or-later",
                "x.org/odd": "unrecognised text",
                "x.org/silent": "none",
            },
        )


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    unittest.main()
