variable "prefix" {
  type = string
}

variable "network" {
  type = object({
    vpc_id         = string
    cidr           = string
    public_subnets = list(string)
  })
}

variable "certificate_arn" {
  type = string
}

variable "function_paths" {
  type        = map(list(string))
  description = "Function -> paths that it answers, at most five of them; a payload may have 1 MB here."
  validation {
    condition     = alltrue([for paths in values(var.function_paths) : length(paths) >= 1 && length(paths) <= 5])
    error_message = "Each function needs 1 to 5 paths: a rule of the load balancer holds no more."
  }
}

variable "function_arns" {
  type        = map(string)
  description = "Alias of each function."
}

variable "edge_paths" {
  type        = list(string)
  description = "What a function cannot carry (held open, or larger than its payload limit), and how clients and other hosts find their way."
}

variable "edge_port" {
  type = number
}

variable "drain_seconds" {
  type = number
}

variable "protect" {
  type = bool
}
