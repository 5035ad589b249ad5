variable "name" {
  description = "Prefix of every name, for example `caas-staging`."
  type        = string
}

variable "vpc_id" {
  description = "Network that the brokers are in."
  type        = string
}

variable "subnet_ids" {
  description = "Data subnets; there is one broker in each."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Security group of those who may connect: the nodes."
  type        = string
}

variable "kafka_version" {
  description = "Version of Kafka as MSK names it; the local image is of the same minor version."
  type        = string
  default     = "4.1.x.kraft"

  validation {
    condition     = endswith(var.kafka_version, ".kraft")
    error_message = "kafka_version must end in .kraft: locally, too, Kafka runs without ZooKeeper."
  }
}

variable "broker_type" {
  description = "Type of the brokers, for example `kafka.t3.small`."
  type        = string
}

variable "broker_disk_gb" {
  description = "Disk of each broker; it can grow later, never shrink."
  type        = number
}

variable "secret_arn" {
  description = "Secret with the services' login. MSK demands a name that starts with `AmazonMSK_` and a key of one's own."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts data and logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long broker logs are kept."
  type        = number
}
