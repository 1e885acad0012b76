module "network" {
  source        = "../network"
  name          = local.prefix
  cidr          = var.network.cidr
  zones         = var.network.zones
  private_edges = var.network.private_edges
}

module "topic" {
  source = "../topic"
  prefix = local.prefix
  emails = var.emails
}

module "data" {
  source        = "../cell-data"
  name          = local.prefix
  table_name    = var.table_name
  table         = var.definition.table
  bucket        = var.definition.bucket
  key           = var.definition.key
  recovery_days = var.recovery_days
  job_days      = local.job_days
  write_limit   = var.write_limit
  protect       = var.protect
}

module "queues" {
  source          = "../queues"
  prefix          = local.prefix
  queues          = var.definition.queues
  dead_retention  = var.definition.dead.retention
  oldest_seconds  = var.oldest_seconds
  alarm_topic_arn = module.topic.arn
}

module "access" {
  source      = "../access"
  prefix      = local.prefix
  table_arn   = module.data.table_arn
  bucket_arn  = module.data.bucket_arn
  secrets_arn = module.data.secrets_arn
  key_arn     = module.data.key_arn
  queue_arns  = module.queues.arns
}

module "artifacts" {
  source  = "../artifacts"
  prefix  = local.prefix
  images  = ["edge", "relay"]
  protect = var.protect
}

module "zone" {
  source   = "../zone"
  domain   = var.domain
  existing = var.existing_zone
}

module "certificates" {
  source  = "../certificates"
  prefix  = local.prefix
  names   = local.web_hosts
  zone_id = module.zone.id
}

module "dns" {
  source     = "../dns"
  domain     = var.domain
  mail_host  = local.mail_host
  web_hosts  = local.web_hosts
  tcp        = { dns_name = module.edges.dns_name, zone_id = module.edges.zone_id }
  http       = { dns_name = module.http.dns_name, zone_id = module.http.zone_id }
  relay      = module.relay.addresses
  relay_host = local.relay_host
  zone_id    = module.zone.id
  postmaster = "postmaster@${var.domain}"
}
