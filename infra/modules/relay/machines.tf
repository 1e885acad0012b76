data "aws_region" "here" {}

# The newest image that AWS makes for containers, without a shell for strangers: no key, no SSH.
data "aws_ssm_parameter" "image" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/${var.architecture == "arm64" ? "arm64/" : ""}recommended/image_id"
}

resource "aws_instance" "relay" {
  for_each             = local.places
  ami                  = data.aws_ssm_parameter.image.insecure_value
  instance_type        = var.instance_types[var.architecture]
  iam_instance_profile = aws_iam_instance_profile.machine.name
  ebs_optimized        = true

  # A cluster of its own, so that nothing else is put on these machines. A task on the host's network gets its own role
  # only where the agent is told so.
  user_data = <<-EOT
    #!/bin/bash
    echo ECS_CLUSTER=${aws_ecs_cluster.relay.name} >> /etc/ecs/ecs.config
    echo ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST=true >> /etc/ecs/ecs.config
  EOT

  primary_network_interface {
    network_interface_id = aws_network_interface.relay[each.key].id
  }

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 30
  }

  # A new image is taken by replacing a machine on purpose, one after the other.
  lifecycle {
    ignore_changes = [ami]
  }

  tags = { Name = each.key }
}

resource "aws_ecs_cluster" "relay" {
  name = "${var.prefix}-relay"
  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

# A machine that its host has lost starts on another one, with the same interface and address.
resource "aws_cloudwatch_metric_alarm" "machine" {
  for_each            = local.places
  alarm_name          = "${var.prefix}-relay-${each.key}"
  alarm_description   = "A relay's machine does not answer; it is moved by itself. docs/operations-aws.md: Alarm: relay"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = aws_instance.relay[each.key].id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "missing"
  alarm_actions       = ["arn:aws:automate:${data.aws_region.here.region}:ec2:recover", var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
