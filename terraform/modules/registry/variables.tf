variable "project" {
  description = "First part of each repository's name."
  type        = string
}

variable "partition" {
  description = "AWS partition, for example `aws`."
  type        = string
}

variable "services" {
  description = "Services that have an image; empty where another account holds the registry."
  type        = set(string)
}

variable "images_kept" {
  description = "Images kept in each repository. More than can ever be rolled back to."
  type        = number
}

variable "reader_account_ids" {
  description = "Other accounts whose clusters run these images."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "Key that encrypts the images."
  type        = string
}
