#!/usr/bin/env python3
"""deploy/deploy.sh against stand-ins for az and curl (tests/deploy/standin/), with the real Bicep compiler
and the real handler: order, arguments, failures half way, resuming, and that no secret is where it should
not be.

    script.py BICEP HANDLER
"""

import http.server
import json
import os
import pathlib
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STANDIN = ROOT / "tests" / "deploy" / "standin"
BICEP, HANDLER = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:3])

SECRETS = {
    "DEVIN_API_KEY": 'apk_user_geheim"1\\',
    "WEBHOOK_SECRET": 'geheim 2 & "more" \\',
    "WEBHOOK_SECRET_PREVIOUS": "geheim-3",
    "NPM_TOKEN": "geheim=4",
}
FUNCTION_KEY = "stand-in+function/key=="
GIVEN = {
    "AZURE_RESOURCE_GROUP": "triage",
    "AZURE_LOCATION": "westeurope",
    "MAIL_TO": "ops@example.com,dev@example.com",
    "TARGET_REPO": "https://github.com/org/repo",
    "DEVIN_API_KEY": SECRETS["DEVIN_API_KEY"],
}
SECURE = {f"SECURE_WEBHOOK_{what}": what.lower() for what in ("CLIENT_ID", "OBJECT_ID", "AUDIENCE", "TENANT_ID")}
FULL = GIVEN | SECRETS | {"DEVIN_SESSION_SECRETS": "NPM_TOKEN", "DEVIN_SECRET_IDS": "", "JIRA_PROJECT": "OPS"}

