variable "project" {
  description = "Name of the project; the first part of every name."
  type        = string
  default     = "caas"
}

variable "account_id" {
  description = "Account to set up; any other is refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is 12 digits: `aws sts get-caller-identity --query Account --output text` prints it."
  }
}

variable "region" {
  description = "Region of the state, the registry and the environments."
  type        = string
}

variable "environments" {
  description = "Environments in this account: the DNS zone of each, and whether it receives new images or takes another's release."
  type        = map(object({ zone = string, pushes_images = bool }))
}

variable "github_subject_prefixes" {
  description = "How GitHub names the repository in its tokens. Repositories made, renamed or moved since 2026-07-15: `repo:ORG@ORG_ID/REPO@REPO_ID`; older ones: `repo:ORG/REPO`."
  type        = list(string)

  validation {
    condition     = length(var.github_subject_prefixes) > 0 && alltrue([for prefix in var.github_subject_prefixes : can(regex("^repo:[^/:*]+/[^/:*]+$", prefix))])
    error_message = "Each of github_subject_prefixes names one repository, `repo:ORG@ORG_ID/REPO@REPO_ID` or `repo:ORG/REPO`, without a wildcard."
  }
}

variable "services" {
  description = "Services that have an image; empty where another account holds the registry."
  type        = set(string)
  default     = ["billing", "gateway", "messaging", "sockets"]
}

variable "images_kept" {
  description = "Images kept in each repository."
  type        = number
  default     = 500
}

variable "registry_reader_account_ids" {
  description = "Other accounts whose clusters run these images."
  type        = list(string)
  default     = []
}
