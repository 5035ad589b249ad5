variable "name" {
  description = "Name of the cluster, for example `caas-staging`, and prefix of its roles."
  type        = string
}

variable "partition" {
  description = "AWS partition, for example `aws`."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, for example `1.34`; the same file tells kind (k8s/versions.json)."
  type        = string

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "kubernetes_version is a minor version such as 1.34: EKS chooses the patch."
  }
}

variable "subnet_ids" {
  description = "Private subnets of the nodes and of the control plane's interfaces."
  type        = list(string)
}

variable "public_access_cidrs" {
  description = "Networks that may reach the API server from outside; empty means only from inside the VPC."
  type        = list(string)

  validation {
    condition     = !contains(var.public_access_cidrs, "0.0.0.0/0") && !contains(var.public_access_cidrs, "::/0")
    error_message = "public_access_cidrs must not open the API server to everybody: name the networks, or leave it empty and run promotions inside the VPC."
  }
}

variable "admins" {
  description = "Who administers the cluster: a label for each IAM principal's ARN."
  type        = map(string)
}

variable "pods" {
  description = "AWS rights of pods: service account, namespace and IAM policy (JSON) by role name."
  type        = map(object({ namespace = string, service_account = string, policy = string }))
}

variable "node_type" {
  description = "EC2 type of the nodes, x86-64 like the tested images."
  type        = string
}

variable "node_count" {
  description = "Number of nodes."
  type        = number

  validation {
    condition     = var.node_count >= 2
    error_message = "node_count must be at least 2: pods are spread so that one node may fail."
  }
}

variable "node_disk_gb" {
  description = "Size of each node's disk."
  type        = number
  default     = 40
}

variable "kms_key_arn" {
  description = "Key that encrypts the cluster's secrets and logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long control-plane logs are kept."
  type        = number
}

variable "permissions_boundary_arn" {
  description = "Upper limit of what the roles made here may do; made by bootstrap."
  type        = string
}
