resource "aws_lambda_function" "this" {
  for_each      = var.functions
  function_name = "${var.prefix}-${each.key}"
  role          = aws_iam_role.function[each.key].arn
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.architecture]
  s3_bucket     = var.packages.bucket
  s3_key        = "${var.packages.version}/${var.architecture}/${each.key}.zip"
  memory_size   = each.value.memory
  timeout       = each.value.timeout
  publish       = true

  environment {
    # Hashing a password takes 19 MiB: given back at once, and not kept by each thread that ever did it.
    variables = merge({ MALLOC_MMAP_THRESHOLD_ = "1048576" }, var.environment, each.value.environment)
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  depends_on = [aws_iam_role_policy.function]
}

# Everything calls `live`: the newest version, or two side by side while an upgrade is under way.
resource "aws_lambda_alias" "live" {
  for_each         = var.functions
  name             = "live"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = lookup(var.stay_on, each.key, aws_lambda_function.this[each.key].version)

  dynamic "routing_config" {
    for_each = contains(keys(var.stay_on), each.key) && var.canary > 0 ? [var.canary] : []
    content {
      additional_version_weights = { (aws_lambda_function.this[each.key].version) = routing_config.value }
    }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each          = var.functions
  name              = "/aws/lambda/${var.prefix}-${each.key}"
  retention_in_days = var.log_days
}
