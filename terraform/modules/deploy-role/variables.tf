variable "name" {
  description = "Prefix of every name of the environment, for example `caas-staging`."
  type        = string
}

variable "project" {
  description = "Name of the project, for example `caas`."
  type        = string
}

variable "environment" {
  description = "Name of the environment, in GitHub and here."
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
  description = "Region that the environment is in; the role can work in no other."
  type        = string
}

variable "oidc_provider_arn" {
  description = "GitHub's identity provider in this account."
  type        = string
}

variable "subject_prefixes" {
  description = "How GitHub names the repository in tokens; see bootstrap."
  type        = list(string)
}

variable "state_bucket_arn" {
  description = "Bucket that holds the Terraform state."
  type        = string
}

variable "bootstrap_key_arn" {
  description = "Key that encrypts the state."
  type        = string
}

variable "key_arn" {
  description = "Key that encrypts the environment's data."
  type        = string
}

variable "zone_arn" {
  description = "Route 53 zone of the environment."
  type        = string
}

variable "repository_arns" {
  description = "Repositories of the services' images; empty where another account holds them."
  type        = list(string)
}

variable "pushes_images" {
  description = "Whether the environment receives new images. One that takes another's release needs to read only."
  type        = bool
}
