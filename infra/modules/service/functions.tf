locals {
  # What each function may do; sizes come from infra/cell.json.
  function_grants = {
    deliver   = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "jobs_look", "jobs_send", "jobs_take", "job_bodies_delete", "wakes_send", "secrets_read", "keys"]
    send      = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "jobs_look", "jobs_send", "jobs_take", "job_bodies_delete", "secrets_read", "keys"]
    transfer  = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "jobs_look", "jobs_send", "jobs_take", "job_bodies_delete", "wakes_send", "secrets_read", "keys"]
    subscribe = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "jobs_look", "jobs_send", "jobs_take", "job_bodies_delete", "wakes_send", "secrets_read", "keys"]
    timer     = ["table_read", "table_write", "blobs_write", "jobs_send"]
    upkeep    = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "blobs_delete", "jobs_send", "wakes_send", "edge_queues_list", "edge_queues_delete", "secrets_read", "secrets_destroy", "keys"]
    meter     = ["table_read", "table_write"]
    account   = ["table_read", "table_write", "blobs_write", "jobs_look", "jobs_send", "wakes_send", "secrets_read", "secrets_make", "keys"]
    admin     = ["table_read", "table_write", "jobs_look", "jobs_send", "wakes_send", "secrets_read", "secrets_make", "keys"]
  }

  often = {
    for name, f in var.definition.functions : name =>
    can(f.every_minutes) ? { often = { rate = "rate(${f.every_minutes} ${f.every_minutes == 1 ? "minute" : "minutes"})", input = "{}" } } : {}
  }
  # Only what fetches is told which networks it may reach beside public ones.
  own_settings = {
    subscribe = length(var.subscriptions_allow) == 0 ? {} : { PENFOLD_SUBSCRIPTIONS_ALLOW = join(",", var.subscriptions_allow) }
  }
  # Looking for blobs that nothing names reads a row of each item, so once a week is enough.
  weekly = { upkeep = { weekly = { rate = "rate(7 days)", input = jsonencode({ sweep = true }) } } }

  functions = {
    for name, f in var.definition.functions : name => {
      memory  = f.memory
      timeout = f.timeout
      grants  = local.function_grants[name]
      queue   = try(f.queue, null)
      batch   = try(f.batch, null)
      clock   = merge(local.often[name], lookup(local.weekly, name, {}))

      environment = lookup(local.own_settings, name, {})
    }
  }
}

module "functions" {
  source       = "../functions"
  prefix       = local.prefix
  functions    = local.functions
  statements   = module.access.statements
  queue_arns   = module.queues.arns
  environment  = local.environment
  packages     = { bucket = module.artifacts.packages_bucket, version = var.release }
  architecture = var.architecture
  stay_on      = var.stay_on
  canary       = var.canary
  workers      = var.workers
  log_days     = var.log_days
}

module "http" {
  source          = "../http"
  prefix          = local.prefix
  network         = module.network
  certificate_arn = module.certificates.http_arn
  # A rule holds five values; /v1/s* is sessions and sign-up.
  function_paths = {
    account = ["/v1/whoami", "/v1/s*", "/v1/me*", "/v1/password-resets*", "/v1/branding*"]
    admin   = ["/v1/tenants*"]
  }
  function_arns = module.functions.live_arns
  edge_paths = [
    "/healthz", "/v1/openapi.json", "/v1/tenants/*/imports/*/content", "/v1/tenants/*/exports/*/content", "/v1/me/imports/*/content", "/v1/me/exports/*/content", "/Microsoft-Server-ActiveSync", "/Microsoft-Server-ActiveSync/*", "/jmap/upload/*", "/jmap/download/*", "/jmap/eventsource*", "/jmap/ws", "/dav", "/dav/*", "/published/*", "/.well-known/caldav", "/.well-known/carddav",
    "/mail/config-v1.1.xml", "/.well-known/autoconfig/*", "/autodiscover/*", "/Autodiscover/*", "/AutoDiscover/*", "/apple/*", "/.well-known/mta-sts.txt", "/.well-known/acme-challenge/*",
  ]
  edge_port     = local.https_port
  drain_seconds = local.drain_seconds
  protect       = var.protect
}
