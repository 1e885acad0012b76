variable "prefix" {
  type = string
}

variable "images" {
  type        = set(string)
  description = "Edges that have an image of their own."
}

variable "protect" {
  type        = bool
  description = "Keep bucket and repositories while they hold anything."
}
