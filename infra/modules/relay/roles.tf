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

resource "aws_iam_role" "relay" {
  name               = "${var.prefix}-relay"
  assume_role_policy = local.for_tasks
}

resource "aws_iam_role_policy" "relay" {
  name = "own"
  role = aws_iam_role.relay.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = flatten([for grant in var.grants : var.statements[grant]])
  })
}

resource "aws_iam_role" "start" {
  name               = "${var.prefix}-start-relay"
  assume_role_policy = local.for_tasks
}

resource "aws_iam_role_policy" "start" {
  name = "own"
  role = aws_iam_role.start.id
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
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.relay.arn}:*"]
      },
    ]
  })
}

# The machine only joins its cluster; what the relay may do is the task's.
resource "aws_iam_role" "machine" {
  name = "${var.prefix}-relay-machine"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "ec2.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "machine" {
  role       = aws_iam_role.machine.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "machine" {
  name = "${var.prefix}-relay-machine"
  role = aws_iam_role.machine.name
}
