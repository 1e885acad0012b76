"""Plants one mistake at a time into a copy of infra/, and asks that it is found at its line."""

import shutil
import tempfile
from pathlib import Path

# file, what stands there, what it becomes, words of the finding; the finding is at the line of the change, or so many after it.
ANY = None
MISTAKES = [
    ("cell-data/table.tf", "billing_mode ", "biling_mode ", "has no argument biling_mode; is it billing_mode?"),
    ("cell-data/table.tf", "  ttl {", "  tll {", "has no block tll"),
    ("cell-data/table.tf", "attribute_name = var.table.ttl", "name = var.table.ttl", "aws_dynamodb_table.ttl has no argument name"),
    ("cell-data/table.tf", '"aws_dynamodb_table"', '"aws_dynamo_table"', "the provider has no resource aws_dynamo_table"),
    ("network/main.tf", '"aws_availability_zones"', '"aws_zones"', "the provider has no data source aws_zones"),
    ("queues/alarms.tf", "  evaluation_periods  = 3\n", "", "aws_cloudwatch_metric_alarm needs evaluation_periods", -9),
    ("cell-data/bucket.tf", '      sse_algorithm     = "aws:kms"\n', "", "needs sse_algorithm", -1),
    ("queues/alarms.tf", "evaluation_periods  = 3", 'evaluation_periods  = "three"', "'three' is no number"),
    ("cell-data/key.tf", "multi_region            = true", "multi_region            = 7", "7 is no bool"),
    ("queues/alarms.tf", "alarm_actions       = [var.alarm_topic_arn]", 'alarm_actions       = "x"', "'x' is no list"),
    ("topic/main.tf", "var.emails", "var.mails", "var.mails is not declared"),
    ("edges/task.tf", "local.stop_seconds", "local.stop_second", "local.stop_second is not declared"),
    ("edges/variables.tf", 'variable "log_days" {\n  type = number\n}', 'variable "log_days" {\n  type = number\n}\n\nvariable "spare" {\n  type = number\n}', "var.spare is never used", 4),
    ("service/main.tf", "module.data.table_arn", "module.data.tabel_arn", "module.data has no output tabel_arn"),
    ("service/main.tf", "  dead_retention  =", "  dead_days =", "has no variable dead_days"),
    ("service/main.tf", "  cidr          = var.network.cidr\n", "", "module network needs cidr", -3),
    ("service/main.tf", "var.network.cidr", "var.network.range", "var.network has no range"),
    ("service/main.tf", '"../topic"', '"../topics"', "there is no module at ../topics"),
    ("topic/outputs.tf", "aws_sns_topic.alarms.arn", "aws_sns_topic.alarm.arn", "aws_sns_topic.alarm is not declared"),
    ("topic/outputs.tf", "aws_sns_topic.alarms.arn", "aws_sns_topic.alarms.arnn", "aws_sns_topic has no attribute arnn"),
    ("queues/alarms.tf", "aws_sqs_queue.dead[each.key].name", "aws_sqs_queue.dead.name", "is many: say which"),
    ("topic/main.tf", "  for_each  = var.emails\n", "  endpoint_auto_confirms = var.emails == null\n", "each is used where there is no for_each", 3),
    ("network/main.tf", "cidrsubnet(var.cidr, 4, each.value)", "cidrsubnets4(var.cidr, each.value)", "there is no function cidrsubnets4"),
    ("service/main.tf", "  emails = var.emails", "  emails = module.dns.id", "module.dns has no output id"),
    ("topic/main.tf", "name = \"${var.prefix}-alarms\"", "name = \"${var.prefix}-alarms", "a string is not closed"),
    ("cell-data/main.tf", None, 'resource "aws_kms_alias" "this" {\n  target_key_id = "x"\n}\n', "is declared twice"),
    ("../envs/dev/main.tf", "workers        = 5", 'workers        = "few"', "'few' is no number"),
    ("../envs/dev/variables.tf", "min = 1, max = 2 }\n    imap", "min = 1, most = 2 }\n    imap", "most is not one of"),
    ("edges/task.tf", "stop_seconds = var.drain_seconds + 15", "stop_seconds = local.stop_seconds + 15", "refers to itself: local.stop_seconds -> local.stop_seconds"),
    ("service/main.tf", "  emails = var.emails", "  emails = keys(module.queues.urls)", "refers to itself: module.queues -> module.topic -> module.queues", ANY),
    ("topic/main.tf", None, 'module "again" {\n  source = "../topic"\n  prefix = "x"\n  emails = []\n}\n', "modules call each other in a circle: topic -> topic"),
    # Our own policy.
    ("access/main.tf", "Resource = [var.table_arn]", 'Resource = "*"', "TableRead: * is too wide", -4),
    ("access/main.tf", '"s3:GetObject"', '"s3:*"', "BlobsRead: s3:* is too wide", -3),
    ("access/main.tf", "    jobs_take = [", "    jobs_took = [", "nobody is granted jobs_took", ANY),
    ("service/functions.tf", '"jobs_take"', '"jobs_steal"', "there is no grant jobs_steal"),
    ("access/main.tf", '"s3:PutObject", "s3:AbortMultipartUpload"', '"s3:PutObject"', "nobody may be given s3:AbortMultipartUpload", ANY),
    ("access/main.tf", '"dynamodb:Query"', '"dynamodb:Query", "dynamodb:Scan"', "nothing in shared/aws needs dynamodb:Scan", -3),
    ("watch/parked.tf", "a job was given up", "a job was dropped", "nothing in shared/aws logs 'a job was dropped'", -4),
    ("queues/alarms.tf", "Alarm: oldest job", "Alarm: oldest jobs", "has no section 'Alarm: oldest jobs'"),
    ("queues/main.tf", 'resource "aws_sqs_queue" "dead" {', 'resource "aws_sqs_queue" "spare" {\n  redrive_policy = "{}"\n}\n\nresource "aws_sqs_queue" "dead" {', "no alarm watches aws_sqs_queue.spare"),
    ("cell-data/table.tf", "  point_in_time_recovery {\n    enabled                 = true\n    recovery_period_in_days = var.recovery_days\n  }\n", "", "has no point_in_time_recovery", -22),
    ("cell-data/secrets.tf", None, 'resource "aws_s3_bucket_versioning" "secrets" {\n  bucket = aws_s3_bucket.secrets.id\n  versioning_configuration {\n    status = "Enabled"\n  }\n}\n', "aws_s3_bucket.secrets has aws_s3_bucket_versioning"),
    ("functions/main.tf", "  retention_in_days = var.log_days\n", "", "would be kept, and paid for, for ever", -3),
    ("../envs/prod/backend.tf", "use_lockfile = true", "use_lockfile = false", "the state needs use_lockfile", -3),
    ("certificates/main.tf", None, 'resource "aws_secretsmanager_secret_version" "edges" {\n  secret_id = "x"\n}\n', "would keep a secret in the state"),
]


