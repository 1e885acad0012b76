resource "aws_lb" "http" {
  name                       = "${var.prefix}-http"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.network.public_subnets
  security_groups            = [aws_security_group.http.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protect
  # A phone waits up to 59 minutes in one request (MS-ASCMD 2.2.3.79).
  idle_timeout = 3600
}

resource "aws_lb_listener" "plain" {
  load_balancer_arn = aws_lb.http.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "tls" {
  load_balancer_arn = aws_lb.http.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "There is nothing here."
      status_code  = "404"
    }
  }
}

resource "aws_security_group" "http" {
  name        = "${var.prefix}-http-balancer"
  description = "The load balancer for HTTP: from everywhere"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  for_each          = { http = 80, https = 443 }
  security_group_id = aws_security_group.http.id
  description       = each.key
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_egress_rule" "http" {
  security_group_id = aws_security_group.http.id
  description       = "edges in this network"
  cidr_ipv4         = var.network.cidr
  ip_protocol       = "tcp"
  from_port         = var.edge_port
  to_port           = var.edge_port
}
