variable "region" {
  type = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as eu-central-1."
  }
}

variable "table_name" {
  type        = string
  description = "The cell's table after it was restored; else it is named after the cell."
  default     = null
}

variable "domain" {
  type = string
}

variable "existing_zone" {
  type    = bool
  default = false
}

variable "release" {
  type = string
}

variable "architecture" {
  type    = string
  default = "arm64"
}

variable "emails" {
  type = set(string)
}

variable "cell" {
  type    = string
  default = "dev"
}

variable "monthly_budget" {
  type    = number
  default = 100
}

variable "edges" {
  type = map(object({
    cpu         = number
    memory      = number
    min         = number
    max         = number
    connections = optional(number)
  }))
  default = {
    smtp = { cpu = 256, memory = 512, min = 1, max = 2 }
    imap = { cpu = 256, memory = 512, min = 1, max = 2 }
    http = { cpu = 256, memory = 512, min = 1, max = 2 }
  }
}

variable "subscriptions_allow" {
  type        = list(string)
  description = "Networks from which calendars may be fetched though they are not public; see docs/operations.md: Calendars from elsewhere."
  default     = []
}
