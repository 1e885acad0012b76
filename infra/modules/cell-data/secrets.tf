# Each tenant's own secret, encrypted with the cell's key. One version of each and no copy: overwriting it with nothing destroys
# the tenant, in every backup too. So nothing here is ever deleted, and only an administrator's role may overwrite.
resource "aws_s3_bucket" "secrets" {
  #checkov:skip=CKV_AWS_21:an old version would outlive what is destroyed
  bucket        = "${var.name}-secrets-${data.aws_caller_identity.here.account_id}"
  force_destroy = !var.protect
}

resource "aws_s3_bucket_ownership_controls" "secrets" {
  bucket = aws_s3_bucket.secrets.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "secrets" {
  bucket                  = aws_s3_bucket.secrets.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# S3's own key: what lies here is encrypted by KMS already, and read with every data key.
resource "aws_s3_bucket_server_side_encryption_configuration" "secrets" {
  bucket = aws_s3_bucket.secrets.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# Nothing expires; only uploads that nobody of ours begins.
resource "aws_s3_bucket_lifecycle_configuration" "secrets" {
  bucket = aws_s3_bucket.secrets.id

  rule {
    id     = "uploads-that-were-given-up"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = var.bucket.abort_multipart_days
    }
  }
}

# Versions would also let backups and replication in, which need them.
resource "aws_s3_bucket_policy" "secrets" {
  bucket = aws_s3_bucket.secrets.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [aws_s3_bucket.secrets.arn, "${aws_s3_bucket.secrets.arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "OneVersion"
          Effect    = "Deny"
          Principal = "*"
          Action    = ["s3:PutBucketVersioning", "s3:PutReplicationConfiguration"]
          Resource  = [aws_s3_bucket.secrets.arn]
        },
      ],
      [
        for what in var.protect ? ["NothingIsDeleted"] : [] : {
          Sid       = what
          Effect    = "Deny"
          Principal = "*"
          Action    = ["s3:DeleteObject"]
          Resource  = ["${aws_s3_bucket.secrets.arn}/*"]
        }
      ],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.secrets]
}
