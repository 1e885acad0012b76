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
  default = "prod"
}

variable "monthly_budget" {
  type    = number
  default = 1000
}

variable "edges" {
  type = map(object({
    cpu         = number
    memory      = number
    min         = number
    max         = number
    connections = optional(number)
  }))
  description = "An idle connection takes 20 KB, so a task of 1 GB is asked to hold 20,000 and has room for the double, when its neighbour dies."
  default = {
    smtp = { cpu = 256, memory = 512, min = 2, max = 20 }
    imap = { cpu = 256, memory = 1024, min = 2, max = 40, connections = 20000 }
    http = { cpu = 256, memory = 512, min = 2, max = 20 }
  }
}

variable "zones" {
  type    = number
  default = 2
}

variable "private_edges" {
  type        = bool
  description = "Edges without public addresses. Dear: see infra/README.md. Without it their firewalls admit the load balancers alone."
  default     = false
}

variable "run_relay" {
  type        = bool
  description = "True once AWS has opened port 25; see docs/operations-aws.md."
  default     = false
}

variable "reverse_names" {
  type        = bool
  description = "True from the second apply on, when the relays' A records answer."
  default     = false
}

variable "stay_on" {
  type        = map(string)
  description = "See docs/operations-aws.md: Upgrade."
  default     = {}
}

variable "canary" {
  type    = number
  default = 0
}

variable "subscriptions_allow" {
  type        = list(string)
  description = "Networks from which calendars may be fetched though they are not public; see docs/operations.md: Calendars from elsewhere."
  default     = []
}
