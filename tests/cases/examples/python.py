import requests

response = requests.post(
    "https://your-webhook-endpoint/api/trigger-devin",
    headers={
        "Content-Type": "application/json",
        "Authorization": "Bearer your-webhook-secret"
    },
    json={
        "alertName": "python-test-alert",
        "severity": 1,
        "description": "Testing from Python",
        "source": "python-script",
        "logs": "Error: Test error"
    }
)

print(response.json())
# {'success': True, 'sessionId': 'session_...', 'sessionUrl': 'https://app.devin.ai/...'}
