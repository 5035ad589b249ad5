data "aws_partition" "current" {}

data "aws_kms_alias" "this" {
  name = "alias/${local.name}"
}

locals {
  environment = "production"
  name        = "${var.project}-${local.environment}"
  username    = "caas"
}

# The backends of this environment that have a login. A rehearsal's store, MinIO, has one; S3 needs none.
# MSK accepts only secrets named `AmazonMSK_...`; all have that prefix, so that one store in the cluster finds them all.
module "credentials" {
  source = "../../modules/credentials"

  kms_key_arn          = data.aws_kms_alias.this.target_key_arn
  password_version     = var.password_version
  recovery_window_days = 30
  secrets = {
    for backend in concat(["mongodb", "kafka", "redis"], var.stand_ins != null ? ["minio"] : []) : backend => {
      name     = "AmazonMSK_${var.project}/${local.environment}/${backend}"
      username = local.username
    }
  }
}

module "platform" {
  source = "../../modules/platform"

  project            = var.project
  environment        = local.environment
  account_id         = var.account_id
  partition          = data.aws_partition.current.partition
  region             = var.region
  availability_zones = var.availability_zones
  kms_key_arn        = data.aws_kms_alias.this.target_key_arn
  stand_ins          = var.stand_ins

  cidr               = "10.30.0.0/16"
  resilient          = true
  kubernetes_version = jsondecode(file("${path.module}/../../../k8s/versions.json")).kubernetes
  nodes              = { type = "m7i.large", count = 3 }
  mongodb            = { type = "db.r6g.large", count = 2 }
  kafka              = { type = "kafka.m7g.large", disk_gb = 100 }
  redis              = { type = "cache.m7g.large", count = 2 }

  backup_retention_days = 30
  log_retention_days    = 365

  username         = local.username
  secrets          = module.credentials.secrets
  mongodb_password = module.credentials.mongodb_password
  password_version = var.password_version

  registry_url         = "${coalesce(var.registry_account_id, var.account_id)}.dkr.ecr.${var.region}.${data.aws_partition.current.dns_suffix}/${var.project}"
  zone                 = var.zone
  host                 = var.host
  allowed_cidrs        = var.allowed_cidrs
  cors_origins         = var.cors_origins
  cluster_access_cidrs = var.cluster_access_cidrs
  cluster_admins = merge(var.cluster_admins, {
    deploy = "arn:${data.aws_partition.current.partition}:iam::${var.account_id}:role/${local.name}-deploy"
  })
  alarm_emails       = var.alarm_emails
  monthly_budget_usd = var.monthly_budget_usd
}
