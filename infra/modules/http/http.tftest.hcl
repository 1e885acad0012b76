mock_provider "aws" {}

variables {
  prefix          = "penfold-test"
  network         = { vpc_id = "vpc-1", cidr = "10.0.0.0/16", public_subnets = ["subnet-1", "subnet-2"] }
  certificate_arn = "arn:aws:acm:xx-test-1:123456789012:certificate/1"
  function_paths  = { account = ["/v1/whoami"] }
  function_arns   = { account = "arn:aws:lambda:xx-test-1:123456789012:function:penfold-test-account:live" }
  edge_paths      = ["/1", "/2", "/3", "/4", "/5", "/6"]
  edge_port       = 2443
  drain_seconds   = 30
  protect         = false
}

run "paths_lead_to_functions_and_edges" {
  assert {
    condition     = [for rule in aws_lb_listener_rule.edge : length(one(one(rule.condition[*].path_pattern)[*].values))] == [5, 1]
    error_message = "six paths of edges take two rules"
  }
  assert {
    condition     = max([for rule in aws_lb_listener_rule.edge : rule.priority]...) < min([for rule in aws_lb_listener_rule.function : rule.priority]...)
    error_message = "held-open and large requests go to edges before a function could claim them"
  }
  assert {
    condition     = aws_lb_target_group.edge.protocol == "HTTPS" && aws_lb_target_group.edge.health_check[0].path == "/healthz"
    error_message = "the load balancer asks the edge for its health, over TLS"
  }
  assert {
    condition     = aws_lb_listener.plain.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "plain HTTP is only sent on to TLS"
  }
}

run "a_function_with_too_many_paths" {
  command = plan
  variables {
    function_paths = { account = ["/1", "/2", "/3", "/4", "/5", "/6"] }
  }
  expect_failures = [var.function_paths]
}
