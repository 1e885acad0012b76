resource "aws_security_group" "tcp" {
  name        = "${var.prefix}-tcp"
  description = "The network load balancer: mail ports from everywhere"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "tcp" {
  for_each          = local.ports
  security_group_id = aws_security_group.tcp.id
  description       = each.key
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value.listen
  to_port           = each.value.listen
}

resource "aws_vpc_security_group_egress_rule" "tcp" {
  for_each                     = local.ports
  security_group_id            = aws_security_group.tcp.id
  description                  = each.key
  referenced_security_group_id = aws_security_group.edge[each.value.service].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.container
  to_port                      = each.value.container
}

resource "aws_security_group" "edge" {
  for_each    = var.services
  name        = "${var.prefix}-${each.key}"
  description = "Edge ${each.key}: from its load balancer only"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "edge" {
  for_each                     = local.ports
  security_group_id            = aws_security_group.edge[each.value.service].id
  description                  = each.key
  referenced_security_group_id = aws_security_group.tcp.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.container
  to_port                      = each.value.container
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  for_each                     = { for service, targets in local.over_http : service => targets[0] if length(targets) > 0 }
  security_group_id            = aws_security_group.edge[each.key].id
  description                  = "HTTP from its load balancer"
  referenced_security_group_id = var.http.security_group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# AWS services, and nothing else: an edge never connects to a host of its clients' choice. DNS goes to the network's own
# resolver, which no security group holds up.
resource "aws_vpc_security_group_egress_rule" "edge" {
  for_each          = var.services
  security_group_id = aws_security_group.edge[each.key].id
  description       = "AWS services"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
