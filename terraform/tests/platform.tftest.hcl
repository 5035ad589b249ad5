# A whole environment, put together, and its contract with k8s/overlays.
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
    condition = output.cluster == {
      name                  = "caas-staging"
      region                = "eu-central-1"
      endpoint              = "https://cluster.mock"
      certificate_authority = "bW9jaw=="
      kubernetes_version    = "1.34"
      namespace             = "caas"
      roles = {
        billing          = "caas-staging-billing"
        external-secrets = "caas-staging-external-secrets"
        init             = "caas-staging-init"
        messaging        = "caas-staging-messaging"
      }
    }
    error_message = "The output `cluster` has another shape than terraform/README.md says."
  }

  assert {
    condition = output.backends.mongodb == {
      secret = "AmazonMSK_caas/staging/mongodb"
      environment = tomap({
        MONGODB_USERNAME = "caas"
        MONGODB_ADDRESS  = "mongodb.mock:27017/?tls=true&tlsCAFile=/etc/ssl/rds/global-bundle.pem&replicaSet=rs0&retryWrites=false"
      })
    }
    error_message = "The output `backends.mongodb` has another shape than terraform/README.md says."
  }

  assert {
    condition     = output.backends.kafka.secret == "AmazonMSK_caas/staging/kafka" && output.backends.kafka.environment.KAFKA_BOOTSTRAP_SERVERS == "kafka-1.mock:9096,kafka-2.mock:9096,kafka-3.mock:9096"
    error_message = "The output `backends.kafka` has another shape than terraform/README.md says."
  }

  assert {
    condition     = output.backends.redis.secret == "AmazonMSK_caas/staging/redis" && output.backends.redis.environment == tomap({ REDIS_URL = "rediss://caas@redis.mock:6379/0" })
    error_message = "The output `backends.redis` has another shape than terraform/README.md says."
  }

  assert {
    condition     = output.backends.minio.secret == null && output.backends.minio.environment.S3_BUCKET_PREFIX == "caas-staging-123456789012-"
    error_message = "The output `backends.minio` has another shape than terraform/README.md says."
  }

  assert {
    condition     = output.registry_url == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/caas" && output.dns.url == "https://staging.example.com"
    error_message = "The outputs `registry_url` and `dns` have another shape than terraform/README.md says."
  }

  assert {
    condition     = keys(module.kubernetes["this"].roles) == keys(output.cluster.roles) && length(module.network.private_subnet_ids) == 3
    error_message = "The roles that are promised are not the ones that are made."
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
