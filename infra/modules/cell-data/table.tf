resource "aws_dynamodb_table" "this" {
  name                        = coalesce(var.table_name, var.name)
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.table.hash.name
  range_key                   = var.table.range.name
  deletion_protection_enabled = var.protect

  attribute {
    name = var.table.hash.name
    type = var.table.hash.type
  }

  attribute {
    name = var.table.range.name
    type = var.table.range.type
  }

  ttl {
    enabled        = true
    attribute_name = var.table.ttl
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.recovery_days
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.this.arn
  }

  on_demand_throughput {
    max_read_request_units  = -1
    max_write_request_units = var.write_limit
  }
}