# What a first run does, by the beginnings of its calls.
FIRST_RUN = [
    "version",
    "account show",
    "group exists -n triage",
    "account list-locations",
    "functionapp list-flexconsumption-locations",
    "group create -n triage -l westeurope",
    "deployment group what-if -g triage -n triage-main --parameters",
    "deployment group create -g triage -n triage-main --parameters",
    "deployment group show -g triage -n triage-main",
    "functionapp deployment source config-zip -g triage -n triage-abc --src",
    "functionapp function show",
    "functionapp function keys list",
    "functionapp function keys set",
    "deployment group create -g triage -n triage-alerts --parameters",
    "functionapp function keys list",
    "curl --config -",
]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class DeployScript(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deploy-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.state = self.folder / "state"
        self.state.mkdir()
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        (self.folder / "triage.zip").write_bytes(b"PK")
        (self.folder / "package").mkdir()

    def environment(self, given, **more):
        return (
            {
                "PATH": f"{STANDIN}:{os.environ['PATH']}",
                "HOME": os.environ.get("HOME", "/"),
                "TMPDIR": str(self.temporary),
                "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
                "STANDIN_FOLDER": str(self.state),
                "STANDIN_BICEP": "",
                "STANDIN_CURL": shutil.which("curl"),
                "DEPLOY_HANDLER": HANDLER,
                "DEPLOY_PACKAGE": str(self.folder / "package"),
                "DEPLOY_ZIP": str(self.folder / "triage.zip"),
                "DEPLOY_PAUSE_S": "0",
                "STANDIN_STATUS": "",
                # Of whoever deploys, and no business of the app.
                "SSL_CERT_FILE": "/etc/mine.pem",
            }
            | given
            | more
        )

    def run_script(self, given, *options, **more):
        """Its exit code; what it said is in self.said, the calls of this run in self.calls."""
        (self.state / "calls").write_text("")
        env = self.environment(given, **more)
        serving = None
        if not env["STANDIN_STATUS"]:
            serving, env["STANDIN_PORT"] = self.serve(given)
        try:
            done = subprocess.run(
                [ROOT / "deploy" / "deploy.sh", *options],
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            if serving:
                serving.kill()
                serving.wait()
        self.said = done.stdout + done.stderr
        self.read_calls()
        self.check_no_secret()
        return done.returncode

    def serve(self, given):
        port = free_port()
        settings = {name: given[name] for name in ("DEVIN_API_KEY", "TARGET_REPO", "WEBHOOK_SECRET") if name in given}
        settings.setdefault("DEVIN_API_KEY", "apk_x")
        settings.setdefault("TARGET_REPO", "r")
        serving = subprocess.Popen(
            [HANDLER, "--port", str(port)], env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return serving, str(port)
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the handler does not listen")

    def read_calls(self):
        self.calls = (self.state / "calls").read_text().splitlines()

    def check_no_secret(self):
        """Neither in arguments, nor in what is said, nor left behind in a file."""
        for secret in [*SECRETS.values(), "geheim", FUNCTION_KEY]:
            self.assertNotIn(secret, "\n".join(self.calls))
            self.assertNotIn(secret, self.said)
        # The compiler has a folder there for itself.
        left = [path.name for path in self.temporary.iterdir() if path.name != ".bicep"]
        self.assertEqual([], left, "temporary files stay behind")

    def assert_order(self, wanted):
        self.assertEqual(wanted, [c[: len(w)] for c, w in zip(self.calls, wanted)], self.calls)
        self.assertEqual(len(wanted), len(self.calls), self.calls)

    def sent(self, deployment):
        made = json.loads((self.state / f"{deployment}.sent").read_text())
        return {name: value["value"] for name, value in made.items()}

    def made_changes(self):
        return [c for c in self.calls if re.search(r"\b(create|set|config-zip|upload|restart|rest)\b", c)]

    # --- all goes well ---

    def test_first_run(self):
        self.assertEqual(0, self.run_script(GIVEN, "--yes"), self.said)
        self.assert_order(FIRST_RUN)
        self.assertIn("It runs: https://triage-abc.azurewebsites.net/api/trigger-devin\n", self.said)
        self.assertIn("To undo: az group delete -n triage", self.said)
        self.assertIn("az keyvault purge -n kv-abc", self.said)
        self.assertIn("nothing was sent to Devin", self.said)

    def test_every_value_arrives(self):
        self.assertEqual(0, self.run_script(FULL, "--yes", STANDIN_BICEP=BICEP), self.said)
        main = self.sent("triage-main")
        self.assertEqual(SECRETS["DEVIN_API_KEY"], main["devinApiKey"])
        self.assertEqual(SECRETS["WEBHOOK_SECRET"], main["webhookSecret"])
        self.assertEqual(SECRETS["WEBHOOK_SECRET_PREVIOUS"], main["webhookSecretPrevious"])
        self.assertEqual({"NPM_TOKEN": SECRETS["NPM_TOKEN"]}, main["sessionSecrets"])
        # An empty value is one; SSL_CERT_FILE of this machine is none of the app's.
        wanted = {"TARGET_REPO", "JIRA_PROJECT", "DEVIN_SECRET_IDS", "DEVIN_SESSION_SECRETS"}
        self.assertEqual(wanted, set(main["settings"]))
        self.assertEqual("", main["settings"]["DEVIN_SECRET_IDS"])
        alerts = self.sent("triage-alerts")
        self.assertEqual(SECRETS["WEBHOOK_SECRET"], alerts["webhookSecret"])
        self.assertEqual(["ops@example.com", "dev@example.com"], alerts["mailTo"])
        self.assertEqual("action-group", alerts["keyName"])
        self.assertEqual("triage-abc", alerts["appName"])

    def test_dry_run_carries_key_and_secret(self):
        self.assertEqual(0, self.run_script(FULL, "--yes"), self.said)
        request = (self.state / "request").read_text()
        self.assertIn("/api/trigger-devin?dryRun=1&code=stand-in%2Bfunction/key==", request)
        self.assertIn('header = "X-Webhook-Secret: geheim 2 & \\"more\\" \\\\"', request)

    def test_premium(self):
        self.assertEqual(
            0, self.run_script(GIVEN | {"HOSTING_PLAN": "premium"}, "--yes", STANDIN_BICEP=BICEP), self.said
        )
        wanted = [w for w in FIRST_RUN if "flexconsumption" not in w and "config-zip" not in w]
        wanted.insert(4, "ad signed-in-user show")
        at = wanted.index("functionapp function show")
        wanted[at:at] = [
            "storage blob upload --auth-mode login",
            "functionapp restart",
            "functionapp show",
            "rest --method post",
        ]
        self.assert_order(wanted)
        self.assertEqual("premium", self.sent("triage-main")["plan"])
        self.assertEqual("44444444-4444-4444-4444-444444444444", self.sent("triage-main")["deployerId"])

    def test_subscription_goes_with_each_call(self):
        self.assertEqual(0, self.run_script(GIVEN | {"AZURE_SUBSCRIPTION_ID": "other"}, "--yes"), self.said)
        without = [
            c for c in self.calls if not c.endswith("--subscription other") and not c.startswith(("version", "curl"))
        ]
        self.assertEqual([], without)
        self.assertFalse(any(c.startswith("account set") for c in self.calls))

    def test_plan_changes_nothing(self):
        (self.state / "group").write_text("westeurope\n")
        self.assertEqual(0, self.run_script(GIVEN, "--plan", "--yes"), self.said)
        self.assertEqual([], self.made_changes())
        self.assertTrue(any("what-if" in c for c in self.calls))

    def test_plan_without_a_group(self):
        self.assertEqual(0, self.run_script(GIVEN, "--plan", "--yes"), self.said)
        self.assertEqual([], self.made_changes())

    def test_undo_needs_nothing(self):
        self.assertEqual(0, self.run_script({}, "--undo"), self.said)
        self.assertEqual([], self.calls)

    def test_check_needs_no_azure(self):
        self.assertEqual(0, self.run_script(GIVEN, "--check"), self.said)
        self.assertEqual([], self.calls)
        self.assertEqual(1, self.run_script(GIVEN | {"MAX_SEVERITY": "9"}, "--check"))

    # --- refused before anything is changed ---

    def refused(self, given, words, **more):
        self.assertEqual(1, self.run_script(given, "--yes", **more), self.said)
        self.assertIn(words, self.said)
        self.assertEqual([], self.made_changes())

    def test_wrong_settings_are_refused(self):
        for name, value in {
            "MAX_SEVERITY": "9",
            "DEVIN_API_URL": "http://example.com",
            "PROMPT_TEMPLATE": "templates/none.mustache",
            "DEVIN_SESSION_SECRETS": "NOT_SET",
        }.items():
            with self.subTest(name):
                self.refused(GIVEN | {name: value}, f"handler: {name} ")
        # Only its first line would reach the vault.
        self.refused(GIVEN | {"DEVIN_SESSION_SECRETS": "PEM", "PEM": "geheim\nA=="}, "PEM has several lines")

    def test_whoever_deploys_is_asked_for_each_time(self):
        given = GIVEN | {"HOSTING_PLAN": "premium"}
        self.assertEqual(0, self.run_script(given | {"DEPLOYER_ID": "somebody-else"}, "--yes", STANDIN_BICEP=BICEP), self.said)
        self.assertEqual(0, self.run_script(GIVEN, "--yes", STANDIN_BICEP=BICEP), self.said)
        self.assertEqual("44444444-4444-4444-4444-444444444444", self.sent("triage-main")["deployerId"])

    def test_half_a_secure_webhook(self):
        for name in SECURE:
            with self.subTest(name):
                given = GIVEN | {k: v for k, v in SECURE.items() if k != name}
                self.refused(given, f"{name} is not set: the secure webhook needs all four")

    def test_missing_answers_are_named(self):
        for name in ("AZURE_LOCATION", "MAIL_TO", "TARGET_REPO", "DEVIN_API_KEY"):
            with self.subTest(name):
                self.refused({k: v for k, v in GIVEN.items() if k != name}, f"{name} is not set")

    def test_logged_out(self):
        (self.state / "logged-out").touch()
        self.refused(GIVEN, "run `az login` first")

    def test_old_az(self):
        self.refused(GIVEN, "az 2.45.0 is too old", STANDIN_VERSION="2.45.0")

    def test_unknown_region(self):
        self.refused(GIVEN | {"AZURE_LOCATION": "atlantis"}, "there is no region atlantis")

    def test_region_without_flex(self):
        self.refused(GIVEN | {"AZURE_LOCATION": "northeurope"}, "Flex Consumption is not in northeurope")

    def test_no_package(self):
        self.refused(GIVEN, "run `make package` first", DEPLOY_ZIP=str(self.folder / "none.zip"))
        self.refused(GIVEN, "run `make package` first", DEPLOY_HANDLER=str(self.folder / "none"))

    def test_nobody_agrees(self):
        self.assertEqual(1, self.run_script(GIVEN), self.said)
        self.assertIn("run again with --yes", self.said)
        self.assertEqual([], self.made_changes())

    def test_deployments_cannot_be_read(self):
        (self.state / "group").write_text("westeurope\n")
        self.refused(GIVEN, "not what was set last time", STANDIN_FAIL="deployment group list")

    # --- failures half way, and resuming ---

    def test_each_step_may_fail_and_the_next_run_finishes(self):
        steps = [w for w in FIRST_RUN[5:-1] if "keys list" not in w] + ["functionapp function keys list"]
        for number, step in enumerate(steps):
            with self.subTest(step):
                shutil.rmtree(self.state)
                self.state.mkdir()
                self.assertEqual(1, self.run_script(GIVEN, "--yes", STANDIN_FAIL=step), self.said)
                self.assertIn("run the same command again to go on from here", self.said)
                self.assertNotIn("It runs:", self.said)
                last = self.calls[-1]
                self.assertTrue(last.startswith(step), f"went on after {step}: {last}")
                self.assertEqual(0, self.run_script(GIVEN, "--yes"), self.said)
                self.assertIn("It runs:", self.said)
                if number > 0:
                    self.assertFalse(any(c.startswith("group create") for c in self.calls), "made the group twice")

    def test_passing_faults_are_waited_for(self):
        for step in (
            "functionapp deployment source config-zip",
            "functionapp function show",
            "deployment group create -g triage -n triage-alerts",
        ):
            with self.subTest(step):
                shutil.rmtree(self.state)
                self.state.mkdir()
                self.assertEqual(
                    0, self.run_script(GIVEN, "--yes", STANDIN_FAIL=step, STANDIN_FAIL_TIMES="2"), self.said
                )
                self.assertEqual(3, sum(c.startswith(step) for c in self.calls))

    def test_the_function_does_not_answer(self):
        for status, tries in {"500": 12, "401": 12, "400": 1}.items():
            with self.subTest(status):
                self.assertEqual(1, self.run_script(GIVEN, "--yes", STANDIN_STATUS=status), self.said)
                self.assertIn(f"answered {status}", self.said)
                self.assertEqual(tries, sum(c.startswith("curl") for c in self.calls))

    def test_an_unread_vault_is_told_from_other_faults(self):
        reply = '{"details":"WEBHOOK_SECRET is an unresolved Key Vault reference"}'
        self.assertEqual(1, self.run_script(GIVEN, "--yes", STANDIN_STATUS="500", STANDIN_REPLY=reply), self.said)
        self.assertIn("could not read the vault yet: run the same command again", self.said)

    def test_what_an_interrupted_run_began_is_waited_for(self):
        self.assertEqual(0, self.run_script(GIVEN, "--yes"), self.said)
        self.assertEqual(0, self.run_script(GIVEN, "--yes", STANDIN_UNDER_WAY="3"), self.said)
        self.assertIn("triage-alerts is still under way", self.said)
        self.assertEqual(5, sum(c.startswith("deployment group list") for c in self.calls))
        (self.state / "under-way").unlink()
        self.refused(GIVEN, "az deployment group cancel -g triage -n triage-alerts", STANDIN_UNDER_WAY="1000")

    def test_only_action_groups_may_call(self):
        given = GIVEN | {"ONLY_ACTION_GROUPS": "true"}
        self.assertEqual(0, self.run_script(given, "--yes", STANDIN_STATUS="403"), self.said)
        self.assertIn("this machine cannot try it", self.said)
        self.assertEqual(0, self.run_script(GIVEN | SECURE, "--yes", STANDIN_STATUS="401"), self.said)
        self.assertEqual(
            1, self.run_script(GIVEN | {"ONLY_ACTION_GROUPS": "false"}, "--yes", STANDIN_STATUS="403"), self.said
        )

    # --- again ---

    def test_second_run_keeps_what_it_is_not_told(self):
        first = FULL | {
            "MAX_SEVERITY": "2",
            "MAX_INSTANCES": "50",
            "ALLOWED_ADDRESSES": "192.0.2.0/24,198.51.100.7/32",
            "APP_SSL_CERT_FILE": "/home/site/wwwroot/ca.pem",
            "WATCHED_WORKSPACE_ID": "/subscriptions/s/workspaces/shop",
        }
        self.assertEqual(0, self.run_script(first, "--yes", STANDIN_BICEP=BICEP), self.said)
        before = self.sent("triage-main"), self.sent("triage-alerts")
        again = {"AZURE_RESOURCE_GROUP": "triage", "WEBHOOK_SECRET": SECRETS["WEBHOOK_SECRET"]}
        self.assertEqual(0, self.run_script(again, "--yes", STANDIN_BICEP=BICEP), self.said)
        after = self.sent("triage-main"), self.sent("triage-alerts")
        self.assertEqual("/home/site/wwwroot/ca.pem", before[0]["settings"]["SSL_CERT_FILE"])
        self.assertEqual(before[0]["settings"], after[0]["settings"])
        self.assertEqual(before[1], after[1])
        for name in ("maximumInstances", "allowedAddresses", "plan", "onlyActionGroups"):
            self.assertEqual(before[0][name], after[0][name], name)
        self.assertEqual(["DEVIN_API_KEY", "WEBHOOK_SECRET_PREVIOUS"], after[0]["keptSecrets"])
        self.assertEqual("", after[0]["devinApiKey"])
        self.assertFalse(any("keys set" in c for c in self.calls), "the function key was changed")

    def test_second_run_changes_what_it_is_told(self):
        self.assertEqual(0, self.run_script(FULL, "--yes", STANDIN_BICEP=BICEP), self.said)
        again = GIVEN | {"JIRA_PROJECT": "NEW", "WEBHOOK_SECRET": "", "WEBHOOK_SECRET_PREVIOUS": ""}
        self.assertEqual(0, self.run_script(again, "--yes", STANDIN_BICEP=BICEP), self.said)
        main = self.sent("triage-main")
        self.assertEqual("NEW", main["settings"]["JIRA_PROJECT"])
        self.assertEqual("", main["webhookSecret"])
        self.assertEqual([], main["keptSecrets"])

    def test_second_run_asks_for_the_webhook_secret(self):
        self.assertEqual(0, self.run_script(FULL, "--yes"), self.said)
        self.assertEqual(1, self.run_script(GIVEN, "--yes"))
        self.assertIn("WEBHOOK_SECRET is not set", self.said)
        self.assertEqual([], self.made_changes())

    def test_second_phase_alone(self):
        self.assertEqual(0, self.run_script(GIVEN, "--yes"), self.said)
        azd = {
            "AZURE_RESOURCE_GROUP": "triage",
            "appName": "triage-abc",
            "workspaceId": "/subscriptions/s/workspaces/w",
            "functionHost": "triage-abc.azurewebsites.net",
            "vaultName": "kv-abc",
        }
        self.assertEqual(0, self.run_script(azd, "--second-phase", "--yes"), self.said)
        self.assertEqual([c for c in self.made_changes() if "triage-alerts" not in c], [])
        self.assertEqual("/subscriptions/s/workspaces/w", self.sent("triage-alerts")["workspaceId"])
        self.assertEqual(["ops@example.com", "dev@example.com"], self.sent("triage-alerts")["mailTo"])
        # A secret that the app asks for belongs into the URL that Azure Monitor calls.
        self.assertEqual(0, self.run_script(FULL, "--yes"), self.said)
        self.assertEqual(1, self.run_script(azd, "--second-phase", "--yes"), self.said)
        self.assertIn("WEBHOOK_SECRET is not set", self.said)
        self.assertEqual([], self.made_changes())

    # --- alerts that are stored ---

    def test_stored_alerts_are_reached_by_az_login(self):
        asked = []

        class Queues(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path.partition("?")[0], self.headers.get("Authorization")))
                self.send_response(200)
                self.send_header("x-ms-approximate-messages-count", "0")
                self.end_headers()
                if "comp=metadata" not in self.path:
                    self.wfile.write(b'<?xml version="1.0" encoding="utf-8"?><QueueMessagesList />')

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Queues)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        where = {"AzureWebJobsStorage__queueServiceUri": f"http://127.0.0.1:{server.server_port}", "HANDLER": HANDLER}
        command = [ROOT / "deploy" / "stored.py", "stabc", "list"]
        done = subprocess.run(command, env=self.environment(where), capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        self.assertEqual(0, done.returncode, self.said)
        self.assertEqual({"/triage/messages", "/triage-poison/messages"}, {p for p, _ in asked if p.endswith("s")})
        self.assertEqual({"Bearer geheim-token"}, {bearer for _, bearer in asked})
        self.read_calls()
        self.check_no_secret()
        (self.state / "logged-out").touch()
        done = subprocess.run(command, env=self.environment(where), capture_output=True, text=True, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("run `az login` first", done.stderr)

    # --- a person at a terminal ---

    def test_answers_are_asked_for(self):
        (self.state / "calls").write_text("")
        answers = [
            ("Resource group [triage]: ", ""),
            ("Region, such as westeurope: ", "westeurope"),
            ("Repository that Devin analyses", "https://github.com/org/repo"),
            ("DEVIN_API_KEY (not shown): ", "apk_user_geheim"),
            ("WEBHOOK_SECRET, asked of callers", ""),
            ("Mail addresses", "ops@example.com"),
            ("Make the resource group triage in westeurope?", "y"),
            ("Make it so? [y/N] ", "n"),
        ]
        parent, child = pty.openpty()
        process = subprocess.Popen(
            [ROOT / "deploy" / "deploy.sh"],
            env=self.environment({}, STANDIN_STATUS="500"),
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)
        self.said = ""
        for question, answer in answers:
            self.read_until(parent, question)
            os.write(parent, (answer + "\n").encode())
        self.read_until(parent, None)
        os.close(parent)
        self.assertEqual(0, process.wait())
        self.read_calls()
        self.check_no_secret()
        self.assertEqual(["group create -n triage -l westeurope -o none"], self.made_changes())

    def read_until(self, terminal, words):
        seen = ""
        while words is None or words not in seen:
            if not select.select([terminal], [], [], 120)[0]:
                raise AssertionError(f"{words!r} was not asked; instead: {seen}")
            try:
                piece = os.read(terminal, 4096).decode()
            except OSError:
                piece = ""
            if not piece:
                if words is None:
                    return
                raise AssertionError(f"{words!r} was not asked; it ended with: {seen}")
            seen += piece
            self.said += piece


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
