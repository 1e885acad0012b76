data "aws_region" "here" {}

resource "aws_ecs_cluster" "this" {
  name = var.prefix
  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_service" "edge" {
  for_each                           = var.services
  name                               = each.key
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.edge[each.key].arn
  desired_count                      = each.value.min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 30
  availability_zone_rebalancing      = "ENABLED"
  propagate_tags                     = "SERVICE"

  capacity_provider_strategy {
    capacity_provider = var.spot ? "FARGATE_SPOT" : "FARGATE"
    weight            = 1
  }

  # A release whose tasks do not become healthy is taken back by itself.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.edge_subnets
    security_groups  = [aws_security_group.edge[each.key].id]
    assign_public_ip = !var.network.private
  }

  dynamic "load_balancer" {
    for_each = local.targets[each.key]
    content {
      target_group_arn = load_balancer.value.target_group_arn
      container_name   = each.key
      container_port   = load_balancer.value.port
    }
  }

  # Autoscaling sets the count.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.tcp, aws_ecs_cluster_capacity_providers.this]
}

resource "aws_cloudwatch_log_group" "edge" {
  for_each          = var.services
  name              = "/penfold/${var.prefix}/${each.key}"
  retention_in_days = var.log_days
}
