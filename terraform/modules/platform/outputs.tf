# The contract with k8s/overlays: `devenv promote` carries these over, and nothing else.
locals {
  backends = var.stand_ins != null ? var.stand_ins.backends : {
    mongodb = {
      MONGODB_USERNAME = var.username
      MONGODB_ADDRESS  = module.mongodb["this"].address
    }
    kafka = {
      KAFKA_BOOTSTRAP_SERVERS  = module.kafka["this"].bootstrap_servers
      KAFKA_REPLICATION_FACTOR = module.kafka["this"].replication_factor
      KAFKA_SECURITY_PROTOCOL  = module.kafka["this"].security_protocol
      KAFKA_SASL_MECHANISM     = module.kafka["this"].sasl_mechanism
      KAFKA_USERNAME           = var.username
    }
    redis = {
      REDIS_URL = module.redis["this"].url
    }
    # Empty means: AWS itself, and the pod's own identity.
    minio = {
      S3_ENDPOINT_URL  = ""
      S3_PUBLIC_URL    = ""
      S3_REGION        = var.region
      S3_BUCKET_PREFIX = local.bucket_prefix
      S3_ACCESS_KEY_ID = ""
    }
  }
}

output "cluster" {
  description = "The Kubernetes cluster: how to reach it, the services' namespace, the ingress controller's NodePort, and the pods' AWS roles by service account."
  value = {
    name                  = var.stand_ins != null ? var.stand_ins.cluster.name : local.name
    region                = var.region
    endpoint              = var.stand_ins != null ? var.stand_ins.cluster.endpoint : module.kubernetes["this"].endpoint
    certificate_authority = var.stand_ins != null ? var.stand_ins.cluster.certificate_authority : module.kubernetes["this"].certificate_authority
    kubernetes_version    = var.stand_ins != null ? var.kubernetes_version : module.kubernetes["this"].version
    namespace             = var.namespace
    ingress_node_port     = local.ingress_node_port
    roles                 = { for name in keys(local.pods) : name => "${local.name}-${name}" }
  }
}

output "registry_url" {
  description = "Where the images are, without the service's name."
  value       = var.stand_ins != null ? var.stand_ins.registry_url : var.registry_url
}

output "backends" {
  description = "For each backend: the services' environment (keys as in compose/services.yml, no password), and the name of the secret with `username` and `password`; null where the pod's identity is enough."
  value = {
    for name, environment in local.backends : name => {
      environment = tomap(environment)
      secret      = try(var.secrets[name].name, null)
    }
  }
}

output "dns" {
  description = "Where the platform answers."
  value = {
    zone = var.zone
    host = var.stand_ins != null ? var.stand_ins.host : var.host
    url  = "https://${var.stand_ins != null ? var.stand_ins.host : var.host}"
  }
}
