# Mail must leave from addresses that stay the same for years, because their reputation is what gets it accepted. Fargate
# cannot hold a fixed address, and a NAT gateway in front of it costs ten times what a small machine does.
locals {
  places = { for i, name in var.names : name => element(var.network.public_subnets, i) }
}

resource "aws_network_interface" "relay" {
  for_each        = local.places
  subnet_id       = each.value
  security_groups = [aws_security_group.relay.id]
  description     = "relay ${each.key}"
}

resource "aws_eip" "relay" {
  for_each = local.places
  domain   = "vpc"
  tags     = { Name = each.key }

  # An address that was given back is somebody else's, with all its reputation.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_eip_association" "relay" {
  for_each             = local.places
  allocation_id        = aws_eip.relay[each.key].id
  network_interface_id = aws_network_interface.relay[each.key].id
}

resource "aws_eip_domain_name" "relay" {
  for_each      = var.reverse_names ? local.places : {}
  allocation_id = aws_eip.relay[each.key].allocation_id
  domain_name   = each.key
}

resource "aws_security_group" "relay" {
  name        = "${var.prefix}-relay"
  description = "The relay: connects out, admits nobody"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "relay" {
  for_each          = { smtp = 25, https = 443 }
  security_group_id = aws_security_group.relay.id
  description       = each.key
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}
