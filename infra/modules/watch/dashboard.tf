data "aws_region" "here" {}

locals {
  # title -> the metrics that it draws, each as CloudWatch writes it.
  graphs = {
    "oldest job, s"       = [for name in values(var.queue_names) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name, { stat = "Maximum" }]]
    "jobs waiting"        = [for name in values(var.queue_names) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name, { stat = "Maximum" }]]
    "deliveries"          = [for name in values(var.queue_names) : ["AWS/SQS", "NumberOfMessagesDeleted", "QueueName", name, { stat = "Sum" }]]
    "function time, p99"  = [for name in values(var.function_names) : ["AWS/Lambda", "Duration", "FunctionName", name, { stat = "p99" }]]
    "functions at once"   = [for name in values(var.function_names) : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", name, { stat = "Maximum" }]]
    "function errors"     = [for name in values(var.function_names) : ["AWS/Lambda", "Errors", "FunctionName", name, { stat = "Sum" }]]
    "table units"         = [for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"] : ["AWS/DynamoDB", metric, "TableName", var.table_name, { stat = "Sum" }]]
    "table throttles"     = [for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : ["AWS/DynamoDB", metric, "TableName", var.table_name, { stat = "Sum" }]]
    "mail connections"    = [["AWS/NetworkELB", "ActiveFlowCount", "LoadBalancer", var.tcp_balancer, { stat = "Average" }]]
    "http requests"       = [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.http_balancer, { stat = "Sum" }]]
    "http answers of 5xx" = [for metric in ["HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count"] : ["AWS/ApplicationELB", metric, "LoadBalancer", var.http_balancer, { stat = "Sum" }]]
    "healthy edges"       = [for group in values(var.edge_target_groups) : [group.namespace, "HealthyHostCount", "LoadBalancer", group.balancer, "TargetGroup", group.group, { stat = "Average" }]]
  }
}

resource "aws_cloudwatch_dashboard" "service" {
  dashboard_name = var.prefix
  dashboard_body = jsonencode({
    widgets = [
      for i, title in keys(local.graphs) : {
        type   = "metric"
        x      = (i % 3) * 8
        y      = floor(i / 3) * 6
        width  = 8
        height = 6
        properties = {
          title   = title
          region  = data.aws_region.here.region
          period  = 60
          metrics = local.graphs[title]
        }
      }
    ]
  })
}
