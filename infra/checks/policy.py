"""Our own rules, which no schema knows: least privilege, alarms that lead somewhere, nothing secret in the state."""

import json
import re

import hcl
from tree import Finding

# Resources whose value would lie readable in the state, and what to do instead.
SECRETS = {
    "aws_secretsmanager_secret_version": "put the value there with the AWS command line",
    "aws_ssm_parameter": "use a secret without a version",
    "aws_iam_access_key": "use a role",
    "aws_db_instance": "there is no database",
    "random_password": "let whoever uses it make it",
    "tls_private_key": "let whoever uses it make it",
}
CALL = re.compile(r"\.\s*([a-z0-9_]+)\(\)")
# Calls of the SDK, and the actions that they need.
ACTIONS = {
    "get_item": ["dynamodb:GetItem"],
    "batch_get_item": ["dynamodb:BatchGetItem"],
    "query": ["dynamodb:Query"],
    "scan": ["dynamodb:Scan"],
    "put_item": ["dynamodb:PutItem"],
    "update_item": ["dynamodb:UpdateItem"],
    "delete_item": ["dynamodb:DeleteItem"],
    "describe_table": ["dynamodb:DescribeTable"],
    "transact_get_items": ["dynamodb:GetItem"],
    "transact_write_items": ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"],
    "get_object": ["s3:GetObject", "kms:Decrypt"],
    "head_object": ["s3:GetObject"],
    "put_object": ["s3:PutObject", "kms:GenerateDataKey"],
    "create_multipart_upload": ["s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"],
    "abort_multipart_upload": ["s3:AbortMultipartUpload"],
    "delete_object": ["s3:DeleteObject"],
    "delete_objects": ["s3:DeleteObject"],
    "list_objects_v2": ["s3:ListBucket"],
    "head_bucket": ["s3:ListBucket"],
    "create_queue": ["sqs:CreateQueue"],
    "delete_queue": ["sqs:DeleteQueue"],
    "get_queue_url": ["sqs:GetQueueUrl"],
    "get_queue_attributes": ["sqs:GetQueueAttributes"],
    "set_queue_attributes": ["sqs:SetQueueAttributes"],
    "list_queues": ["sqs:ListQueues"],
    "tag_queue": ["sqs:TagQueue"],
    "send_message": ["sqs:SendMessage"],
    "send_message_batch": ["sqs:SendMessage"],
    "receive_message": ["sqs:ReceiveMessage"],
    "delete_message": ["sqs:DeleteMessage"],
    "delete_message_batch": ["sqs:DeleteMessage"],
    "change_message_visibility": ["sqs:ChangeMessageVisibility"],
    "change_message_visibility_batch": ["sqs:ChangeMessageVisibility"],
    "encrypt": ["kms:Encrypt"],
    "decrypt": ["kms:Decrypt"],
    "generate_data_key": ["kms:GenerateDataKey"],
    "describe_key": ["kms:DescribeKey"],
}
SECTION = re.compile(r"\. (docs/[a-z-]+\.md): (.+)$")


