variable "domain" {
  type        = string
  description = "The service's own domain, which gets a zone here. Tenants' domains stay with their owners and point to these names."
}

variable "mail_host" {
  type        = string
  description = "Where the mail ports are, and what tenants name in their MX."
}

variable "web_hosts" {
  type        = list(string)
  description = "Names that lead to the load balancer for HTTP."
}

variable "tcp" {
  type = object({ dns_name = string, zone_id = string })
}

variable "http" {
  type = object({ dns_name = string, zone_id = string })
}

variable "relay" {
  type        = map(string)
  description = "Host name of each fixed address from which mail leaves -> the address."
}

variable "relay_host" {
  type        = string
  description = "What every relay calls itself."
}

variable "zone_id" {
  type = string
}

variable "postmaster" {
  type        = string
  description = "Where others report about DMARC and TLS."
}
