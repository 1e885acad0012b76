variable "prefix" {
  type = string
}

variable "table_arn" {
  type = string
}

variable "bucket_arn" {
  type = string
}

variable "secrets_arn" {
  type = string
}

variable "key_arn" {
  type = string
}

variable "queue_arns" {
  type = map(string)
}
