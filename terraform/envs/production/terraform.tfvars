# Example values: replace all of them (docs/guides/aws-account.md).
account_id         = "123456789012"
region             = "eu-central-1"
availability_zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]

zone          = "example.com"
host          = "api.example.com"
allowed_cidrs = ["0.0.0.0/0"]
cors_origins  = []

cluster_access_cidrs = []
cluster_admins       = {}

alarm_emails       = ["platform@example.com"]
monthly_budget_usd = 2000
