locals {
  running = var.image == null ? {} : { relay = var.image }
}

resource "aws_ecs_service" "relay" {
  for_each            = local.running
  name                = each.key
  cluster             = aws_ecs_cluster.relay.id
  task_definition     = aws_ecs_task_definition.relay[each.key].arn
  launch_type         = "EC2"
  scheduling_strategy = "DAEMON"
  # Two on one machine would greet with one name; the old one ends first.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
}

resource "aws_ecs_task_definition" "relay" {
  for_each                 = local.running
  family                   = "${var.prefix}-relay"
  requires_compatibilities = ["EC2"]
  network_mode             = "host"
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.relay.arn

  container_definitions = jsonencode([
    {
      name                   = each.key
      image                  = each.value
      essential              = true
      memoryReservation      = 128
      user                   = "65532:65532"
      readonlyRootFilesystem = true
      stopTimeout            = var.drain_seconds + 15
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      environment            = [for name, value in var.environment : { name = name, value = value }]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.relay.name
          awslogs-region        = data.aws_region.here.region
          awslogs-stream-prefix = each.key
          mode                  = "non-blocking"
          max-buffer-size       = "4m"
        }
      }
    },
  ])
}

resource "aws_cloudwatch_log_group" "relay" {
  name              = "/penfold/${var.prefix}/relay"
  retention_in_days = var.log_days
}
