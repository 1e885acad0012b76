output "dns_name" {
  value = aws_lb.tcp.dns_name
}

output "zone_id" {
  value = aws_lb.tcp.zone_id
}

output "balancer" {
  description = "How CloudWatch names the load balancer."
  value       = aws_lb.tcp.arn_suffix
}

output "target_groups" {
  value = { for name, group in aws_lb_target_group.tcp : name => group.arn_suffix }
}

output "cluster" {
  value = aws_ecs_cluster.this.name
}
