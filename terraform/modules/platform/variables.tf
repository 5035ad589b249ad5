variable "project" {
  description = "Name of the project; the first part of every name."
  type        = string
}

variable "environment" {
  description = "Name of the environment; the second part of every name."
  type        = string
}

variable "account_id" {
  description = "Account that the environment is in."
  type        = string
}

variable "partition" {
  description = "AWS partition, for example `aws`."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "availability_zones" {
  description = "Three zones of the region."
  type        = list(string)
}

variable "cidr" {
  description = "Address range of the network, a /16 of its own for each environment."
  type        = string
}

variable "resilient" {
  description = "Production's precautions: a NAT gateway in each zone, nothing important can be deleted by accident."
  type        = bool
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, for kind and EKS alike."
  type        = string
}

variable "nodes" {
  description = "Type and number of the cluster's nodes."
  type        = object({ type = string, count = number })
}

variable "cluster_access_cidrs" {
  description = "Networks that may reach the API server from outside the VPC."
  type        = list(string)
}

variable "cluster_admins" {
  description = "Who administers the cluster: a label for each IAM principal's ARN."
  type        = map(string)
}

variable "namespace" {
  description = "Kubernetes namespace of the services."
  type        = string
  default     = "caas"
}

variable "mongodb" {
  description = "Type and number of DocumentDB's instances."
  type        = object({ type = string, count = number })
}

variable "kafka" {
  description = "Type and disk of MSK's brokers, one in each zone."
  type        = object({ type = string, disk_gb = number })
}

variable "redis" {
  description = "Type and number of ElastiCache's nodes."
  type        = object({ type = string, count = number })
}

variable "username" {
  description = "User that the services log in to the backends as."
  type        = string
}

variable "secrets" {
  description = "For each backend: name, ARN and current version of the secret with its login."
  type        = map(object({ name = string, arn = string, version_id = string }))
}

variable "mongodb_password" {
  description = "Password of MongoDB's user; in no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "password_version" {
  description = "Changes when the passwords do."
  type        = number
}

variable "registry_url" {
  description = "Where the images are, without the service's name."
  type        = string
}

variable "zone" {
  description = "Route 53 zone, made by bootstrap."
  type        = string
}

variable "host" {
  description = "Host name that the platform answers on."
  type        = string
}

variable "allowed_cidrs" {
  description = "Networks that may use the platform."
  type        = list(string)
}

variable "cors_origins" {
  description = "Web origins whose pages may upload and download attachments."
  type        = list(string)
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget."
  type        = list(string)
}

variable "monthly_budget_usd" {
  description = "Told at 80 % spent, and when the forecast passes 100 %."
  type        = number
}

variable "backup_retention_days" {
  description = "Days of backups, and of overwritten or deleted objects."
  type        = number
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts the environment's data."
  type        = string
}

variable "stand_ins" {
  description = "For a rehearsal on a mocked AWS: leaves out the modules kubernetes, mongodb, kafka, redis, ingress and observability, and says what is used instead. Null in a real environment."
  type = object({
    cluster      = object({ name = string, endpoint = string, certificate_authority = string })
    registry_url = string
    host         = string
    backends     = map(map(string))
  })
}
