#!/usr/bin/env python3
"""Plays what becomes of the package in Azure: unpacked in three ways, mounted read-only, started, and asked.

  tests/queue/run.sh play.py FOLDER ZIP STANDINS     from the repository's root; STANDINS is where host and devin were built

Mounting takes the right to: as root, or where users may have namespaces of their own.  Without it files are
made read-only by their modes, and that is said.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

PATIENCE_S = 60
KEY = "a-function-key"
ALERT = Path("tests/cases/samples/azure-monitor/common-log-v2-exceptions-sev1-fired.json")
TEMPLATE = "deploy/templates/longer-triage.mustache"
SENTENCE = "You are the on-call engineer for a production system."  # of that template


# The emulator's account is public: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

# --- three ways to unpack ------------------------------------------------------------------------

def unpack(target, root, mode_of):
    with zipfile.ZipFile(target) as package:
        for entry in package.infolist():
            path = Path(package.extract(entry, root))
            path.chmod(mode_of(entry))


def as_core_tools(folder, target, root):
    """Its own zip of the folder: 0777 for the entry that host.json names, 0666 for all others."""
    del folder
    with zipfile.ZipFile(target) as package:
        host = json.loads(package.read("host.json"))
    program = host["customHandler"]["description"]["defaultExecutablePath"]
    unpack(target, root, lambda entry: 0o777 if entry.filename == program else 0o666)


def as_azd(folder, target, root):
    """Its own zip of the folder, with the folder's modes."""
    del target
    shutil.copytree(folder, root, dirs_exist_ok=True)


def as_flex(folder, target, root):
    """Our zip as it is."""
    del folder
    unpack(target, root, lambda entry: stat.S_IMODE(entry.external_attr >> 16))


WAYS = {"Core Tools": as_core_tools, "azd": as_azd, "Flex": as_flex}


# --- read-only -----------------------------------------------------------------------------------

def into_namespace():
    """Starts this program again where its mounts are its own; comes back where that is not allowed."""
    if "PACKAGE_MOUNTS" in os.environ:
        return os.environ["PACKAGE_MOUNTS"] == "yes"
    for unshare in (["unshare", "-m"], ["unshare", "-rm"]):
        probe = [*unshare, "sh", "-c", "mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp"]
        if shutil.which("unshare") and subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            os.environ["PACKAGE_MOUNTS"] = "yes"
            os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])
    return False


def make_read_only(root, can_mount):
    if can_mount:
        subprocess.run(["mount", "--bind", root, root], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)
        try:
            (root / "written").write_text("")
            sys.exit(f"package: {root} is mounted read-only and can be written to")
        except OSError:
            return
    for path in [*root.rglob("*"), root]:
        path.chmod(path.stat().st_mode & ~0o222)


def make_writable(root, can_mount):
    if can_mount:
        subprocess.run(["umount", root], check=True)
    for path in [root, *root.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


# --- the two stand-ins ---------------------------------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A stand-in; it is up when it says `sign`."""

    def __init__(self, words, sign="stand-in: http://", **more):
        self.sign = sign
        self.said = []
        self.is_up = threading.Event()
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
        threading.Thread(target=self.listen, daemon=True).start()
        self.is_up.wait(PATIENCE_S)
        if self.process.poll() is not None or not any(sign in line for line in self.said):
            self.stop()
            sys.exit(f"package: {words[0]} does not start:\n" + "".join(self.said))

    def listen(self):
        for line in self.process.stdout:
            self.said.append(line)
            if self.sign in line:
                self.is_up.set()
        self.is_up.set()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)


def call(port, query, body=None):
    url = f"http://127.0.0.1:{port}/api/trigger-devin?code={KEY}{query}"
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as problem:
        return problem.code, {"body": problem.read().decode(errors="replace")}


def demand(is_so, what, answer):
    if not is_so:
        sys.exit(f"package: {what}: {answer}")


def ask(port):
    """Healthy, with a queue; the packaged template is read, and an alert becomes a session."""
    health = call(port, "")
    demand(health[0] == 200 and health[1]["status"] == "ready", "not healthy", health)
    demand(health[1]["queue"] == "on", "no queue", health)
    alert = ALERT.read_bytes()
    dry = call(port, "&dryRun=1", alert)
    demand(SENTENCE in json.dumps(dry[1]), "its template is not the packaged one", dry)
    reply = call(port, "", alert)
    demand(reply[0] == 200 and reply[1].get("success") is True and reply[1].get("sessionId"), "no session", reply)
    return reply[1]["sessionId"]


def azurite(port, folder):
    """What the package's own function needs, and what run.sh has installed."""
    words = [os.environ["AZURITE_QUEUE"], "--queuePort", str(port), "--location", folder, "--disableTelemetry"]
    return Program(words, sign="successfully listen")


def play(root, standins, scratch):
    devin_port, queue_port, port = free_port(), free_port(), free_port()
    settings = {
        "PATH": os.environ["PATH"], "DEVIN_API_KEY": "apk_package_test", "PROMPT_TEMPLATE": TEMPLATE,
        "TARGET_REPO": "https://github.com/org/repo", "DEVIN_API_URL": f"http://127.0.0.1:{devin_port}",
        "QUEUE": "on", "AzureWebJobsStorage": "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        f"AccountKey={AZURITE_KEY};QueueEndpoint=http://127.0.0.1:{queue_port}/devstoreaccount1",
    }
    with contextlib.ExitStack() as running:
        running.callback(azurite(queue_port, scratch).stop)
        running.callback(Program([standins / "devin", "--port", str(devin_port)]).stop)
        host = Program([standins / "host", "--root", root, "--port", str(port), "--function-key", KEY], env=settings)
        running.callback(host.stop)
        session = ask(port)
        demand(any("queue triage" in line for line in host.said), "the host serves no queue", host.said)
        return session


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, target, standins = map(Path, sys.argv[1:])
    can_mount = into_namespace()
    how = "mounted read-only" if can_mount else "made read-only by modes alone, for mounting is not allowed here"
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as scratch:
        for number, (name, unpack_as) in enumerate(WAYS.items()):
            root = Path(scratch) / str(number)
            root.mkdir()
            unpack_as(folder, target, root)
            make_read_only(root, can_mount)
            try:
                session = play(root, standins.resolve(), scratch)
            finally:
                make_writable(root, can_mount)
            print(f"package: unpacked as {name} does, {how}: 200 with session {session}")


main()
