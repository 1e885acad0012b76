output "id" {
  value = var.existing ? data.aws_route53_zone.existing[0].zone_id : aws_route53_zone.own[0].zone_id
}

output "name_servers" {
  value = var.existing ? data.aws_route53_zone.existing[0].name_servers : aws_route53_zone.own[0].name_servers
}
