# Who gives a job up writes this line (shared/aws, queue/parked.rs); infra/check compares it with the code.
resource "aws_cloudwatch_log_metric_filter" "given_up" {
  for_each       = var.worker_logs
  name           = "${var.prefix}-${each.key}-given-up"
  log_group_name = each.value
  pattern        = "\"a job was given up\""

  metric_transformation {
    namespace = "Penfold"
    name      = "${var.prefix}-${each.key}-given-up"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "parked" {
  for_each            = var.worker_logs
  alarm_name          = "${var.prefix}-${each.key}-parked"
  alarm_description   = "A job was given up and its account is parked. docs/operations-aws.md: Alarm: parked account"
  namespace           = "Penfold"
  metric_name         = aws_cloudwatch_log_metric_filter.given_up[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