def run(root, check):
    """How many were found, and how many there are."""
    good = 0
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        shutil.copytree(root / "infra", copy / "infra", ignore=shutil.ignore_patterns(".cache", ".terraform", "__pycache__"))
        shutil.copytree(root / "docs", copy / "docs")
        shutil.copytree(root / "shared/aws/src", copy / "shared/aws/src")
        for mistake in MISTAKES:
            good += found(copy, check, *mistake)
    return good, len(MISTAKES)


def found(copy, check, file, before, after, words, lines=0):
    path = copy / "infra/modules" / file
    old = path.read_text() if path.exists() else ""
    if before is None:
        new, lines = old + after, ANY
    else:
        if before not in old:
            print(f"selftest: {file} has no {before!r} any more")
            return False
        new, line = old.replace(before, after, 1), old[:old.index(before)].count("\n") + 1
    path.write_text(new)
    findings = check(copy)
    if old:
        path.write_text(old)
    else:
        path.unlink()
    name = str(path.resolve().relative_to(copy.resolve()))
    ok = any(f.file == name and words in f.text and (lines is None or f.line == line + lines) for f in findings)
    if not ok:
        print(f"selftest: {file}, {after!r}: expected {words!r}" + (f" at line {line + lines}" if lines is not None else ""))
        for f in findings:
            print("  found " + str(f))
    return ok
