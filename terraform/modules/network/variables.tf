variable "name" {
  description = "Prefix of every name, for example `caas-staging`."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "cidr" {
  description = "Address range of the network, a /16."
  type        = string

  validation {
    condition     = can(cidrsubnet(var.cidr, 8, 0)) && endswith(var.cidr, "/16")
    error_message = "cidr must be a /16, for example 10.20.0.0/16: the subnets are cut from it."
  }
}

variable "availability_zones" {
  description = "Zones to spread over. Named, not looked up, so that a new zone in the region moves nothing."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) == 3
    error_message = "Name three availability_zones: the Kafka brokers and the cluster's control plane are spread over three."
  }
}

variable "nat_per_zone" {
  description = "One NAT gateway in each zone (survives the loss of a zone) instead of one for all (a third of the price)."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
}

variable "permissions_boundary_arn" {
  description = "Upper limit of what the flow logs' role may do; made by bootstrap."
  type        = string
}
