"""Checks that compose.yaml, the native stack and the configuration files agree."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import compose
import stack
import yaml

STACK = compose.STACK
ROOT = STACK.parent
SECRETS = {name: "x" * 20 for name in compose.variable_names()}


def rendered(home="/stack-home"):
    return {it.name: it for it in compose.parts(home, SECRETS)}


class Compose(unittest.TestCase):
    services = compose.load()["services"]

    def test_the_specified_services(self):
        grafana, loki = self.services["grafana"], self.services["loki"]
        self.assertEqual(grafana["container_name"], "jarvis-grafana")
        self.assertEqual(grafana["restart"], "unless-stopped")
        self.assertRegex(grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD"], r"^\$\{GRAFANA_PASSWORD:\?")
        self.assertEqual(grafana["environment"]["GF_INSTALL_PLUGINS"], "grafana-clock-panel")
        self.assertIn("grafana_data:/var/lib/grafana", grafana["volumes"])
        self.assertTrue(any(it.endswith(":/etc/grafana/provisioning") for it in grafana["volumes"]))
        self.assertEqual(loki["container_name"], "jarvis-loki")
        self.assertEqual(loki["command"], "-config.file=/etc/loki/local-config.yaml")
        self.assertIn("loki_data:/loki", loki["volumes"])
        self.assertTrue(grafana["ports"][0].endswith("3000:3000") and loki["ports"][0].endswith("3100:3100"))

    def test_every_image_has_a_pinned_tag_that_can_be_overridden(self):
        for name, service in self.services.items():
            if name != "api":  # ours
                self.assertRegex(service["image"], r":v?\$\{\w+_TAG:-[\w.-]+\}$", name)
                self.assertNotIn("latest", service["image"])

    def test_images_have_the_versions_that_run_natively(self):
        for name, version in compose.versions().items():
            if name not in compose.load()["x-native-services"]:
                image = self.services[name]["image"]
                self.assertTrue(image.endswith(f":-{version}}}"), f"{name}: {image}")
        for package, service in (
            ("postgresql-15", "postgres"),
            ("redis-server", "redis"),
            ("prometheus-postgres-exporter", "postgres-exporter"),
            ("prometheus-redis-exporter", "redis-exporter"),
        ):
            tag = re.search(r":-([\w.]+)\}", self.services[service]["image"])[1]
            policy = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True)
            if policy.returncode == 0:
                installed = re.sub(r"^\d+:", "", policy.stdout)
                # Debian's security updates move the last number of PostgreSQL's versions
                expected = tag.split(".")[0] + "." if service == "postgres" else tag
                self.assertTrue(installed.startswith(expected), f"{package} {installed}, image {tag}")

    def test_only_the_api_is_published_beyond_loopback(self):
        for name, service in self.services.items():
            for port in service.get("ports", []):
                self.assertEqual(port.startswith("127.0.0.1:"), name != "api", f"{name} {port}")

    def test_every_volume_is_named_and_used(self):
        used = {v.split(":")[0] for s in self.services.values() for v in s.get("volumes", []) if not v.startswith(".")}
        self.assertEqual(used, set(compose.load()["volumes"]))

    def test_secrets_have_no_default_and_the_example_lists_them(self):
        example = (STACK / ".env.example").read_text()
        self.assertEqual(re.findall(r"^(\w+)=(.*)$", example, re.M), [(it, "") for it in self.in_example_order(example)])
        self.assertEqual(set(self.in_example_order(example)), set(compose.variable_names()))
        self.assertEqual(set(re.findall(r"^#(\w+)=", example, re.M)), set(compose.optional_variable_names()))

    @staticmethod
    def in_example_order(example):
        return re.findall(r"^(\w+)=", example, re.M)

    @unittest.skipUnless(shutil.which("docker-compose"), "needs docker-compose")
    def test_the_file_is_valid_and_a_missing_secret_is_named(self):
        # Debian's docker-compose 1.29 is the only one available without an engine.
        command = ["docker-compose", "-f", str(STACK / "compose.yaml"), "config", "--quiet"]
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
        whole = subprocess.run(command, env={**environment, **SECRETS}, capture_output=True, text=True)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        for name in SECRETS:
            lacking = {**environment, **{k: v for k, v in SECRETS.items() if k != name}}
            result = subprocess.run(command, env=lacking, capture_output=True, text=True)
            self.assertNotEqual(result.returncode, 0, name)
            self.assertIn(name, result.stderr)


class Native(unittest.TestCase):
    def test_everything_listens_on_loopback(self):
        for name, part in rendered().items():
            text = " ".join([*part.command, *part.environment.values(), *part.files.values()])
            self.assertNotIn("0.0.0.0", text, name)

    def test_loki_runs_if_a_program_is_named_and_victoria_logs_otherwise(self):
        for loki, there, address in (
            (None, "victoria-logs", "http://127.0.0.1:9428/insert/opentelemetry/v1/logs"),
            ("/usr/bin/loki", "loki", "http://127.0.0.1:3100/otlp/v1/logs"),
        ):
            with unittest.mock.patch.dict(os.environ):
                os.environ.pop("JARVIS_LOKI", None)
                if loki:
                    os.environ["JARVIS_LOKI"] = loki
                part = rendered()
            self.assertEqual({"loki", "victoria-logs"} & set(part), {there})
            self.assertEqual(part["otel-collector"].environment["LOGS_OTLP_ENDPOINT"], address)
            port = address.split("/")[2]
            scraped = yaml.safe_load(next(iter(part["prometheus"].files.values())))["scrape_configs"]
            self.assertIn([port], [it["static_configs"][0]["targets"] for it in scraped if it["job_name"] == "logs"])

    def run_stack(self, home, *arguments, runs=False):
        with (
            unittest.mock.patch.object(stack, "HOME", Path(home)),
            unittest.mock.patch.object(stack, "supervisor_runs", return_value=runs) as supervisor_runs,
            unittest.mock.patch.object(stack, "supervisorctl", return_value="7"),
            unittest.mock.patch.object(sys, "argv", ["stack", *arguments]),
            unittest.mock.patch.dict(os.environ),
            contextlib.redirect_stdout(io.StringIO()) as out,
        ):
            os.environ.pop("JARVIS_LOKI", None)
            stack.main()
        return out.getvalue().strip(), supervisor_runs.called

    def test_commands_use_the_parts_that_run_and_the_key_needs_no_supervisor(self):
        with tempfile.TemporaryDirectory() as home:
            (Path(home) / stack.LOKI_FILE).write_text("/usr/bin/loki")
            key, asked = self.run_stack(home, "key", runs=True)
            self.assertRegex(key, r"^[0-9a-f]{40}$")
            self.assertFalse(asked)
            self.assertEqual(self.run_stack(home, "pid", "loki", runs=True), ("7", True))
            with self.assertRaisesRegex(SystemExit, "no part is called 'loki'; the parts are postgres, "):
                self.run_stack(home, "pid", "loki", runs=False)

    def test_no_host_name_of_compose_remains(self):
        hosts = "|".join(compose.load()["services"])
        for name, part in rendered().items():
            for text in [*part.command, *part.environment.values(), part.ready]:
                self.assertIsNone(re.search(rf"(?<![\w.-])({hosts}):\d", text), f"{name}: {text}")
            for text in part.files.values():
                lines = [it for it in text.splitlines() if not it.lstrip().startswith("#") and ":-" not in it]
                self.assertIsNone(re.search(rf"(?<![\w.-])({hosts}):\d", "\n".join(lines)), name)

    def test_ports_are_those_of_compose(self):
        for name, part in rendered().items():
            text = " ".join([*part.command, *part.environment.values(), *part.files.values()])
            for port in part.ports:
                self.assertRegex(text, rf"[:= ]{port}\b", name)

    def test_data_is_in_the_home_of_the_stack(self):
        for part in rendered("/stack-home").values():
            for folder in [*part.folders, *part.files]:
                self.assertTrue(folder.startswith("/stack-home/"), folder)

    def test_the_scraped_instance_is_the_services_own(self):
        part = rendered()
        config = yaml.safe_load(next(iter(part["prometheus"].files.values())))
        targets = {it["job_name"]: it["static_configs"][0]["targets"][0] for it in config["scrape_configs"]}
        self.assertEqual(targets["jarvis-api"], part["api"].environment["JARVIS_SERVER_INSTANCE"])

    def test_both_paths_of_the_metrics_have_the_same_environment(self):
        config = yaml.safe_load((STACK / "prometheus/prometheus.yml").read_text())
        environments = {it["static_configs"][0]["labels"]["environment"] for it in config["scrape_configs"]}
        collector = (ROOT / "otel-collector/config.yaml").read_text()
        environments |= set(re.findall(r"\$\{env:JARVIS_ENVIRONMENT:-(\w+)\}", collector))
        environments.add(rendered()["otel-collector"].environment["JARVIS_ENVIRONMENT"])
        self.assertEqual(environments, {"local"})


class ConfigFiles(unittest.TestCase):
    """Runs each server's own check of its rendered configuration, if the server is built."""

    def check(self, name, *command):
        program = compose.program(command[0])
        if not os.access(program, os.X_OK):
            self.skipTest(f"{program} is not built")
        with tempfile.TemporaryDirectory() as home:
            part = rendered(home)[name]
            for path, text in part.files.items():
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_text(text)
            arguments = [it.replace("FILE", next(iter(part.files))) for it in command[1:]]
            result = subprocess.run(
                [program, *arguments],
                env={**os.environ, **part.environment},
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_prometheus(self):
        self.check("prometheus", "prometheus/promtool", "check", "config", "FILE")

    def test_loki(self):
        if not os.environ.get("JARVIS_LOKI"):
            self.skipTest("JARVIS_LOKI names no Loki")
        self.check("loki", os.environ["JARVIS_LOKI"], "-config.file=FILE", "-verify-config")

    def test_jaeger(self):
        self.check("jaeger", "jaeger/jaeger", "validate", "--config=FILE")

    def test_otel_collector(self):
        self.check("otel-collector", "otel-collector/otelcol-jarvis", "validate", "--config=FILE")

    def test_prometheus_scrapes_the_three_specified_jobs(self):
        config = yaml.safe_load((STACK / "prometheus/prometheus.yml").read_text())
        self.assertEqual((config["global"]["scrape_interval"], config["global"]["evaluation_interval"]), ("15s", "15s"))
        jobs = {it["job_name"]: it for it in config["scrape_configs"]}
        self.assertEqual(jobs["jarvis-api"]["static_configs"][0]["targets"], ["api:8000"])
        self.assertEqual(jobs["jarvis-api"]["metrics_path"], "/metrics")
        self.assertEqual(jobs["postgres"]["static_configs"][0]["targets"], ["postgres-exporter:9187"])
        self.assertEqual(jobs["redis"]["static_configs"][0]["targets"], ["redis-exporter:9121"])


if __name__ == "__main__":
    unittest.main()
