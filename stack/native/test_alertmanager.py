"""Tests Alertmanager's routes and inhibitions, and the receivers that `start` creates from the environment."""

import json
import os
import re
import socket
import stat
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import compose
import yaml
from test_rules import alerts

FOLDER = compose.STACK / "alertmanager"
ALERTMANAGER, AMTOOL = (compose.program(f"alertmanager/{it}") for it in ("alertmanager", "amtool"))
SECRETS = {
    "ALERT_WEBHOOK_URL": "http://127.0.0.1:9/hook-secret",
    "ALERT_SLACK_URL": "http://127.0.0.1:9/slack-secret",
    "ALERT_SMTP_PASSWORD": "smtp-secret: '{{ it }}' #",
    "WATCHDOG_URL": "http://127.0.0.1:9/watchdog-secret",
}
EMAIL = {"ALERT_EMAIL_TO": "a@x.test", "ALERT_EMAIL_FROM": "b@x.test", "ALERT_SMTP_SMARTHOST": "x.test:587"}
LOGIN = {"ALERT_SMTP_USERNAME": "b", "ALERT_SMTP_PASSWORD": SECRETS["ALERT_SMTP_PASSWORD"]}


def start(folder, variables, *program):
    environment = {
        "PATH": os.environ["PATH"],
        "ALERTMANAGER_CONFIG": str(FOLDER / "alertmanager.yml"),
        "ALERTMANAGER_DATA": str(folder),
        **variables,
    }
    return ["sh", str(FOLDER / "start"), *program], environment


class Receivers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def render(self, variables):
        command, environment = start(self.folder, variables, "true")
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10)

    def config(self, variables):
        result = self.render(variables)
        self.assertEqual(result.returncode, 0, result.stderr)
        text = (self.folder / "alertmanager.yml").read_text()
        for secret in SECRETS.values():
            self.assertNotIn(secret, text)
        for file in self.folder.rglob("*"):
            self.assertEqual(stat.S_IMODE(file.stat().st_mode) & 0o077, 0, file)
        if os.access(AMTOOL, os.X_OK):
            check = [AMTOOL, "check-config", self.folder / "alertmanager.yml"]
            checked = subprocess.run(check, capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        return {it["name"]: it for it in yaml.safe_load(text)["receivers"]}, result.stderr

    def test_none(self):
        receivers, warnings = self.config({})
        self.assertEqual(receivers, {"notify": {"name": "notify"}, "watchdog": {"name": "watchdog"}})
        self.assertIn("no receiver is set", warnings)

    def test_each_alone(self):
        for variables, kind in (
            ({"ALERT_WEBHOOK_URL": SECRETS["ALERT_WEBHOOK_URL"]}, "webhook_configs"),
            ({"ALERT_SLACK_URL": SECRETS["ALERT_SLACK_URL"], "ALERT_SLACK_CHANNEL": "#ops"}, "slack_configs"),
            (EMAIL, "email_configs"),
            ({**EMAIL, **LOGIN}, "email_configs"),
        ):
            receivers, warnings = self.config(variables)
            self.assertEqual(set(receivers["notify"]), {"name", kind})
            self.assertTrue(receivers["notify"][kind][0]["send_resolved"])
            self.assertEqual(warnings, "")

    def test_all(self):
        receivers, _ = self.config({**SECRETS, **EMAIL, **LOGIN})
        self.assertEqual(set(receivers["notify"]), {"name", "webhook_configs", "slack_configs", "email_configs"})
        for key, file in (
            ("ALERT_WEBHOOK_URL", receivers["notify"]["webhook_configs"][0]["url_file"]),
            ("ALERT_SLACK_URL", receivers["notify"]["slack_configs"][0]["api_url_file"]),
            ("ALERT_SMTP_PASSWORD", receivers["notify"]["email_configs"][0]["auth_password_file"]),
            ("WATCHDOG_URL", receivers["watchdog"]["webhook_configs"][0]["url_file"]),
        ):
            self.assertEqual(Path(file).read_text(), SECRETS[key])

    def test_what_is_missing_is_named(self):
        for name in ("ALERT_EMAIL_FROM", "ALERT_SMTP_SMARTHOST"):
            result = self.render({k: v for k, v in EMAIL.items() if k != name})
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f"{name}", result.stderr)
        result = self.render({**EMAIL, "ALERT_SMTP_USERNAME": "b"})
        self.assertIn("ALERT_SMTP_PASSWORD", result.stderr)

    def test_values_are_quoted(self):
        hostile = "x'\"\\: #{[&*!|>%@`$(touch y)\\n\\b\\047 evil: y"
        receivers, _ = self.config({**EMAIL, "ALERT_EMAIL_TO": hostile})
        self.assertEqual(receivers["notify"]["email_configs"][0]["to"], hostile)
        result = self.render({**EMAIL, "ALERT_EMAIL_TO": "x\n    from: y"})
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("ALERT_EMAIL_TO", result.stderr)


