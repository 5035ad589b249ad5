output "role_arn" {
  description = "ARN of the role, for the GitHub environment."
  value       = aws_iam_role.this.arn
}

output "permissions_boundary_arn" {
  description = "ARN of the boundary that the environment's roles must carry."
  value       = aws_iam_policy.boundary.arn
}
