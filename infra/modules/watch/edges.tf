resource "aws_cloudwatch_metric_alarm" "edge_down" {
  for_each            = var.edge_target_groups
  alarm_name          = "${var.prefix}-${each.key}-down"
  alarm_description   = "No healthy edge on a port. docs/operations-aws.md: Alarm: edge health"
  namespace           = each.value.namespace
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = each.value.balancer, TargetGroup = each.value.group }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "edge_unwell" {
  for_each            = var.edge_target_groups
  alarm_name          = "${var.prefix}-${each.key}-unwell"
  alarm_description   = "An edge stays unhealthy and is not replaced. docs/operations-aws.md: Alarm: edge health"
  namespace           = each.value.namespace
  metric_name         = "UnHealthyHostCount"
  dimensions          = { LoadBalancer = each.value.balancer, TargetGroup = each.value.group }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 10
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "http_5xx" {
  for_each            = toset(["HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count"])
  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = "Requests are answered with 5xx. docs/operations-aws.md: Alarm: 5xx"
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.key
  dimensions          = { LoadBalancer = var.http_balancer }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
