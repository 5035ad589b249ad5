# A whole environment, put together. What it must put out is in outputs/, where tests/contract compares it with k8s/overlays.
mock_provider "aws" {
  source = "./mocks"
}

variables {
  project               = "caas"
  environment           = "staging"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "eu-central-1"
  availability_zones    = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  cidr                  = "10.20.0.0/16"
  resilient             = true
  kubernetes_version    = "1.34"
  nodes                 = { type = "t3.large", count = 2 }
  cluster_access_cidrs  = []
  cluster_admins        = { deploy = "arn:aws:iam::123456789012:role/caas-staging-deploy" }
  mongodb               = { type = "db.t4g.medium", count = 1 }
  kafka                 = { type = "kafka.t3.small", disk_gb = 20 }
  redis                 = { type = "cache.t4g.micro", count = 1 }
  username              = "caas"
  mongodb_password      = "only-in-memory"
  password_version      = 1
  registry_url          = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/caas"
  zone                  = "staging.example.com"
  host                  = "staging.example.com"
  allowed_cidrs         = ["0.0.0.0/0"]
  cors_origins          = []
  alarm_emails          = ["platform@example.com"]
  monthly_budget_usd    = 600
  backup_retention_days = 7
  log_retention_days    = 30
  kms_key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  stand_ins             = null
  secrets = {
    for backend in ["mongodb", "kafka", "redis"] : backend => {
      name       = "AmazonMSK_caas/staging/${backend}"
      arn        = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:AmazonMSK_caas/staging/${backend}-AbCdEf"
      version_id = "00000000-0000-0000-0000-000000000001"
    }
  }
}

run "environment" {
  module {
    source = "../modules/platform"
  }

  assert {
    condition     = jsonencode(output.cluster) == jsonencode(jsondecode(file("outputs/staging.json")).cluster)
    error_message = "The output `cluster` is another than in outputs/staging.json: ${jsonencode(output.cluster)}"
  }

  assert {
    condition     = jsonencode(output.backends) == jsonencode(jsondecode(file("outputs/staging.json")).backends)
    error_message = "The output `backends` is another than in outputs/staging.json: ${jsonencode(output.backends)}"
  }

  assert {
    condition     = output.registry_url == jsondecode(file("outputs/staging.json")).registry_url
    error_message = "The output `registry_url` is another than in outputs/staging.json: ${output.registry_url}"
  }

  assert {
    condition     = jsonencode(output.dns) == jsonencode(jsondecode(file("outputs/staging.json")).dns)
    error_message = "The output `dns` is another than in outputs/staging.json: ${jsonencode(output.dns)}"
  }

  assert {
    condition     = keys(module.kubernetes["this"].roles) == keys(output.cluster.roles) && length(module.network.private_subnet_ids) == 3
    error_message = "The roles that are promised are not the ones that are made."
  }
}

run "production" {
  state_key = "production"

  module {
    source = "../modules/platform"
  }

  override_resource {
    target = module.dns.aws_acm_certificate.this
    values = {
      arn = "arn:aws:acm:eu-central-1:123456789012:certificate/mock"
      domain_validation_options = [{
        domain_name           = "api.example.com"
        resource_record_name  = "_proof.api.example.com"
        resource_record_type  = "CNAME"
        resource_record_value = "_value.acm-validations.aws"
      }]
    }
  }

  variables {
    environment = "production"
    zone        = "example.com"
    host        = "api.example.com"
    secrets = {
      for backend in ["mongodb", "kafka", "redis"] : backend => {
        name       = "AmazonMSK_caas/production/${backend}"
        arn        = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:AmazonMSK_caas/production/${backend}-AbCdEf"
        version_id = "00000000-0000-0000-0000-000000000001"
      }
    }
  }

  assert {
    condition = jsonencode([output.cluster, output.registry_url, output.dns, output.backends]) == jsonencode([
      for name in ["cluster", "registry_url", "dns", "backends"] : jsondecode(file("outputs/production.json"))[name]
    ])
    error_message = "Production's outputs are others than in outputs/production.json."
  }
}

run "rehearsal" {
  module {
    source = "../modules/platform"
  }

  variables {
    stand_ins = {
      cluster      = { name = "kind-rehearsal", endpoint = "https://127.0.0.1:6443", certificate_authority = "bW9jaw==" }
      registry_url = "localhost:5001/caas"
      host         = "localhost"
      backends = {
        mongodb = { MONGODB_ADDRESS = "mongodb:27017" }
        kafka   = { KAFKA_BOOTSTRAP_SERVERS = "kafka:9092" }
        redis   = { REDIS_URL = "redis://redis:6379/0" }
        minio   = { S3_ENDPOINT_URL = "http://minio:9000" }
      }
    }
  }

  assert {
    condition     = length(module.kubernetes) + length(module.mongodb) + length(module.kafka) + length(module.redis) + length(module.ingress) + length(module.observability) == 0
    error_message = "A rehearsal makes what the mocked AWS lacks."
  }

  assert {
    condition     = output.cluster.name == "kind-rehearsal" && output.registry_url == "localhost:5001/caas" && output.dns.url == "https://localhost"
    error_message = "A rehearsal's outputs do not name the stand-ins."
  }

  assert {
    condition     = output.backends.redis == { secret = "AmazonMSK_caas/staging/redis", environment = tomap({ REDIS_URL = "redis://redis:6379/0" }) }
    error_message = "A rehearsal's backends have another shape than an environment's."
  }
}

run "observability" {
  module {
    source = "../modules/observability"
  }

  variables {
    name        = "caas-staging"
    environment = "staging"
    emails      = ["platform@example.com"]
    alarms = {
      mongodb-cpu = {
        description = "MongoDB is busy"
        namespace   = "AWS/DocDB"
        metric      = "CPUUtilization"
        statistic   = "Average"
        comparison  = "GreaterThanThreshold"
        threshold   = 80
        dimensions  = { DBClusterIdentifier = "caas-staging-mongodb" }
      }
    }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["mongodb-cpu"].alarm_name == "caas-staging-mongodb-cpu" && aws_cloudwatch_metric_alarm.this["mongodb-cpu"].alarm_actions == toset([aws_sns_topic.this.arn])
    error_message = "An alarm reaches nobody."
  }

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "600.0" && one(aws_budgets_budget.this.cost_filter).values == tolist(["user:environment$staging"])
    error_message = "The budget is not the environment's."
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "Alarms are not encrypted with the key."
  }
}
