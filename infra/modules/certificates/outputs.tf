output "http_arn" {
  value = aws_acm_certificate_validation.http.certificate_arn
}

output "edges_secret_arn" {
  value = aws_secretsmanager_secret.edges.arn
}
