locals {
  # A rule holds five values.
  edge_rules = { for i, paths in chunklist(var.edge_paths, 5) : tostring(100 + i) => paths }
}

# TLS again between the two, with the edges' certificate: what passes here is mail.
resource "aws_lb_target_group" "edge" {
  name                 = "${var.prefix}-http-edge"
  vpc_id               = var.network.vpc_id
  target_type          = "ip"
  protocol             = "HTTPS"
  port                 = var.edge_port
  deregistration_delay = tostring(var.drain_seconds)

  health_check {
    protocol            = "HTTPS"
    path                = "/healthz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener_rule" "edge" {
  for_each     = local.edge_rules
  listener_arn = aws_lb_listener.tls.arn
  priority     = tonumber(each.key)
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.edge.arn
  }
  condition {
    path_pattern {
      values = each.value
    }
  }
}
