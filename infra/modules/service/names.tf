data "aws_region" "here" {}

locals {
  prefix    = "penfold-${var.cell}"
  mail_host = "mail.${var.domain}"
  # The first is what clients are told; the others are where they look by themselves.
  web_hosts = ["www.${var.domain}", "autoconfig.${var.domain}", "autodiscover.${var.domain}", "mta-sts.${var.domain}"]
  # What every relay calls itself: a name that leads to the addresses of all, while each address leads back to its own.
  relay_host = "out.${var.domain}"
  relays     = [for i in range(var.relays) : "out${i + 1}.${var.domain}"]

  # How long edges take to finish after SIGTERM (edges/solo, serve.rs).
  drain_seconds = 30
  # Where edges/http takes TLS from the load balancer.
  https_port = 2443

  # As long as a job may still want its body: in the queue, and then among the dead letters.
  job_days = ceil((max([for queue in values(var.definition.queues) : queue.retention]...) + var.definition.dead.retention) / 86400) + 1

  # Read by shared/aws in functions and edges alike.
  environment = {
    PENFOLD_CELL            = var.cell
    PENFOLD_TABLE           = module.data.table_name
    PENFOLD_BUCKET          = module.data.bucket_name
    PENFOLD_QUEUE_DELIVER   = module.queues.urls["deliver"]
    PENFOLD_QUEUE_SEND      = module.queues.urls["send"]
    PENFOLD_QUEUE_RELAY     = module.queues.urls["relay"]
    PENFOLD_QUEUE_TRANSFER  = module.queues.urls["transfer"]
    PENFOLD_QUEUE_SUBSCRIBE = module.queues.urls["subscribe"]
    PENFOLD_HOST_NAME       = local.mail_host
    PENFOLD_SECRETS         = module.data.secrets_name
    PENFOLD_KEY             = module.data.key_arn
    PENFOLD_LOG_FORMAT      = "json"
  }
}
