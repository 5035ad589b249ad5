variable "name" {
  description = "What the key protects, for example `caas-staging`; also its alias."
  type        = string
}

variable "deletion_window_days" {
  description = "Days between a request to delete the key and its deletion, in which it can be cancelled."
  type        = number
  default     = 30
}
