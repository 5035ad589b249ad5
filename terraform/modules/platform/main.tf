# One environment: both call this module and differ in values, never in shape.
locals {
  name = "${var.project}-${var.environment}"

  # A rehearsal runs against a mocked AWS. What the mock lacks is left out, and `stand_ins` says what is used instead.
  managed = var.stand_ins == null ? toset(["this"]) : toset([])

  permissions_boundary_arn = "arn:${var.partition}:iam::${var.account_id}:policy/${local.name}-boundary"
  bucket_prefix            = "${local.name}-${var.account_id}-"

  # Of the ingress controller's HTTPS, on every node; as in k8s/addons/ingress-nginx.
  ingress_node_port = 30443
}

module "network" {
  source = "../network"

  name                     = local.name
  region                   = var.region
  cidr                     = var.cidr
  availability_zones       = var.availability_zones
  nat_per_zone             = var.resilient
  kms_key_arn              = var.kms_key_arn
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = local.permissions_boundary_arn
}

module "kubernetes" {
  source   = "../kubernetes"
  for_each = local.managed

  name                     = local.name
  partition                = var.partition
  kubernetes_version       = var.kubernetes_version
  subnet_ids               = module.network.private_subnet_ids
  public_access_cidrs      = var.cluster_access_cidrs
  admins                   = var.cluster_admins
  pods                     = local.pods
  node_type                = var.nodes.type
  node_count               = var.nodes.count
  kms_key_arn              = var.kms_key_arn
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = local.permissions_boundary_arn
}

module "mongodb" {
  source   = "../mongodb"
  for_each = local.managed

  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.data_subnet_ids
  client_security_group_id = module.kubernetes["this"].node_security_group_id
  instance_type            = var.mongodb.type
  instance_count           = var.mongodb.count
  backup_retention_days    = var.backup_retention_days
  deletion_protection      = var.resilient
  username                 = var.username
  password                 = var.mongodb_password
  password_version         = var.password_version
  kms_key_arn              = var.kms_key_arn
  log_retention_days       = var.log_retention_days
}

module "kafka" {
  source   = "../kafka"
  for_each = local.managed

  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.data_subnet_ids
  client_security_group_id = module.kubernetes["this"].node_security_group_id
  broker_type              = var.kafka.type
  broker_disk_gb           = var.kafka.disk_gb
  secret_arn               = var.secrets["kafka"].arn
  kms_key_arn              = var.kms_key_arn
  log_retention_days       = var.log_retention_days
}

module "redis" {
  source   = "../redis"
  for_each = local.managed

  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.data_subnet_ids
  client_security_group_id = module.kubernetes["this"].node_security_group_id
  node_type                = var.redis.type
  node_count               = var.redis.count
  backup_retention_days    = var.backup_retention_days
  username                 = var.username
  secret_arn               = var.secrets["redis"].arn
  secret_version_id        = var.secrets["redis"].version_id
  kms_key_arn              = var.kms_key_arn
  log_retention_days       = var.log_retention_days
}

module "object_storage" {
  source = "../object-storage"

  prefix            = local.bucket_prefix
  buckets           = ["attachments", "invoices"]
  old_versions_days = var.backup_retention_days
  cors_origins      = var.cors_origins
  force_destroy     = !var.resilient
  kms_key_arn       = var.kms_key_arn
}

module "dns" {
  source = "../dns"

  zone = var.zone
  host = var.host
}

module "ingress" {
  source   = "../ingress"
  for_each = local.managed

  name                   = local.name
  vpc_id                 = module.network.vpc_id
  subnet_ids             = module.network.public_subnet_ids
  node_security_group_id = module.kubernetes["this"].node_security_group_id
  node_autoscaling_group = module.kubernetes["this"].node_autoscaling_group
  node_port              = local.ingress_node_port
  allowed_cidrs          = var.allowed_cidrs
  host                   = var.host
  zone_id                = module.dns.zone_id
  certificate_arn        = module.dns.certificate_arn
  deletion_protection    = var.resilient
}

module "observability" {
  source   = "../observability"
  for_each = local.managed

  name               = local.name
  environment        = var.environment
  account_id         = var.account_id
  emails             = var.alarm_emails
  monthly_budget_usd = var.monthly_budget_usd
  kms_key_arn        = var.kms_key_arn
  alarms = merge(
    module.kubernetes["this"].alarms,
    module.mongodb["this"].alarms,
    module.kafka["this"].alarms,
    module.redis["this"].alarms,
    module.ingress["this"].alarms,
  )
}
