output "state_bucket" {
  description = "Bucket for `terraform init -backend-config=bucket=...`."
  value       = "${var.project}-${var.account_id}-terraform-state"
  depends_on  = [module.state]
}

output "repository_urls" {
  description = "Where each service's images go."
  value       = module.registry.repository_urls
}

output "deploy_role_arns" {
  description = "For each environment, the role that its GitHub jobs take."
  value       = { for environment, deploy in module.deploy_role : environment => deploy.role_arn }
}

output "permissions_boundary_arns" {
  description = "For each environment, the boundary that its roles carry."
  value       = { for environment, deploy in module.deploy_role : environment => deploy.permissions_boundary_arn }
}

output "name_servers" {
  description = "For each environment, the name servers to enter as NS records in the domain above."
  value       = { for environment, zone in aws_route53_zone.this : environment => zone.name_servers }
}
