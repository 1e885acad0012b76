variable "prefix" {
  type = string
}

variable "queues" {
  type = map(object({
    fifo        = bool
    visibility  = number
    retention   = number
    wait        = number
    max_receive = number
  }))
}

variable "dead_retention" {
  type        = number
  description = "Seconds that a dead letter is kept; 1209600, two weeks, is the most that SQS keeps."
}

variable "oldest_seconds" {
  type        = number
  description = "Age of the oldest job at which somebody is told. Senders get 452 from 60 on."
}

variable "alarm_topic_arn" {
  type = string
}
