data "aws_caller_identity" "here" {}

# Encrypts tenants' secrets, table and bucket. Of several regions from the start, because that cannot be
# changed later, and without this key a copy in another region is unreadable.
resource "aws_kms_key" "this" {
  description             = "Penfold ${var.name}: tenants' secrets, table and bucket"
  enable_key_rotation     = true
  multi_region            = true
  deletion_window_in_days = var.key.deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecidesByRoles"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.here.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
