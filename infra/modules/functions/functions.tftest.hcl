mock_provider "aws" {
  mock_resource "aws_lambda_function" {
    defaults = { version = "8" }
  }
}

variables {
  prefix = "penfold-test"
  functions = {
    deliver = { memory = 512, timeout = 60, grants = ["table_read"], queue = "deliver", batch = 10 }
    upkeep  = { memory = 512, timeout = 300, grants = [], clock = { often = { rate = "rate(1 minute)", input = "{}" } } }
    account = { memory = 256, timeout = 10, grants = [], environment = { PENFOLD_OWN = "1" } }
  }
  statements   = { table_read = [{ Sid = "TableRead", Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = ["arn:aws:table"] }] }
  queue_arns   = { deliver = "arn:aws:sqs:xx-test-1:123456789012:penfold-test-deliver.fifo" }
  environment  = { PENFOLD_CELL = "test" }
  packages     = { bucket = "packages", version = "1.2.3" }
  architecture = "x86_64"
  stay_on      = {}
  canary       = 0
  workers      = 5
  log_days     = 7
}

run "triggers_and_rights" {
  assert {
    condition     = keys(aws_lambda_event_source_mapping.queue) == ["deliver"] && aws_lambda_event_source_mapping.queue["deliver"].batch_size == 10
    error_message = "deliver takes batches of ten from its queue"
  }
  assert {
    condition     = aws_scheduler_schedule.clock["upkeep-often"].schedule_expression == "rate(1 minute)"
    error_message = "upkeep is started by the clock"
  }
  assert {
    condition     = aws_lambda_function.this["account"].s3_key == "1.2.3/x86_64/account.zip"
    error_message = "packages lie by release and architecture"
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.function["deliver"].policy).Statement : s.Sid] == ["Logs", "TableRead"]
    error_message = "a role has its log and its grants"
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.function["account"].policy).Statement : s.Sid] == ["Logs"]
    error_message = "a role has nothing that was not granted"
  }
  assert {
    condition     = lookup(aws_lambda_function.this["account"].environment[0].variables, "PENFOLD_OWN", "") == "1" && !contains(keys(aws_lambda_function.this["deliver"].environment[0].variables), "PENFOLD_OWN")
    error_message = "a function has its own settings, and no other has them"
  }
  assert {
    condition     = aws_lambda_alias.live["deliver"].function_version == "8" && length(aws_lambda_alias.live["deliver"].routing_config) == 0
    error_message = "live is the newest version"
  }
}

run "two_versions_side_by_side" {
  variables {
    stay_on = { deliver = "7" }
    canary  = 0.05
  }
  assert {
    condition     = aws_lambda_alias.live["deliver"].function_version == "7" && aws_lambda_alias.live["deliver"].routing_config[0].additional_version_weights["8"] == 0.05
    error_message = "the newest version gets the canary's share"
  }
}

run "a_batch_that_sqs_would_not_give" {
  command = plan
  variables {
    functions = { deliver = { memory = 512, timeout = 60, grants = [], queue = "deliver", batch = 11 } }
  }
  expect_failures = [var.functions]
}
