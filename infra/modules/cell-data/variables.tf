variable "name" {
  type        = string
  description = "Name of the table; also begins the names of the bucket and the key."
}

variable "table_name" {
  type        = string
  description = "Where it is not `name`: a table that was restored has another."
}

variable "table" {
  type = object({
    hash  = object({ name = string, type = string })
    range = object({ name = string, type = string })
    ttl   = string
  })
}

variable "bucket" {
  type = object({
    abort_multipart_days = number
    noncurrent_days      = number
  })
}

variable "key" {
  type = object({
    deletion_days = number
  })
}

variable "recovery_days" {
  type        = number
  description = "How far back the table can be set; the bucket keeps swept blobs for `bucket.noncurrent_days`."
  validation {
    condition     = var.recovery_days >= 1 && var.recovery_days <= 35
    error_message = "recovery_days must lie between 1 and 35, which is as far as DynamoDB keeps."
  }
}

variable "job_days" {
  type        = number
  description = "Days after which the body of a job that was left behind is of use to nobody."
}

variable "protect" {
  type        = bool
  description = "Refuse to delete the table, and keep the bucket while it holds anything."
}

variable "write_limit" {
  type        = number
  description = "Write units a second at most, so that a runaway cannot empty the purse; -1 is no limit."
}
