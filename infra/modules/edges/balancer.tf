locals {
  ports = merge([
    for service, s in var.services : { for name, port in s.ports : "${service}-${name}" => merge(port, { service = service }) }
  ]...)

  over_http = { for service in keys(var.services) : service => service == "http" ? [{ target_group_arn = var.http.target_group_arn, port = var.http.port }] : [] }

  targets = {
    for service in keys(var.services) : service => concat(
      [for key, port in local.ports : { target_group_arn = aws_lb_target_group.tcp[key].arn, port = port.container } if port.service == service],
      local.over_http[service],
    )
  }

  container_ports = { for service, targets in local.targets : service => distinct([for target in targets : target.port]) }
}

resource "aws_lb" "tcp" {
  name                             = "${var.prefix}-tcp"
  load_balancer_type               = "network"
  internal                         = false
  subnets                          = var.network.public_subnets
  security_groups                  = [aws_security_group.tcp.id]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.protect
}

# TLS ends in the edge, so the balancer only moves bytes. Edges send keep-alives every 300 s at most; it forgets at 350.
resource "aws_lb_listener" "tcp" {
  for_each                 = local.ports
  load_balancer_arn        = aws_lb.tcp.arn
  port                     = each.value.listen
  protocol                 = "TCP"
  tcp_idle_timeout_seconds = 350

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tcp[each.key].arn
  }
}

# The client's address comes in the PROXY header only, from the balancer's own addresses, which are all that edges admit.
resource "aws_lb_target_group" "tcp" {
  for_each               = local.ports
  name                   = "${var.prefix}-${each.key}"
  vpc_id                 = var.network.vpc_id
  target_type            = "ip"
  protocol               = "TCP"
  port                   = each.value.container
  proxy_protocol_v2      = true
  preserve_client_ip     = "false"
  deregistration_delay   = tostring(var.drain_seconds)
  connection_termination = true

  # Over TCP, because the balancer sends its PROXY header to a health check as well. Whether the edge is well
  # and not only listening, its health command says.
  health_check {
    protocol            = "TCP"
    port                = "traffic-port"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}
