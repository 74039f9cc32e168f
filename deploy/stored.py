#!/usr/bin/env python3
"""`handler queue` for the queue in Azure, with the rights of who is logged in to az: its account has no keys.

  stored.py STORAGE_ACCOUNT list|show|replay|drop ...     as `handler queue`; $HANDLER: another one than bin/handler

az's token reaches the handler as an app's does, from an identity endpoint that lives as long as this program.
"""
import http.server
import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path

ACCESS = ["az", "account", "get-access-token", "--resource", "https://storage.azure.com/", "-o", "json"]


def token():
    try:
        said = subprocess.run(ACCESS, check=True, stdout=subprocess.PIPE).stdout
        made = json.loads(said)
        return json.dumps({"access_token": made["accessToken"], "expires_on": made["expires_on"]}).encode()
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError):
        sys.exit("stored.py: az gives no token: run `az login` first; it must be 2.60 or newer")


def endpoint(answer, password):
    class Endpoint(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            allowed = secrets.compare_digest(self.headers.get("X-IDENTITY-HEADER", ""), password)
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer if allowed else b"{}")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/token"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    handler = os.environ.get("HANDLER") or Path(__file__).resolve().parents[1] / "bin" / "handler"
    password = secrets.token_hex(16)
    account = {
        "QUEUE": "on",
        "AzureWebJobsStorage": "",
        "AzureWebJobsStorage__accountName": sys.argv[1],
        "AzureWebJobsStorage__clientId": "",
        "IDENTITY_ENDPOINT": endpoint(token(), password),
        "IDENTITY_HEADER": password,
    }
    try:
        sys.exit(subprocess.run([handler, "queue", *sys.argv[2:]], env=os.environ | account, check=False).returncode)
    except OSError as problem:
        sys.exit(f"stored.py: {handler}: {problem.strerror}; run `make` first")


main()
