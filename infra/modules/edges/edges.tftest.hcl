mock_provider "aws" {
  override_during = plan
  mock_data "aws_region" {
    defaults = { region = "xx-test-1" }
  }
}

variables {
  prefix = "penfold-test"
  services = {
    smtp = {
      image  = "registry.example/smtp:1", cpu = 256, memory = 512, min = 2, max = 4
      ports  = { mx = { listen = 25, container = 2525 }, submissions = { listen = 465, container = 2465 } }
      grants = ["table_read"]
    }
    imap = {
      image  = "registry.example/imap:1", cpu = 256, memory = 512, min = 2, max = 4, connections = 20000
      ports  = { imaps = { listen = 993, container = 2993 } }
      grants = ["table_read"]
    }
    http = {
      image  = "registry.example/http:1", cpu = 256, memory = 512, min = 1, max = 4
      ports  = {}
      grants = ["table_read"]
    }
  }
  architecture   = "arm64"
  spot           = false
  network        = { vpc_id = "vpc-1", cidr = "10.0.0.0/16", public_subnets = ["subnet-1"], edge_subnets = ["subnet-2"], private = true }
  http           = { target_group_arn = "arn:aws:tg", security_group = "sg-1", port = 2080 }
  statements     = { table_read = [{ Sid = "TableRead", Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = ["arn:aws:table"] }] }
  repository_arn = "arn:aws:ecr:repository"
  environment    = { PENFOLD_CELL = "test" }
  tls_secret_arn = "arn:aws:secret"
  health         = ["CMD", "/penfold", "health"]
  drain_seconds  = 30
  protect        = true
  log_days       = 7
}

run "a_task_is_locked_down_and_may_finish" {
  command = plan
  assert {
    condition = alltrue([for task in aws_ecs_task_definition.edge : alltrue([for c in jsondecode(task.container_definitions) :
      c.readonlyRootFilesystem && c.user == "65532:65532" && c.linuxParameters.capabilities.drop == ["ALL"] && c.stopTimeout == 45
    ])])
    error_message = "containers run read-only, as nobody, without capabilities, and have longer than their drain to stop"
  }
  assert {
    condition     = { for e in jsondecode(aws_ecs_task_definition.edge["smtp"].container_definitions)[0].environment : e.name => e.value } == { PENFOLD_CELL = "test", PENFOLD_EDGE = "smtp" }
    error_message = "an edge is told its cell and its name"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.edge["imap"].container_definitions)[0].command == ["edge", "imap"]
    error_message = "one image, of which each edge runs its part"
  }
  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.edge : task.runtime_platform[0].cpu_architecture == "ARM64"])
    error_message = "one variable chooses the architecture"
  }
}

run "ports_and_proxy" {
  command = plan
  assert {
    condition     = { for name, listener in aws_lb_listener.tcp : name => listener.port } == { smtp-mx = 25, smtp-submissions = 465, imap-imaps = 993 }
    error_message = "the load balancer listens on the standard ports"
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.tcp : group.proxy_protocol_v2 && group.preserve_client_ip == "false"])
    error_message = "the client's address comes by PROXY v2 alone"
  }
  assert {
    condition     = [for name in sort(keys(aws_ecs_service.edge)) : length(aws_ecs_service.edge[name].load_balancer)] == [1, 1, 2]
    error_message = "each service stands behind its ports; http behind the load balancer for HTTP"
  }
  assert {
    condition     = keys(aws_appautoscaling_policy.connections) == ["imap"] && keys(aws_appautoscaling_policy.cpu) == ["http", "smtp"]
    error_message = "IMAP grows by connections, the others by CPU"
  }
}

run "a_drain_that_the_platform_would_cut" {
  command = plan
  variables {
    drain_seconds = 120
  }
  expect_failures = [var.drain_seconds]
}
