locals {
  for_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "ecs-tasks.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

# What the edge itself may do.
resource "aws_iam_role" "edge" {
  for_each           = var.services
  name               = "${var.prefix}-edge-${each.key}"
  assume_role_policy = local.for_tasks
}

resource "aws_iam_role_policy" "edge" {
  for_each = var.services
  name     = "own"
  role     = aws_iam_role.edge[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = flatten([for grant in each.value.grants : var.statements[grant]])
  })
}

# What the platform does to start it: fetch the image and the certificate, write its log.
resource "aws_iam_role" "start" {
  for_each           = var.services
  name               = "${var.prefix}-start-${each.key}"
  assume_role_policy = local.for_tasks
}

resource "aws_iam_role_policy" "start" {
  for_each = var.services
  name     = "own"
  role     = aws_iam_role.start[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "RegistrySignIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid      = "Image"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [var.repository_arn]
      },
      {
        Sid      = "Certificate"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [var.tls_secret_arn]
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.edge[each.key].arn}:*"]
      },
    ]
  })
}
