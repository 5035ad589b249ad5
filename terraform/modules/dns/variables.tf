variable "zone" {
  description = "Route 53 zone, made by bootstrap and delegated by the owner of the domain above it."
  type        = string
}

variable "host" {
  description = "Host name that the platform answers on; in the zone."
  type        = string

  validation {
    condition     = var.host == var.zone || endswith(var.host, ".${var.zone}")
    error_message = "host must be the zone's own name or end in it."
  }
}
