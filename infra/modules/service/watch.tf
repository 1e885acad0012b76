module "watch" {
  source         = "../watch"
  prefix         = local.prefix
  table_name     = module.data.table_name
  queue_names    = module.queues.names
  function_names = module.functions.names
  worker_logs    = module.functions.worker_logs
  http_balancer  = module.http.balancer
  tcp_balancer   = module.edges.balancer
  edge_target_groups = merge(
    { for name, group in module.edges.target_groups : name => { balancer = module.edges.balancer, group = group, namespace = "AWS/NetworkELB" } },
    { http = { balancer = module.http.balancer, group = module.http.edge_target_group, namespace = "AWS/ApplicationELB" } },
  )
  alarm_topic_arn = module.topic.arn
  monthly_budget  = var.monthly_budget
  emails          = var.emails
}
