output "arn" {
  value = aws_sns_topic.alarms.arn
}
