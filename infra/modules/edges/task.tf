locals {
  # Fargate kills after the stop timeout; the edge must have ended by itself before.
  stop_seconds = var.drain_seconds + 15
}

resource "aws_ecs_task_definition" "edge" {
  for_each                 = var.services
  family                   = "${var.prefix}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(each.value.cpu)
  memory                   = tostring(each.value.memory)
  execution_role_arn       = aws_iam_role.start[each.key].arn
  task_role_arn            = aws_iam_role.edge[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = upper(var.architecture)
  }

  container_definitions = jsonencode([
    {
      name                   = each.key
      image                  = each.value.image
      command                = ["edge", each.key]
      essential              = true
      user                   = "65532:65532"
      readonlyRootFilesystem = true
      stopTimeout            = local.stop_seconds
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      ulimits                = [{ name = "nofile", softLimit = 131072, hardLimit = 131072 }]
      portMappings           = [for port in local.container_ports[each.key] : { containerPort = port, protocol = "tcp" }]
      environment = [
        for name, value in merge(var.environment, each.value.environment, { PENFOLD_EDGE = each.key }) : { name = name, value = value }
      ]
      secrets = [
        { name = "PENFOLD_TLS_CERTIFICATE_PEM", valueFrom = "${var.tls_secret_arn}:certificate::" },
        { name = "PENFOLD_TLS_KEY_PEM", valueFrom = "${var.tls_secret_arn}:key::" },
      ]
      healthCheck = length(var.health) == 0 ? null : {
        command     = var.health
        interval    = 10
        timeout     = 5
        retries     = 3
        startPeriod = 20
      }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.edge[each.key].name
          awslogs-region        = data.aws_region.here.region
          awslogs-stream-prefix = each.key
          # A slow log must not stop mail.
          mode            = "non-blocking"
          max-buffer-size = "4m"
        }
      }
    },
  ])
}
