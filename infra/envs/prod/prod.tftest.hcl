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
}

variables {
  region  = "xx-test-1"
  domain  = "example.com"
  release = "1.0.0"
  emails  = ["ops@example.net"]
}

run "first_apply" {
  command = plan

  assert {
    condition     = keys(output.service.relay_addresses) == ["out1.example.com", "out2.example.com"]
    error_message = "mail leaves from two fixed addresses"
  }
  assert {
    condition     = toset(keys(output.service.repositories)) == toset(["edge", "relay"])
    error_message = "edges share an image, the relay has its own"
  }
}

run "all_switches_on" {
  command = plan
  variables {
    run_relay     = true
    reverse_names = true
    private_edges = true
    zones         = 3
    architecture  = "x86_64"
    existing_zone = true
    stay_on       = { deliver = "7" }
    canary        = 0.05

    subscriptions_allow = ["203.0.113.0/28", "2001:db8::/48"]
  }
}

run "a_region_that_is_none" {
  command = plan
  variables {
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}
