# What a role may be given, by name. Functions and edges list names, so each role's rights can be read in one line.
data "aws_region" "here" {}

data "aws_caller_identity" "here" {}

locals {
  queues     = values(var.queue_arns)
  edge_queue = "arn:aws:sqs:${data.aws_region.here.region}:${data.aws_caller_identity.here.account_id}:${var.prefix}-edge-*"

  statements = {
    table_read = [
      {
        Sid      = "TableRead"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
        Resource = [var.table_arn]
      },
    ]
    # A transaction needs the rights of its parts.
    table_write = [
      {
        Sid      = "TableWrite"
        Effect   = "Allow"
        Action   = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"]
        Resource = [var.table_arn]
      },
    ]
    blobs_read = [
      {
        Sid      = "BlobsRead"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${var.bucket_arn}/*"]
      },
    ]
    # Without the right to list, S3 answers 403 instead of 404 for a blob that is not there. Edges also ask at their start
    # whether bucket and queue are there.
    blobs_list = [
      {
        Sid      = "BlobsList"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [var.bucket_arn]
      },
    ]
    jobs_look = [
      {
        Sid      = "JobsLook"
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes"]
        Resource = local.queues
      },
    ]
    blobs_write = [
      {
        Sid      = "BlobsWrite"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = ["${var.bucket_arn}/*"]
      },
    ]
    blobs_delete = [
      {
        Sid      = "BlobsDelete"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = ["${var.bucket_arn}/*"]
      },
    ]
    jobs_send = [
      {
        Sid      = "JobsSend"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = local.queues
      },
    ]
    jobs_take = [
      {
        Sid      = "JobsTake"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
        Resource = local.queues
      },
    ]
    # Bodies of jobs that are too large for a message.
    job_bodies_delete = [
      {
        Sid      = "JobBodiesDelete"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = ["${var.bucket_arn}/jobs/*"]
      },
    ]
    wakes_send = [
      {
        Sid      = "WakesSend"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [local.edge_queue]
      },
    ]
    wakes_take = [
      {
        Sid      = "WakesTake"
        Effect   = "Allow"
        Action   = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:ReceiveMessage", "sqs:DeleteMessage"]
        Resource = [local.edge_queue]
      },
    ]
    # An edge that crashed leaves its queue behind. Queues can be listed all or none.
    edge_queues_list = [
      {
        Sid      = "EdgeQueuesList"
        Effect   = "Allow"
        Action   = ["sqs:ListQueues"]
        Resource = ["*"]
      },
    ]
    edge_queues_delete = [
      {
        Sid      = "EdgeQueuesDelete"
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes", "sqs:DeleteQueue"]
        Resource = [local.edge_queue]
      },
    ]
    # Whether a tenant has a secret is also answered where the right to list is there (above).
    secrets_read = [
      {
        Sid      = "SecretsRead"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${var.secrets_arn}/*"]
      },
      {
        Sid      = "SecretsList"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [var.secrets_arn]
      },
    ]
    # Where there is none.
    secrets_make = [
      {
        Sid       = "SecretsMake"
        Effect    = "Allow"
        Action    = ["s3:PutObject"]
        Resource  = ["${var.secrets_arn}/*"]
        Condition = { Null = { "s3:if-none-match" = "false" } }
      },
    ]
    # To overwrite one destroys a tenant: for what ends the grace of closed ones alone.
    secrets_destroy = [
      {
        Sid      = "SecretsDestroy"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${var.secrets_arn}/*"]
      },
    ]
    # Encrypt and Decrypt are for tenants' secrets; S3 asks for a data key on the caller's behalf.
    keys = [
      {
        Sid      = "Keys"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.key_arn]
      },
    ]
  }
}
