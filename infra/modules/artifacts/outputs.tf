output "packages_bucket" {
  value = aws_s3_bucket.packages.bucket
}

output "repositories" {
  value = { for name, repository in aws_ecr_repository.edge : name => repository.repository_url }
}

output "repository_arns" {
  value = { for name, repository in aws_ecr_repository.edge : name => repository.arn }
}
