variable "name" {
  description = "Prefix of every name, for example `caas-staging`."
  type        = string

  validation {
    condition     = length(var.name) <= 34
    error_message = "name must be at most 34 characters: ElastiCache's names end at 40."
  }
}

variable "vpc_id" {
  description = "Network that the nodes are in."
  type        = string
}

variable "subnet_ids" {
  description = "Data subnets, one in each zone."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Security group of those who may connect: the cluster's nodes."
  type        = string
}

variable "engine_version" {
  description = "Version of Valkey."
  type        = string
  default     = "8.1"
}

variable "node_type" {
  description = "Type of the nodes, for example `cache.t4g.small`."
  type        = string
}

variable "node_count" {
  description = "Number of nodes; two or more fail over by themselves."
  type        = number
}

variable "backup_retention_days" {
  description = "Days that daily snapshots are kept; 0 takes none."
  type        = number
}

variable "username" {
  description = "User that the services log in as."
  type        = string
}

variable "secret_arn" {
  description = "Secret with the user's password."
  type        = string
}

variable "secret_version_id" {
  description = "Version of the secret to use."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts data and logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long the slow log is kept."
  type        = number
}
