output "names" {
  value = { for name, f in aws_lambda_function.this : name => f.function_name }
}

output "live_arns" {
  value = { for name, alias in aws_lambda_alias.live : name => alias.arn }
}

output "versions" {
  description = "The newest published version of each, for `stay_on` at the next upgrade."
  value       = { for name, f in aws_lambda_function.this : name => f.version }
}
