locals {
  suffix = { for name, queue in var.queues : name => queue.fifo ? ".fifo" : "" }
  both   = merge({ for n, q in aws_sqs_queue.jobs : n => q }, { for n, q in aws_sqs_queue.dead : "${n}-dead" => q })
}

# Groups are independent of each other, so each has its own order, its own memory of what was sent, and its own rate.
resource "aws_sqs_queue" "jobs" {
  for_each                    = var.queues
  name                        = "${var.prefix}-${each.key}${local.suffix[each.key]}"
  fifo_queue                  = each.value.fifo
  content_based_deduplication = each.value.fifo ? false : null
  deduplication_scope         = each.value.fifo ? "messageGroup" : null
  fifo_throughput_limit       = each.value.fifo ? "perMessageGroupId" : null
  visibility_timeout_seconds  = each.value.visibility
  message_retention_seconds   = each.value.retention
  receive_wait_time_seconds   = each.value.wait
  sqs_managed_sse_enabled     = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = each.value.max_receive
  })
}

resource "aws_sqs_queue" "dead" {
  for_each                  = var.queues
  name                      = "${var.prefix}-${each.key}-dead${local.suffix[each.key]}"
  fifo_queue                = each.value.fifo
  message_retention_seconds = var.dead_retention
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each  = var.queues
  queue_url = aws_sqs_queue.dead[each.key].id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.jobs[each.key].arn]
  })
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each  = local.both
  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = [each.value.arn]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
