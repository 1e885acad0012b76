output "names" {
  value = { for name, f in aws_lambda_function.this : name => f.function_name }
}

output "worker_logs" {
  description = "Log groups of those that take jobs."
  value       = { for name in keys(local.workers) : name => aws_cloudwatch_log_group.function[name].name }
}

output "live_arns" {
  value = { for name, alias in aws_lambda_alias.live : name => alias.arn }
}

output "versions" {
  description = "The newest published version of each, for `stay_on` at the next upgrade."
  value       = { for name, f in aws_lambda_function.this : name => f.version }
}
