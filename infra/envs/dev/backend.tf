# The bucket is given by `terraform init -backend-config=bucket=NAME`; infra/envs/state makes it. S3 itself holds the lock.
terraform {
  backend "s3" {
    key          = "penfold/dev/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
