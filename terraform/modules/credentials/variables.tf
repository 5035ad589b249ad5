variable "secrets" {
  description = "For each backend, `mongodb` among them, the secret's name in Secrets Manager and the user it is for."
  type        = map(object({ name = string, username = string }))
}

variable "password_version" {
  description = "Raise it by one to make new passwords."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts the secrets."
  type        = string
}

variable "recovery_window_days" {
  description = "Days in which a deleted secret can be restored; 0 deletes at once."
  type        = number
}
