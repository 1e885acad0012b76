variable "prefix" {
  type = string
}

variable "names" {
  type        = list(string)
  description = "Host names of the load balancer for HTTP; the first is the certificate's main name."
}

variable "zone_id" {
  type        = string
  description = "Zone in which the names are proved."
}
