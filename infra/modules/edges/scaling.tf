locals {
  by_connections = { for name, s in var.services : name => s if s.connections != null }
  by_cpu         = { for name, s in var.services : name => s if s.connections == null }
}

resource "aws_appautoscaling_target" "edge" {
  for_each           = var.services
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.edge[each.key].name}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each           = local.by_cpu
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.edge[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.edge[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.edge[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 30
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# The balancer counts flows of all its ports together; nearly all that last are those of the edge that grows by them.
resource "aws_appautoscaling_policy" "connections" {
  for_each           = local.by_connections
  name               = "connections"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.edge[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.edge[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.edge[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value = each.value.connections
    # Whoever is cut off comes back at once, so shrinking is slow.
    scale_in_cooldown  = 1800
    scale_out_cooldown = 60

    customized_metric_specification {
      metrics {
        id          = "flows"
        return_data = false
        metric_stat {
          stat = "Average"
          metric {
            namespace   = "AWS/NetworkELB"
            metric_name = "ActiveFlowCount"
            dimensions {
              name  = "LoadBalancer"
              value = aws_lb.tcp.arn_suffix
            }
          }
        }
      }
      metrics {
        id          = "tasks"
        return_data = false
        metric_stat {
          stat = "Average"
          metric {
            namespace   = "AWS/NetworkELB"
            metric_name = "HealthyHostCount"
            dimensions {
              name  = "LoadBalancer"
              value = aws_lb.tcp.arn_suffix
            }
            dimensions {
              name  = "TargetGroup"
              value = aws_lb_target_group.tcp["${each.key}-${keys(each.value.ports)[0]}"].arn_suffix
            }
          }
        }
      }
      metrics {
        id          = "each"
        label       = "connections for each task"
        expression  = "flows / tasks"
        return_data = true
      }
    }
  }
}
