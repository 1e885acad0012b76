variable "prefix" {
  type = string
}

variable "table_name" {
  type = string
}

variable "queue_names" {
  type = map(string)
}

variable "function_names" {
  type = map(string)
}

variable "worker_logs" {
  type        = map(string)
  description = "Worker -> its log group."
}

variable "http_balancer" {
  type = string
}

variable "tcp_balancer" {
  type = string
}

variable "edge_target_groups" {
  type        = map(object({ balancer = string, group = string, namespace = string }))
  description = "Target groups of all edges, as CloudWatch names them."
}

variable "alarm_topic_arn" {
  type = string
}

variable "monthly_budget" {
  type        = number
  description = "US dollars; somebody is told at 80 % spent and at 100 % foreseen."
  validation {
    condition     = var.monthly_budget > 0
    error_message = "monthly_budget must be more than 0."
  }
}

variable "emails" {
  type = set(string)
}
