# What must exist before any environment does. Applied by an administrator, once for each account.
data "aws_partition" "current" {}

# State and images have a key of their own; so has each environment, and its jobs can use that one but change none.
module "encryption" {
  source   = "../modules/encryption"
  for_each = toset(concat(["bootstrap"], keys(var.environments)))

  name = "${var.project}-${each.key}"
}

module "state" {
  source = "../modules/object-storage"

  prefix            = "${var.project}-${var.account_id}-"
  buckets           = ["terraform-state"]
  kms_key_arn       = module.encryption["bootstrap"].key_arn
  old_versions_days = 90
  cors_origins      = []
  force_destroy     = false
}

module "registry" {
  source = "../modules/registry"

  project            = var.project
  partition          = data.aws_partition.current.partition
  services           = var.services
  images_kept        = var.images_kept
  reader_account_ids = var.registry_reader_account_ids
  kms_key_arn        = module.encryption["bootstrap"].key_arn
}

# Here rather than in the environments, so that name servers stay the same when an environment is built anew.
resource "aws_route53_zone" "this" {
  #checkov:skip=CKV2_AWS_38:DNSSEC needs the owner of the domain above to take part; the guide says how
  #checkov:skip=CKV2_AWS_39:Queries for one public host name tell nothing that the load balancer does not
  for_each = var.environments

  name = each.value.zone
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

module "deploy_role" {
  source   = "../modules/deploy-role"
  for_each = var.environments

  name              = "${var.project}-${each.key}"
  project           = var.project
  environment       = each.key
  account_id        = var.account_id
  partition         = data.aws_partition.current.partition
  region            = var.region
  oidc_provider_arn = aws_iam_openid_connect_provider.github.arn
  subject_prefixes  = var.github_subject_prefixes
  state_bucket_arn  = module.state.bucket_arns["terraform-state"]
  bootstrap_key_arn = module.encryption["bootstrap"].key_arn
  key_arn           = module.encryption[each.key].key_arn
  zone_arn          = aws_route53_zone.this[each.key].arn
  repository_arns   = module.registry.repository_arns
  pushes_images     = each.value.pushes_images
}
