variable "name" {
  description = "Name of the load balancer, for example `caas-staging`."
  type        = string

  validation {
    condition     = length(var.name) <= 32
    error_message = "name must be at most 32 characters: load balancers' names end there."
  }
}

variable "vpc_id" {
  description = "Network that the load balancer is in."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, one in each zone."
  type        = list(string)
}

variable "node_security_group_id" {
  description = "Security group of the nodes."
  type        = string
}

variable "node_autoscaling_group" {
  description = "Auto Scaling group whose instances take the traffic."
  type        = string
}

variable "node_port" {
  description = "NodePort of the ingress controller's HTTPS; k8s/addons sets the same."
  type        = number
}

variable "allowed_cidrs" {
  description = "Networks that may use the platform."
  type        = list(string)
}

variable "host" {
  description = "Host name that the platform answers on."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone of the host name."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate for the host name."
  type        = string
}

variable "deletion_protection" {
  description = "Refuse to delete the load balancer."
  type        = bool
}
