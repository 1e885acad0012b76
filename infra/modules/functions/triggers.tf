locals {
  workers = { for name, f in var.functions : name => f if f.queue != null }
  clocked = toset([for name, f in var.functions : name if length(f.clock) > 0])
  clocks = merge([
    for name, f in var.functions : { for clock, c in f.clock : "${name}-${clock}" => merge(c, { function = name }) }
  ]...)
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each                = local.workers
  event_source_arn        = var.queue_arns[each.value.queue]
  function_name           = aws_lambda_alias.live[each.key].arn
  batch_size              = each.value.batch
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.workers
  }
}

# What the clock starts comes again by itself, so a run that failed is not repeated.
resource "aws_scheduler_schedule" "clock" {
  for_each            = local.clocks
  name                = "${var.prefix}-${each.key}"
  schedule_expression = each.value.rate

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_alias.live[each.value.function].arn
    role_arn = aws_iam_role.clock[each.value.function].arn
    input    = each.value.input
    retry_policy {
      maximum_retry_attempts = 0
    }
  }
}

resource "aws_lambda_function_event_invoke_config" "clock" {
  for_each               = local.clocked
  function_name          = aws_lambda_function.this[each.key].function_name
  qualifier              = aws_lambda_alias.live[each.key].name
  maximum_retry_attempts = 0
}

resource "aws_iam_role" "clock" {
  for_each = local.clocked
  name     = "${var.prefix}-clock-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "scheduler.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role_policy" "clock" {
  for_each = local.clocked
  name     = "own"
  role     = aws_iam_role.clock[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = [aws_lambda_alias.live[each.key].arn]
      },
    ]
  })
}
