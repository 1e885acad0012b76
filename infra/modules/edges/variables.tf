variable "prefix" {
  type = string
}

variable "services" {
  type = map(object({
    image       = string
    ports       = map(object({ listen = number, container = number }))
    grants      = list(string)
    environment = optional(map(string), {})
    cpu         = number
    memory      = number
    min         = number
    max         = number
    connections = optional(number)
  }))
  description = "Edges. `ports` are TCP ports of the network load balancer; `connections` for each task make it grow by them, else by CPU."
  validation {
    condition     = alltrue([for s in values(var.services) : s.min >= 1 && s.max >= s.min])
    error_message = "min must be at least 1 and max at least min."
  }
}

variable "architecture" {
  type = string
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64, and the images must be built for it."
  }
}

variable "spot" {
  type        = bool
  description = "Run on spare capacity at about a third of the price; a task can be taken away with two minutes' notice."
}

variable "network" {
  type = object({
    vpc_id         = string
    cidr           = string
    public_subnets = list(string)
    edge_subnets   = list(string)
    private        = bool
  })
}

variable "http" {
  type = object({
    target_group_arn = string
    security_group   = string
    port             = number
  })
  description = "Where the load balancer for HTTP finds the service `http`."
}

variable "statements" {
  type = map(list(object({
    Sid      = string
    Effect   = string
    Action   = list(string)
    Resource = list(string)
  })))
}

variable "repository_arn" {
  type        = string
  description = "Where the image of all edges lies; each runs another part of it."
}

variable "environment" {
  type = map(string)
}

variable "tls_secret_arn" {
  type        = string
  description = "Secret with the keys `certificate` and `key` (PEM), which edges read at their start."
}

variable "health" {
  type        = list(string)
  description = "Command in the container that ends with 0 while the edge is well; none with an empty list."
}

variable "drain_seconds" {
  type        = number
  description = "How long an edge takes to finish what is under way after SIGTERM."
  validation {
    condition     = var.drain_seconds >= 1 && var.drain_seconds <= 105
    error_message = "drain_seconds must lie between 1 and 105: the platform waits 120 seconds at most, and 15 are kept in reserve."
  }
}

variable "protect" {
  type = bool
}

variable "log_days" {
  type = number
}
