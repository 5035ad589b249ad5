# ElastiCache for Valkey: TLS, encryption at rest, one user with a password.
resource "aws_elasticache_subnet_group" "this" {
  name       = "${var.name}-redis"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-redis"
  description = "Redis, from the nodes only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  security_group_id            = aws_security_group.this.id
  description                  = "Redis over TLS, from the nodes"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# The provider would store this user's password in state. CloudFormation resolves the reference inside AWS instead; the
# reference names the secret's version, so new passwords change the template and reach the user.
resource "aws_cloudformation_stack" "user" {
  #checkov:skip=CKV_AWS_124:The stack changes only within `terraform apply`, which reports its outcome
  name = "${var.name}-redis-user"

  template_body = jsonencode({
    Resources = {
      User = {
        Type = "AWS::ElastiCache::User"
        Properties = {
          UserId       = "${var.name}-services"
          UserName     = var.username
          Engine       = "valkey"
          AccessString = "on ~* &* +@all -@dangerous +info"
          Passwords    = ["{{resolve:secretsmanager:${var.secret_arn}:SecretString:password::${var.secret_version_id}}}"]
        }
      }
      Group = {
        Type = "AWS::ElastiCache::UserGroup"
        Properties = {
          UserGroupId = "${var.name}-services"
          Engine      = "valkey"
          UserIds     = [{ Ref = "User" }]
        }
      }
    }
    Outputs = { GroupId = { Value = { Ref = "Group" } } }
  })
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the environment's choice (log_retention_days)
  name              = "/aws/elasticache/${var.name}-redis"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_days
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV2_AWS_50:Two nodes or more fail over by themselves; how many is the environment's choice (node_count)
  replication_group_id       = "${var.name}-redis"
  description                = "Cache, presence and rate limits"
  engine                     = "valkey"
  engine_version             = var.engine_version
  node_type                  = var.node_type
  port                       = 6379
  num_cache_clusters         = var.node_count
  automatic_failover_enabled = var.node_count > 1
  multi_az_enabled           = var.node_count > 1
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.this.id]
  user_group_ids             = [aws_cloudformation_stack.user.outputs["GroupId"]]
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  snapshot_retention_limit   = var.backup_retention_days
  auto_minor_version_upgrade = true

  log_delivery_configuration {
    log_type         = "slow-log"
    log_format       = "json"
    destination_type = "cloudwatch-logs"
    destination      = aws_cloudwatch_log_group.this.name
  }
}
