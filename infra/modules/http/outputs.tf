output "dns_name" {
  value = aws_lb.http.dns_name
}

output "zone_id" {
  value = aws_lb.http.zone_id
}

output "balancer" {
  description = "How CloudWatch names the load balancer."
  value       = aws_lb.http.arn_suffix
}

# By the rule that uses it: a service cannot be put behind a target group that no listener knows.
output "edge_target_group_arn" {
  value      = aws_lb_target_group.edge.arn
  depends_on = [aws_lb_listener_rule.edge]
}

output "edge_target_group" {
  value = aws_lb_target_group.edge.arn_suffix
}

output "security_group" {
  value = aws_security_group.http.id
}
