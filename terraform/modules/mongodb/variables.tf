variable "name" {
  description = "Prefix of every name, for example `caas-staging`."
  type        = string
}

variable "vpc_id" {
  description = "Network that the cluster is in."
  type        = string
}

variable "subnet_ids" {
  description = "Data subnets, one in each zone."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Security group of those who may connect: the nodes."
  type        = string
}

variable "engine_version" {
  description = "Version of DocumentDB."
  type        = string
  default     = "5.0.0"
}

variable "instance_type" {
  description = "Type of the instances, for example `db.t4g.medium`."
  type        = string
}

variable "instance_count" {
  description = "Number of instances; two or more survive the loss of a zone."
  type        = number
}

variable "backup_retention_days" {
  description = "Days of point-in-time recovery."
  type        = number
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster, and take a last snapshot if it is deleted all the same."
  type        = bool
}

variable "username" {
  description = "User that the services log in as."
  type        = string
}

variable "password" {
  description = "The user's password; in no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "password_version" {
  description = "Changes when the password does, which state cannot tell."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts data, backups and logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long audit and profiler logs are kept."
  type        = number
}

variable "ca_file" {
  description = "Where pods find the CA of DocumentDB's certificates, which is not among the public ones."
  type        = string
  default     = "/etc/ssl/rds/global-bundle.pem"
}
