import os
import requests
import time

DEVIN_API_KEY = os.getenv("DEVIN_API_KEY")

# Create a new session
response = requests.post(
    "https://api.devin.ai/v1/sessions",
    headers={"Authorization": f"Bearer {DEVIN_API_KEY}"},
    json={
        "prompt": "Triage production alert: auth token expired...",
        "idempotent": True
    }
)

session = response.json()
print(f"Session created: {session['url']}")

# Monitor session status
while True:
    status = requests.get(
        f"https://api.devin.ai/v1/sessions/{session['session_id']}",
        headers={"Authorization": f"Bearer {DEVIN_API_KEY}"}
    ).json()

    print(f"Status: {status['status_enum']}")

    if status["status_enum"] in ["blocked", "finished"]:
        break

    time.sleep(5)