@unittest.skipUnless(os.access(AMTOOL, os.X_OK), f"{AMTOOL} is not built")
class Running(unittest.TestCase):
    """Tests with a real Alertmanager on a free port."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        with socket.create_server(("127.0.0.1", 0)) as free:
            cls.address = f"127.0.0.1:{free.getsockname()[1]}"
        command, environment = start(
            folder.name, {}, ALERTMANAGER, f"--web.listen-address={cls.address}", "--cluster.listen-address="
        )
        cls.file = Path(folder.name) / "alertmanager.yml"
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait, 10)
        cls.addClassCleanup(process.terminate)
        cls.until(lambda: cls.get("/-/ready") is not None)

    @classmethod
    def until(cls, condition):
        end = time.monotonic() + 20
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("not within 20 s")
            time.sleep(0.2)

    @classmethod
    def get(cls, path):
        try:
            return urllib.request.urlopen(f"http://{cls.address}{path}", timeout=2).read()
        except OSError:
            return None

    def test_routes(self):
        for labels, receiver in (
            (["alertname=Watchdog", "severity=none"], "watchdog"),
            (["alertname=HighErrorRate", "severity=critical", "environment=x"], "notify"),
            (["alertname=SlowAPI", "severity=warning", "environment=x"], "notify"),
        ):
            command = [AMTOOL, "config", "routes", "test", f"--config.file={self.file}", *labels]
            result = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(result.stdout.strip(), receiver, f"{labels}: {result.stderr}")

    def test_every_alert_of_an_inhibition_exists(self):
        names = {it["alert"] for it in alerts()}
        for rule in yaml.safe_load((FOLDER / "alertmanager.yml").read_text())["inhibit_rules"]:
            for matcher in rule["source_matchers"] + rule["target_matchers"]:
                if matcher.startswith("alertname"):
                    self.assertLessEqual(set(re.search('"(.+)"', matcher)[1].split("|")), names)
            self.assertIn("environment", rule["equal"])

    def test_one_cause_one_message(self):
        def alert(name, environment, **labels):
            return {"labels": {"alertname": name, "environment": environment, **labels}}

        burn = "AvailabilityBudgetBurn"
        sent = [
            alert("DatabaseDown", "a", severity="critical"),
            alert("LedgerRowsLost", "a", severity="critical"),
            alert("HighErrorRate", "a", severity="critical"),
            alert("DependencyDown", "a", dependency="database"),
            alert("DependencyDown", "a", dependency="redis"),
            alert(burn, "b", severity="critical", window="1h"),
            alert(burn, "b", severity="warning", window="3d"),
            alert("FirstTokenBudgetBurn", "b", severity="warning", window="3d"),
            alert("MonitoringPartDown", "c", job="otel-collector"),
            alert("MonitoringPartDown", "c", job="loki"),
            alert("MetricPathsDisagree", "c", instance="x"),
            alert("MetricPathsDisagree", "a", instance="x"),
            alert("DependencyDown", "d", dependency="ollama", severity="critical"),
            alert("ModelErrors", "d", severity="critical"),
            alert("HighErrorRate", "d", severity="critical"),
            alert("DependencyDown", "e", dependency="ollama", severity="warning"),
            alert("ModelErrors", "e", severity="critical"),
            alert("DependencyDown", "f", dependency="minio", severity="warning"),
            alert("DocumentsBacklog", "f", severity="warning"),
            alert("DependencyDown", "g", dependency="redis", severity="warning"),
            alert("DocumentsBacklog", "g", severity="warning"),
            alert("DocumentsBacklog", "d", severity="warning"),
            alert("DocumentDeadLetters", "d", severity="warning"),
            alert("DocumentDeadLetters", "f", severity="warning"),
            alert("DocumentDeadLetters", "a", severity="warning"),
            alert("IdentityStale", "a", severity="critical"),
            alert("IdentityStale", "b", severity="critical"),
        ]
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts", json.dumps(sent).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=5).close()

        def muted():
            found = json.loads(self.get("/api/v2/alerts"))
            return {tuple(sorted(it["labels"].items())) for it in found if it["status"]["state"] == "suppressed"}

        expected = {tuple(sorted(sent[i]["labels"].items())) for i in (1, 3, 6, 10, 13, 14, 18, 21, 25)}
        self.until(lambda: muted() == expected)


if __name__ == "__main__":
    unittest.main()
