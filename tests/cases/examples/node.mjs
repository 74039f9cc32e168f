const response = await fetch("https://your-webhook-endpoint/api/trigger-devin", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    "Authorization": "Bearer your-webhook-secret"
  },
  body: JSON.stringify({
    alertName: "nodejs-test-alert",
    severity: 1,
    description: "Testing from Node.js",
    source: "nodejs-script",
    logs: "Error: Test error"
  })
});

const data = await response.json();
console.log(data);
