output "urls" {
  value = { for name, queue in aws_sqs_queue.jobs : name => queue.url }
}

output "arns" {
  value = { for name, queue in aws_sqs_queue.jobs : name => queue.arn }
}

output "names" {
  value = { for name, queue in aws_sqs_queue.jobs : name => queue.name }
}
