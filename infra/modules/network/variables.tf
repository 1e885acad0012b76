variable "name" {
  type = string
}

variable "cidr" {
  type        = string
  description = "Addresses of the network; a /16 leaves room for four thousand edges a zone."
  validation {
    condition     = can(cidrnetmask(var.cidr)) && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "cidr must be an IPv4 network of /20 or larger, such as 10.40.0.0/16."
  }
}

variable "zones" {
  type        = number
  description = "Availability zones to use. A load balancer for HTTP needs two."
  validation {
    condition     = var.zones >= 2 && var.zones <= 4
    error_message = "zones must be 2, 3 or 4."
  }
}

variable "private_edges" {
  type        = bool
  description = "Edges without public addresses, with an endpoint for each service that they call; see the price in infra/README.md."
}

variable "endpoints" {
  type        = set(string)
  description = "Services that private edges call. DynamoDB and S3 always have their endpoints, which are free."
  default     = ["sqs", "kms", "ecr.api", "ecr.dkr", "logs", "secretsmanager"]
}
