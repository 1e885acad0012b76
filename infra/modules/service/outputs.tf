output "name_servers" {
  description = "For the parent's NS records."
  value       = module.zone.name_servers
}

output "packages_bucket" {
  value = module.artifacts.packages_bucket
}

output "repositories" {
  value = module.artifacts.repositories
}

output "edges_tls_secret" {
  value = module.certificates.edges_secret_arn
}

output "relay_addresses" {
  description = "For the request to open port 25, and for tenants' SPF."
  value       = module.relay.addresses
}

output "function_versions" {
  value = module.functions.versions
}

output "environment" {
  description = "What a command on an administrator's machine needs to work on this cell."
  value       = local.environment
}
