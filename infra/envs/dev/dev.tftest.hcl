# What the whole environment comes to, with the provider's answers made up.
mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["xx-test-1a", "xx-test-1b", "xx-test-1c"] }
  }
  mock_data "aws_region" {
    defaults = { region = "xx-test-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      domain_validation_options = [
        { domain_name = "www.example.com", resource_record_name = "_1.www", resource_record_type = "CNAME", resource_record_value = "1" },
        { domain_name = "autoconfig.example.com", resource_record_name = "_1.autoconfig", resource_record_type = "CNAME", resource_record_value = "2" },
        { domain_name = "autodiscover.example.com", resource_record_name = "_1.autodiscover", resource_record_type = "CNAME", resource_record_value = "3" },
        { domain_name = "mta-sts.example.com", resource_record_name = "_1.mta-sts", resource_record_type = "CNAME", resource_record_value = "4" },
      ]
    }
  }
}

variables {
  region  = "xx-test-1"
  domain  = "example.com"
  release = "1.0.0"
  emails  = ["ops@example.net"]
}

run "everything" {

  assert {
    condition     = output.service.environment.PENFOLD_CELL == "dev" && output.service.environment.PENFOLD_TABLE == "penfold-dev"
    error_message = "the table is named after its cell"
  }
  assert {
    condition     = output.service.environment.PENFOLD_BUCKET == "penfold-dev-blobs-123456789012"
    error_message = "the bucket is named after cell and account"
  }
  assert {
    condition     = toset(keys(output.service.function_versions)) == toset(keys(jsondecode(file("../../cell.json")).functions))
    error_message = "every function of infra/cell.json is deployed"
  }
  assert {
    condition     = length(output.service.relay_addresses) == 0
    error_message = "dev sends nothing to others"
  }
}
