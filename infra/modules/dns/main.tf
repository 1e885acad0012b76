locals {
  # RFC 6186 §3.1 and RFC 8314 §5.1: what clients ask for. "." says that a service is not offered.
  services = {
    "_imaps._tcp"        = "0 1 993 ${var.mail_host}."
    "_imap._tcp"         = "10 1 143 ${var.mail_host}."
    "_submissions._tcp"  = "0 1 465 ${var.mail_host}."
    "_submission._tcp"   = "10 1 587 ${var.mail_host}."
    "_pop3s._tcp"        = "0 0 0 ."
    "_pop3._tcp"         = "0 0 0 ."
    "_autodiscover._tcp" = "0 1 443 ${var.web_hosts[0]}."
  }

  texts = {
    (var.domain)               = join(" ", concat(["v=spf1"], [for address in values(var.relay) : "ip4:${address}"], ["-all"]))
    "_dmarc.${var.domain}"     = "v=DMARC1; p=reject; rua=mailto:${var.postmaster}"
    "_smtp._tls.${var.domain}" = "v=TLSRPTv1; rua=mailto:${var.postmaster}"
  }
}

resource "aws_route53_record" "mail" {
  zone_id = var.zone_id
  name    = var.mail_host
  type    = "A"
  alias {
    name                   = var.tcp.dns_name
    zone_id                = var.tcp.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "web" {
  for_each = toset(var.web_hosts)
  zone_id  = var.zone_id
  name     = each.key
  type     = "A"
  alias {
    name                   = var.http.dns_name
    zone_id                = var.http.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "relay" {
  for_each = var.relay
  zone_id  = var.zone_id
  name     = each.key
  type     = "A"
  ttl      = 300
  records  = [each.value]
}

resource "aws_route53_record" "relay_host" {
  for_each = length(var.relay) > 0 ? toset([var.relay_host]) : toset([])
  zone_id  = var.zone_id
  name     = each.key
  type     = "A"
  ttl      = 300
  records  = values(var.relay)
}

resource "aws_route53_record" "mx" {
  zone_id = var.zone_id
  name    = var.domain
  type    = "MX"
  ttl     = 3600
  records = ["10 ${var.mail_host}."]
}

resource "aws_route53_record" "service" {
  for_each = local.services
  zone_id  = var.zone_id
  name     = "${each.key}.${var.domain}"
  type     = "SRV"
  ttl      = 3600
  records  = [each.value]
}

resource "aws_route53_record" "text" {
  for_each = local.texts
  zone_id  = var.zone_id
  name     = each.key
  type     = "TXT"
  ttl      = 3600
  records  = [each.value]
}
