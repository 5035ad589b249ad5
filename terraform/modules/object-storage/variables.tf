variable "prefix" {
  description = "Put before each bucket's name, which must be unique in all of AWS; S3_BUCKET_PREFIX of the services."
  type        = string
}

variable "buckets" {
  description = "Names of the buckets, as the services know them."
  type        = set(string)
}

variable "old_versions_days" {
  description = "Days that overwritten or deleted objects can be restored."
  type        = number
}

variable "cors_origins" {
  description = "Web origins whose pages may use presigned URLs, for example `https://app.example.com`; empty for none."
  type        = list(string)
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete buckets that hold objects."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key that encrypts the objects."
  type        = string
}
