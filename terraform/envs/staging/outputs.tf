output "cluster" {
  description = "The Kubernetes cluster: how to reach it, the services' namespace, the ingress controller's NodePort, and the pods' AWS roles by service account."
  value       = module.platform.cluster
}

output "registry_url" {
  description = "Where the images are, without the service's name."
  value       = module.platform.registry_url
}

output "backends" {
  description = "For each backend, the services' environment and the name of the secret with its login."
  value       = module.platform.backends
}

output "dns" {
  description = "Where the platform answers."
  value       = module.platform.dns
}
