module "service" {
  source         = "../../modules/service"
  cell           = var.cell
  definition     = jsondecode(file("${path.module}/../../cell.json"))
  table_name     = var.table_name
  domain         = var.domain
  existing_zone  = var.existing_zone
  release        = var.release
  architecture   = var.architecture
  network        = { cidr = "10.41.0.0/16", zones = 2, private_edges = false }
  edges          = var.edges
  relays         = 0
  run_relay      = false
  reverse_names  = false
  emails         = var.emails
  monthly_budget = var.monthly_budget
  oldest_seconds = 300
  recovery_days  = 1
  log_days       = 7
  workers        = 5
  write_limit    = 1000
  spot           = true
  protect        = false

  subscriptions_allow = var.subscriptions_allow
}
