mock_provider "aws" {
}

variables {
  prefix          = "penfold-test"
  queues          = jsondecode(file("../../cell.json")).queues
  dead_retention  = 1209600
  oldest_seconds  = 60
  alarm_topic_arn = "arn:aws:sns:xx-test-1:123456789012:alarms"
}

run "names_are_those_of_the_local_cloud" {
  assert {
    condition     = aws_sqs_queue.jobs["deliver"].name == "penfold-test-deliver.fifo" && aws_sqs_queue.dead["deliver"].name == "penfold-test-deliver-dead.fifo"
    error_message = "queues are penfold-CELL-QUEUE.fifo and penfold-CELL-QUEUE-dead.fifo"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.jobs["deliver"].redrive_policy).maxReceiveCount == jsondecode(file("../../cell.json")).queues.deliver.max_receive
    error_message = "a job goes to the dead letters after as many tries as infra/cell.json says"
  }
  assert {
    condition     = aws_sqs_queue.jobs["deliver"].fifo_throughput_limit == "perMessageGroupId"
    error_message = "groups must not share a rate"
  }
}
