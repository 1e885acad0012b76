output "table_name" {
  value = aws_dynamodb_table.this.name
}

output "table_arn" {
  value = aws_dynamodb_table.this.arn
}

output "bucket_name" {
  value = aws_s3_bucket.this.bucket
}

output "bucket_arn" {
  value = aws_s3_bucket.this.arn
}

output "secrets_name" {
  value = aws_s3_bucket.secrets.bucket
}

output "secrets_arn" {
  value = aws_s3_bucket.secrets.arn
}

output "key_arn" {
  value = aws_kms_key.this.arn
}
