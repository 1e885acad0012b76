module "service" {
  source         = "../../modules/service"
  cell           = var.cell
  definition     = jsondecode(file("${path.module}/../../cell.json"))
  table_name     = var.table_name
  domain         = var.domain
  existing_zone  = var.existing_zone
  release        = var.release
  architecture   = var.architecture
  network        = { cidr = "10.40.0.0/16", zones = var.zones, private_edges = var.private_edges }
  edges          = var.edges
  relays         = 2
  run_relay      = var.run_relay
  reverse_names  = var.reverse_names
  emails         = var.emails
  monthly_budget = var.monthly_budget
  oldest_seconds = 60
  recovery_days  = 35
  log_days       = 30
  workers        = 200
  write_limit    = 40000
  spot           = false
  protect        = true
  stay_on        = var.stay_on
  canary         = var.canary

  subscriptions_allow = var.subscriptions_allow
}
