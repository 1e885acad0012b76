output "service" {
  value = module.service
}
