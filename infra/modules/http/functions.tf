resource "aws_lb_target_group" "function" {
  for_each                           = var.function_paths
  name                               = "${var.prefix}-fn-${each.key}"
  target_type                        = "lambda"
  lambda_multi_value_headers_enabled = true
}

resource "aws_lambda_permission" "balancer" {
  for_each      = var.function_paths
  statement_id  = "load-balancer"
  action        = "lambda:InvokeFunction"
  principal     = "elasticloadbalancing.amazonaws.com"
  function_name = var.function_arns[each.key]
  source_arn    = aws_lb_target_group.function[each.key].arn
}

resource "aws_lb_target_group_attachment" "function" {
  for_each         = var.function_paths
  target_group_arn = aws_lb_target_group.function[each.key].arn
  target_id        = var.function_arns[each.key]
  depends_on       = [aws_lambda_permission.balancer]
}

resource "aws_lb_listener_rule" "function" {
  for_each     = var.function_paths
  listener_arn = aws_lb_listener.tls.arn
  priority     = 200 + index(keys(var.function_paths), each.key)
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.function[each.key].arn
  }
  condition {
    path_pattern {
      values = each.value
    }
  }
}
