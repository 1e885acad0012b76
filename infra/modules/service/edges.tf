locals {
  # Ports of the load balancer, and of the container, which may not bind low ones.
  edge_ports = {
    smtp = {
      mx          = { listen = 25, container = 2525 }
      submission  = { listen = 587, container = 2587 }
      submissions = { listen = 465, container = 2465 }
    }
    imap = {
      imaps = { listen = 993, container = 2993 }
      imap  = { listen = 143, container = 2143 }
    }
    http = {}
  }

  edge_grants = {
    smtp = ["table_read", "table_write", "blobs_list", "blobs_write", "jobs_look", "jobs_send", "secrets_read", "keys"]
    imap = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "jobs_look", "wakes_send", "wakes_take", "secrets_read", "keys"]
    # It orders certificates, and makes the secret of the cell's own key.
    http = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "jobs_look", "jobs_send", "wakes_send", "wakes_take", "secrets_read", "secrets_make", "keys"]
  }

  edge_environment = {
    smtp = {
      PENFOLD_SMTP        = "0.0.0.0:2525"
      PENFOLD_SUBMISSION  = "0.0.0.0:2587"
      PENFOLD_SUBMISSIONS = "0.0.0.0:2465"
    }
    imap = {
      PENFOLD_IMAP  = "0.0.0.0:2143"
      PENFOLD_IMAPS = "0.0.0.0:2993"
    }
    http = {
      PENFOLD_HTTPS = "0.0.0.0:${local.https_port}"
    }
  }
}

module "edges" {
  source = "../edges"
  prefix = local.prefix
  services = {
    for name, size in var.edges : name => merge(size, {
      image       = "${module.artifacts.repositories["edge"]}:${var.release}"
      ports       = local.edge_ports[name]
      grants      = local.edge_grants[name]
      environment = local.edge_environment[name]
    })
  }
  architecture = var.architecture
  spot         = var.spot
  network = {
    vpc_id         = module.network.vpc_id
    cidr           = module.network.cidr
    public_subnets = module.network.public_subnets
    edge_subnets   = module.network.edge_subnets
    private        = var.network.private_edges
  }
  http = {
    target_group_arn = module.http.edge_target_group_arn
    security_group   = module.http.security_group
    port             = local.https_port
  }
  statements     = module.access.statements
  repository_arn = module.artifacts.repository_arns["edge"]
  environment = merge(local.environment, {
    AWS_REGION         = data.aws_region.here.region
    PENFOLD_PROXY_FROM = module.network.cidr
  })
  tls_secret_arn = module.certificates.edges_secret_arn
  # For a command of the image that ends with 0 while the edge is well; until then a port that answers has to do.
  health        = []
  drain_seconds = local.drain_seconds
  protect       = var.protect
  log_days      = var.log_days
}

module "relay" {
  source          = "../relay"
  prefix          = local.prefix
  network         = module.network
  names           = local.relays
  reverse_names   = var.reverse_names
  image           = var.run_relay ? "${module.artifacts.repositories["relay"]}:${var.release}" : null
  statements      = module.access.statements
  grants          = ["table_read", "table_write", "blobs_read", "blobs_list", "blobs_write", "jobs_look", "jobs_send", "jobs_take", "job_bodies_delete", "secrets_read", "keys"]
  repository_arn  = module.artifacts.repository_arns["relay"]
  environment     = merge(local.environment, { AWS_REGION = data.aws_region.here.region, PENFOLD_HOST_NAME = local.relay_host })
  architecture    = var.architecture
  drain_seconds   = local.drain_seconds
  log_days        = var.log_days
  alarm_topic_arn = module.topic.arn
}
