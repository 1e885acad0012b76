variable "prefix" {
  type = string
}

variable "functions" {
  type = map(object({
    memory  = number
    timeout = number
    grants  = list(string)
    queue   = optional(string)
    batch   = optional(number)
    clock   = optional(map(object({ rate = string, input = string })), {})

    environment = optional(map(string), {})
  }))
  description = "One Lambda function each. `queue` makes it a worker, `clock` starts it at a rate with an input, `environment` are settings of its own."
  validation {
    condition     = alltrue([for f in values(var.functions) : f.queue == null || (coalesce(f.batch, 0) >= 1 && coalesce(f.batch, 0) <= 10)])
    error_message = "A function with a queue needs a batch of 1 to 10: a FIFO queue hands out no more."
  }
}

variable "statements" {
  type = map(list(object({
    Sid      = string
    Effect   = string
    Action   = list(string)
    Resource = list(string)
  })))
  description = "What each grant allows; from modules/access."
}

variable "queue_arns" {
  type = map(string)
}

variable "environment" {
  type        = map(string)
  description = "Settings of every function. Nothing secret: whoever may look at a function reads them."
}

variable "packages" {
  type = object({
    bucket  = string
    version = string
  })
  description = "Where the packages lie: VERSION/ARCHITECTURE/NAME.zip in this bucket."
}

variable "architecture" {
  type = string
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64, and the packages must be built for it."
  }
}

variable "stay_on" {
  type        = map(string)
  description = "During an upgrade: function -> published version that keeps most of the traffic; see docs/operations-aws.md."
}

variable "canary" {
  type        = number
  description = "Share of calls that the newest version gets while `stay_on` names an older one."
  validation {
    condition     = var.canary >= 0 && var.canary < 1
    error_message = "canary must be at least 0 and less than 1."
  }
}

variable "workers" {
  type        = number
  description = "Batches of a queue that are worked on at the same time, at most."
  validation {
    condition     = var.workers >= 2 && var.workers <= 1000
    error_message = "workers must lie between 2 and 1000."
  }
}

variable "log_days" {
  type = number
}
