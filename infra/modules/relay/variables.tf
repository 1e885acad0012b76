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

variable "names" {
  type        = list(string)
  description = "Host names under which mail leaves, one fixed address each. The relay greets with them, and PTR and A name each other."
}

variable "reverse_names" {
  type        = bool
  description = "Set the PTR records. Only after the A records answer; AWS looks them up."
}

variable "image" {
  type        = string
  description = "Image of the relay; null keeps the place and its addresses and runs nothing."
}

variable "statements" {
  type = map(list(object({
    Sid      = string
    Effect   = string
    Action   = list(string)
    Resource = list(string)
  })))
}

variable "grants" {
  type = list(string)
}

variable "repository_arn" {
  type = string
}

variable "environment" {
  type = map(string)
}

variable "architecture" {
  type = string
}

variable "instance_types" {
  type        = map(string)
  description = "Architecture -> the smallest machine that does it."
  default     = { arm64 = "t4g.micro", x86_64 = "t3a.micro" }
}

variable "drain_seconds" {
  type = number
}

variable "log_days" {
  type = number
}

variable "alarm_topic_arn" {
  type = string
}
