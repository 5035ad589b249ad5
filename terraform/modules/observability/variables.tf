variable "name" {
  description = "Prefix of every name, for example `caas-staging`."
  type        = string
}

variable "environment" {
  description = "Value of the `environment` tag whose cost the budget counts."
  type        = string
}

variable "account_id" {
  description = "Account whose alarms may publish."
  type        = string
}

variable "emails" {
  description = "Who is told; each address confirms once."
  type        = list(string)
}

variable "alarms" {
  description = "What to watch, by alarm name. Three periods of five minutes beyond the threshold raise the alarm."
  type = map(object({
    description = string
    namespace   = string
    metric      = string
    statistic   = string
    comparison  = string
    threshold   = number
    dimensions  = map(string)
  }))
}

variable "monthly_budget_usd" {
  description = "Told at 80 % spent, and when the forecast passes 100 %."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts the messages."
  type        = string
}
