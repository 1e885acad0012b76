variable "prefix" {
  type = string
}

variable "emails" {
  type        = set(string)
  description = "Who is told; each confirms the first mail. Use addresses that this service does not carry."
}
