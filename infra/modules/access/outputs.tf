output "statements" {
  value = local.statements
}
