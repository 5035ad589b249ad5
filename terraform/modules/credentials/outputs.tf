output "secrets" {
  description = "For each backend: the secret's name, its ARN and the ID of its current version."
  value = {
    for key, secret in aws_secretsmanager_secret.this : key => {
      name       = secret.name
      arn        = secret.arn
      version_id = aws_secretsmanager_secret_version.this[key].version_id
    }
  }
}

output "mongodb_password" {
  description = "MongoDB's password; never stored."
  value       = jsondecode(ephemeral.aws_secretsmanager_secret_version.mongodb.secret_string).password
  ephemeral   = true
}
