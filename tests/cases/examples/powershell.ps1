$body = @{
    alertName = "powershell-test-alert"
    severity = 1
    description = "Testing from PowerShell"
    source = "powershell-script"
    logs = "Error: Test error"
} | ConvertTo-Json

$response = Invoke-RestMethod -Uri "https://your-webhook-endpoint/api/trigger-devin" `
    -Method Post `
    -Headers @{
        "Content-Type" = "application/json"
        "Authorization" = "Bearer your-webhook-secret"
    } `
    -Body $body

$response
