variable "project" {
  description = "Name of the project; the first part of every name."
  type        = string
  default     = "caas"
}

variable "account_id" {
  description = "Account that the environment is in; any other is refused."
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

variable "zone" {
  description = "Route 53 zone of the environment, as given to bootstrap."
  type        = string
}

variable "host" {
  description = "Host name that the platform answers on; in the zone."
  type        = string
}

variable "allowed_cidrs" {
  description = "Networks that may use the platform."
  type        = list(string)
}

variable "cors_origins" {
  description = "Web origins whose pages may upload and download attachments, for example `https://app.example.com`."
  type        = list(string)
}

variable "cluster_access_cidrs" {
  description = "Networks that may reach the API server from outside the VPC, for example your CI runners'; never 0.0.0.0/0."
  type        = list(string)
}

variable "cluster_admins" {
  description = "People who administer the cluster: a label for each IAM principal's ARN. The environment's deploy role always does."
  type        = map(string)
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget."
  type        = list(string)
}

variable "monthly_budget_usd" {
  description = "Told at 80 % spent, and when the forecast passes 100 %."
  type        = number
}

variable "registry_account_id" {
  description = "Account that holds the images; null means this one."
  type        = string
  default     = null
}

variable "password_version" {
  description = "Raise it by one to make new passwords for all backends."
  type        = number
  default     = 1
}

variable "stand_ins" {
  description = "For a rehearsal on a mocked AWS; see modules/platform. Null in a real environment."
  type = object({
    cluster      = object({ name = string, endpoint = string, certificate_authority = string })
    registry_url = string
    host         = string
    backends     = map(map(string))
  })
  default = null
}
