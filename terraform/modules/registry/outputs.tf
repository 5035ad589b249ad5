output "repository_urls" {
  description = "URL of each service's repository."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.repository_url }
}

output "repository_arns" {
  description = "ARN of each repository."
  value       = [for repository in aws_ecr_repository.this : repository.arn]
}
