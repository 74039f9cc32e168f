curl -X POST https://your-webhook-endpoint/api/trigger-devin \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer your-webhook-secret" \
  -d '{
    "alertName": "manual-test-alert",
    "severity": 1,
    "description": "Testing the webhook integration",
    "source": "curl-test",
    "logs": "Error: Test error at test.ts:42"
  }'
