resource "aws_acm_certificate" "http" {
  domain_name               = var.names[0]
  subject_alternative_names = slice(var.names, 1, length(var.names))
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  proofs = { for option in aws_acm_certificate.http.domain_validation_options : option.domain_name => option }
}

resource "aws_route53_record" "proof" {
  for_each        = toset(var.names)
  zone_id         = var.zone_id
  name            = local.proofs[each.key].resource_record_name
  type            = local.proofs[each.key].resource_record_type
  ttl             = 300
  records         = [local.proofs[each.key].resource_record_value]
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "http" {
  certificate_arn         = aws_acm_certificate.http.arn
  validation_record_fqdns = [for record in aws_route53_record.proof : record.fqdn]
}

# The certificate of the mail ports. Its value is put there by whoever renews it, so the key is never in Terraform's state.
resource "aws_secretsmanager_secret" "edges" {
  name                    = "${var.prefix}/edges/tls"
  description             = "certificate (chain, PEM) and key (PEM) of the mail ports"
  recovery_window_in_days = 7
}
