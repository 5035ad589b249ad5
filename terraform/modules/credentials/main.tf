# AWS makes each password, and Secrets Manager keeps it: values pass through memory only (ephemeral resources,
# write-only arguments) and are in no plan and no state. Raise `password_version` to make new ones.
resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Raising password_version rotates all three sides (secret, backend, pods) in one promotion; a timer would break open clients
  for_each = var.secrets

  name                    = each.value.name
  description             = "Login of ${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

ephemeral "aws_secretsmanager_random_password" "this" {
  for_each = var.secrets

  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = var.secrets

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo_version = var.password_version
  secret_string_wo = jsonencode({
    username = each.value.username
    password = ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  })
}

# MSK and ElastiCache read their secret themselves; DocumentDB must be told. It is told what was stored, not what was
# drawn: an apply that stops half-way goes on with the same password.
ephemeral "aws_secretsmanager_secret_version" "mongodb" {
  secret_id  = aws_secretsmanager_secret_version.this["mongodb"].secret_id
  version_id = aws_secretsmanager_secret_version.this["mongodb"].version_id
}