class Policy:
    def __init__(self, modules, root, allowed, findings):
        self.modules, self.root, self.findings = modules, root, findings
        self.allowed, self.met = read_allowed(allowed), set()
        self.allowed_file = str(allowed.relative_to(root))

    def find(self, item, line, text):
        self.findings.append(Finding(item.file, line, text))

    def run(self):
        for module in self.modules.values():
            for item in module.items():
                for node in hcl.walk(item.block or item.value):
                    if isinstance(node, hcl.Object) and node.get("Effect"):
                        self.statement(item, node)
            for (kind, name), item in module.resources.items():
                rule = getattr(self, kind, None)
                if rule:
                    rule(module, name, item)
                if kind in SECRETS:
                    self.find(item, item.line, f"{kind} would keep a secret in the state: {SECRETS[kind]}")
            for item in module.other:
                for backend in item.body.of("backend") if item.block.kind == "terraform" else ():
                    self.backend(item, backend)
        self.grants()
        self.rights()
        for entry in self.allowed.keys() - self.met:
            self.findings.append(Finding(self.allowed_file, self.allowed[entry][0], f"{' '.join(entry)} is allowed and not used"))

    # IAM
    def statement(self, item, node):
        sid = literal(node.get("Sid")) or "-"
        actions, resources = strings(node.get("Action")), strings(node.get("Resource"))
        if literal(node.get("Effect")) == "Deny":
            return
        if actions == ["sts:AssumeRole"]:
            return
        if node.get("NotAction") or node.get("NotResource"):
            self.find(item, node.line, f"{sid}: say what is allowed, not what is left out")
        for action in actions:
            if "*" in action:
                self.allow(item, node, sid, action)
        if node.get("Resource") is None:
            self.find(item, node.line, f"{sid}: a statement must name its resources")
        for resource in resources:
            if resource == "*":
                self.allow(item, node, sid, "*")

    def allow(self, item, node, sid, what):
        entry = (item.file, sid, what)
        if entry in self.allowed:
            self.met.add(entry)
        else:
            self.find(item, node.line, f"{sid}: {what} is too wide; name it, or give a reason in {self.allowed_file}")

    def grants(self):
        access = next((m for m in self.modules.values() if m.path.name == "access"), None)
        service = next((m for m in self.modules.values() if m.path.name == "service"), None)
        if not access or not service or "statements" not in access.locals:
            return
        known = {k.value for k, _ in access.locals["statements"].value.items}
        used = set()
        for word in ("function_grants", "edge_grants"):
            for _, names in service.locals[word].value.items:
                used |= self.granted(service.locals[word], names, known)
        relay = service.modules["relay"]
        used |= self.granted(relay, relay.argument("grants"), known)
        for name in sorted(known - used):
            self.find(access.locals["statements"], access.locals["statements"].line, f"nobody is granted {name}")
        cell = json.loads((self.root / "infra/cell.json").read_text())
        named = {k.value for k, _ in service.locals["function_grants"].value.items}
        if not cell["bucket"]["versioning"] or not cell["key"]["rotation"]:
            self.findings.append(Finding("infra/cell.json", 1, "restoring needs versions of blobs, and the key rotates: modules/cell-data does both, whatever is written here"))
        if named != set(cell["functions"]):
            self.find(service.locals["function_grants"], service.locals["function_grants"].line, f"infra/cell.json has the functions {', '.join(cell['functions'])}")

    def rights(self):
        """What roles may be given is what the code asks for, no less and no more."""
        # testing.rs makes and looks into cells of its own on the local cloud; no role needs what it calls.
        sources = [p for p in (self.root / "shared/aws/src").rglob("*.rs") if p.name != "testing.rs"]
        access = next((m for m in self.modules.values() if m.path.name == "access"), None)
        if not sources or not access or "statements" not in access.locals:
            return
        item = access.locals["statements"]
        wanted = {}
        for source in sources:
            for call in CALL.findall(source.read_text()):
                for action in ACTIONS.get(call, ()):
                    wanted[action] = f"{source.relative_to(self.root)} calls {call}"
        granted = {}
        for node in hcl.walk(item.value):
            if isinstance(node, hcl.Object) and node.get("Effect"):
                granted |= {action: node.line for action in strings(node.get("Action"))}
        for action in sorted(wanted.keys() - granted.keys()):
            self.find(item, item.line, f"{wanted[action]}, and nobody may be given {action}")
        for action in sorted(granted.keys() - wanted.keys()):
            self.find(item, granted[action], f"nothing in shared/aws needs {action}")

    def granted(self, item, names, known):
        for name in names.items:
            if name.value not in known:
                self.find(item, name.line, f"there is no grant {name.value}")
        return {name.value for name in names.items}

    # Queues and alarms
    def aws_sqs_queue(self, module, name, item):
        if not any(refers(alarm.block, "aws_sqs_queue", name) for (kind, _), alarm in module.resources.items() if kind == "aws_cloudwatch_metric_alarm"):
            self.find(item, item.line, f"no alarm watches aws_sqs_queue.{name}")
        if "redrive_policy" not in item.body.attributes and name != "dead":
            self.find(item, item.line, f"aws_sqs_queue.{name} has no dead letters")

    def aws_cloudwatch_metric_alarm(self, _module, name, item):
        description = item.argument("alarm_description")
        m = SECTION.search(literal(description) or "")
        if not m:
            return self.find(item, (description or item).line, f"alarm {name}: its description must end with a file and a section, as in `. docs/operations-aws.md: Alarm: 5xx`")
        file, section = m.groups()
        path = self.root / file
        if not path.exists() or section not in headings(path.read_text()):
            self.find(item, description.line, f"{file} has no section {section!r}")
        if "alarm_actions" not in item.body.attributes:
            self.find(item, item.line, f"alarm {name} tells nobody")

    def aws_cloudwatch_log_metric_filter(self, _module, name, item):
        words = (literal(item.argument("pattern")) or "").strip('"')
        sources = list((self.root / "shared/aws").rglob("*.rs"))
        if sources and not any(words in source.read_text() for source in sources):
            self.find(item, item.line, f"nothing in shared/aws logs {words!r}")

    # What holds data
    def aws_s3_bucket(self, module, name, item):
        # Tenants' secrets: an old version would outlive what is destroyed.
        versions, one = "aws_s3_bucket_versioning", name == "secrets"
        for kind in ("aws_s3_bucket_public_access_block", versions, "aws_s3_bucket_policy"):
            there = any(k == kind and refers(r.block, "aws_s3_bucket", name) for (k, _), r in module.resources.items())
            if there == (one and kind == versions):
                self.find(item, item.line, f"aws_s3_bucket.{name} has {'' if there else 'no '}{kind}")

    def aws_dynamodb_table(self, _module, name, item):
        for block in ("point_in_time_recovery", "ttl", "server_side_encryption"):
            if not item.body.of(block):
                self.find(item, item.line, f"aws_dynamodb_table.{name} has no {block}")
        if "deletion_protection_enabled" not in item.body.attributes:
            self.find(item, item.line, f"aws_dynamodb_table.{name} has no deletion_protection_enabled")

    def aws_kms_key(self, _module, name, item):
        if literal(item.argument("enable_key_rotation")) is not True:
            self.find(item, item.line, f"aws_kms_key.{name} does not rotate")

    def aws_cloudwatch_log_group(self, _module, name, item):
        if "retention_in_days" not in item.body.attributes:
            self.find(item, item.line, f"aws_cloudwatch_log_group.{name} would be kept, and paid for, for ever")

    def aws_lambda_event_source_mapping(self, _module, name, item):
        if strings(item.argument("function_response_types")) != ["ReportBatchItemFailures"]:
            self.find(item, item.line, f"aws_lambda_event_source_mapping.{name} would repeat a whole batch for one failure")

    def backend(self, item, backend):
        for name in ("encrypt", "use_lockfile"):
            if literal(backend.body.attributes.get(name) and backend.body.attributes[name].value) is not True:
                self.find(item, backend.line, f"the state needs {name} = true")


def read_allowed(path):
    """Lines of FILE SID WHAT REASON..."""
    entries = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            file, sid, what, reason = line.split(maxsplit=3)
            entries[file, sid, what] = (number, reason)
    return entries


def literal(node):
    return node.value if isinstance(node, hcl.Literal) else None


def strings(node):
    if isinstance(node, hcl.Tuple):
        return [n.value for n in node.items if isinstance(n, hcl.Literal)]
    return [node.value] if isinstance(node, hcl.Literal) else []


def refers(block, kind, name):
    return any(isinstance(n, hcl.Name) and n.root == kind and n.steps[:1] == [name] for n in hcl.walk(block))


def headings(text):
    return {line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")}
