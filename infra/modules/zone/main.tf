# Apart from the records, because a certificate is proved in the zone before there is anything to point to.
data "aws_route53_zone" "existing" {
  count = var.existing ? 1 : 0
  name  = var.domain
}

resource "aws_route53_zone" "own" {
  count = var.existing ? 0 : 1
  name  = var.domain
}
