mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  name          = "penfold-test"
  table_name    = null
  table         = jsondecode(file("../../cell.json")).table
  bucket        = jsondecode(file("../../cell.json")).bucket
  key           = jsondecode(file("../../cell.json")).key
  recovery_days = 35
  job_days      = 29
  write_limit   = -1
  protect       = true
}

run "what_is_stored_can_be_restored" {
  assert {
    condition     = aws_dynamodb_table.this.hash_key == "pk" && aws_dynamodb_table.this.range_key == "sk" && aws_dynamodb_table.this.ttl[0].attribute_name == "exp"
    error_message = "the table's keys are those of infra/cell.json"
  }
  assert {
    condition     = { for a in aws_dynamodb_table.this.attribute : a.name => a.type } == { pk = "S", sk = "B" }
    error_message = "sort keys are bytes"
  }
  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled && aws_dynamodb_table.this.point_in_time_recovery[0].recovery_period_in_days == 35
    error_message = "the table can be set back for 35 days"
  }
  assert {
    condition     = min([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.noncurrent_version_expiration[0].noncurrent_days if length(rule.noncurrent_version_expiration) > 0]...) >= 35
    error_message = "swept blobs stay for as long as the table can be set back"
  }
  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.filter[0].prefix if length(rule.expiration) > 0 && rule.id == "bodies-of-jobs-left-behind"] == ["jobs/"]
    error_message = "only bodies of jobs expire by themselves"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "the bucket is reached over TLS only"
  }
  assert {
    condition     = toset([for statement in jsondecode(aws_s3_bucket_policy.secrets.policy).Statement : statement.Sid if statement.Effect == "Deny"]) == toset(["TlsOnly", "OneVersion", "NothingIsDeleted"])
    error_message = "the bucket of secrets keeps one version of each, which only another may replace"
  }
  assert {
    condition     = !anytrue([for rule in aws_s3_bucket_lifecycle_configuration.secrets.rule : length(rule.expiration) > 0 || length(rule.noncurrent_version_expiration) > 0])
    error_message = "no secret expires"
  }
  assert {
    condition     = !aws_s3_bucket.this.force_destroy && !aws_s3_bucket.secrets.force_destroy
    error_message = "a protected bucket is not emptied"
  }
}

run "a_restored_table_is_taken_by_its_name" {
  variables {
    table_name = "penfold-test-restored"
  }
  assert {
    condition     = aws_dynamodb_table.this.name == "penfold-test-restored" && startswith(aws_s3_bucket.this.bucket, "penfold-test-blobs-")
    error_message = "only the table has the other name: the bucket is the old one"
  }
}
