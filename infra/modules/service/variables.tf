variable "cell" {
  type        = string
  description = "Name of the cell; begins, after `penfold-`, the name of everything."
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,6}$", var.cell))
    error_message = "cell must be 1 to 7 lower-case letters and digits: names of target groups have 32 characters."
  }
}

variable "definition" {
  type = object({
    table     = any
    queues    = any
    dead      = any
    bucket    = any
    key       = any
    functions = any
  })
  description = "infra/cell.json, decoded."
}

variable "table_name" {
  type        = string
  description = "See docs/operations-aws.md: Backup and restore."
  default     = null
}

variable "domain" {
  type        = string
  description = "The service's own domain."
  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a domain name in lower case, such as example.com."
  }
}

variable "existing_zone" {
  type        = bool
  description = "The domain already has a zone in this AWS account."
}

variable "release" {
  type        = string
  description = "What to run: packages at RELEASE/ in the packages' bucket, images with the tag RELEASE."
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", var.release))
    error_message = "release must be a tag of letters, digits, dots, underscores and dashes."
  }
}

variable "architecture" {
  type        = string
  description = "arm64, which costs a fifth less, or x86_64; for functions and edges alike."
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "network" {
  type = object({
    cidr          = string
    zones         = number
    private_edges = bool
  })
}

variable "edges" {
  type = map(object({
    cpu         = number
    memory      = number
    min         = number
    max         = number
    connections = optional(number)
  }))
  description = "Sizes of smtp, imap and http: CPU in 1/1024, memory in MB, tasks at least and at most, connections for each task."
  validation {
    condition     = length(setsubtract(["smtp", "imap", "http"], keys(var.edges))) == 0 && length(var.edges) == 3
    error_message = "edges must size smtp, imap and http."
  }
}

variable "relays" {
  type        = number
  description = "Fixed addresses from which mail leaves."
  validation {
    condition     = var.relays >= 0 && var.relays <= 5
    error_message = "relays must lie between 0 and 5, which is how many addresses a new AWS account may have."
  }
}

variable "run_relay" {
  type        = bool
  description = "Run the relay of this release; else only its place is kept."
}

variable "reverse_names" {
  type        = bool
  description = "Set the relays' PTR records; false until their A records answer."
}

variable "emails" {
  type        = set(string)
  description = "Who is told of alarms and of the budget."
  validation {
    condition     = length(var.emails) > 0 && alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+$", email))])
    error_message = "emails must name at least one address: somebody has to hear an alarm."
  }
}

variable "monthly_budget" {
  type = number
}

variable "oldest_seconds" {
  type        = number
  description = "Age of the oldest job at which somebody is told."
}

variable "recovery_days" {
  type = number
}

variable "log_days" {
  type = number
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_days)
    error_message = "log_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400: CloudWatch knows no other."
  }
}

variable "workers" {
  type = number
}

variable "write_limit" {
  type = number
}

variable "spot" {
  type = bool
}

variable "protect" {
  type        = bool
  description = "Refuse to delete what holds data, and the load balancers."
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
  validation {
    condition     = alltrue([for network in var.subscriptions_allow : can(cidrhost(network, 0))])
    error_message = "subscriptions_allow must name networks, such as 203.0.113.0/28."
  }
}
