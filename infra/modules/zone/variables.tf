variable "domain" {
  type = string
}

variable "existing" {
  type        = bool
  description = "Use the zone that is there, rather than making one; a new one must be named by the parent's NS records before certificates can be proved."
}
