"""Makes a cell's resources in the local cloud as infra/cell.json defines them, and prints the environment that leads to them.

Usage: resources.py CELL DYNAMODB S3+SQS KMS (endpoints). Waits for each server; what is there already stays as it is.
"""
import json
import logging
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

PATIENCE = 180  # a busy machine is slow, and a server that ended is noticed at once
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "infra", "cell.json")) as f:
    CELL = json.load(f)


def client(service, endpoint):
    # A session of its own: making clients of one session in several threads at once is not safe.
    return boto3.session.Session("test", "test", region_name="us-east-1").client(
        service, endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=30, s3={"addressing_style": "path"}))


def unless(codes, call, **arguments):
    """The call's answer, or None where it fails with one of these codes: the thing is there."""
    try:
        return call(**arguments)
    except ClientError as e:
        if e.response["Error"]["Code"] in codes:
            return None
        raise


def table(name, endpoint):
    c, keys = client("dynamodb", endpoint), (("HASH", CELL["table"]["hash"]), ("RANGE", CELL["table"]["range"]))
    unless({"ResourceInUseException"}, c.create_table, TableName=name, BillingMode="PAY_PER_REQUEST",
           AttributeDefinitions=[{"AttributeName": k["name"], "AttributeType": k["type"]} for _, k in keys],
           KeySchema=[{"AttributeName": k["name"], "KeyType": kind} for kind, k in keys])
    unless({"ValidationException"}, c.update_time_to_live, TableName=name, TimeToLiveSpecification={"AttributeName": CELL["table"]["ttl"], "Enabled": True})
    return {"PENFOLD_TABLE": name}


def queue(c, name, fifo, attributes):
    if fifo:
        # A limit for each group and not for the queue: DeduplicationScope and FifoThroughputLimit come as a pair.
        attributes |= {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    try:
        return c.get_queue_url(QueueName=name)["QueueUrl"]
    except c.exceptions.QueueDoesNotExist:
        return c.create_queue(QueueName=name, Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]


def queues(prefix, endpoint):
    c, found = client("sqs", endpoint), {}
    for name, q in CELL["queues"].items():
        ending = ".fifo" if q["fifo"] else ""
        dead = queue(c, f"{prefix}-{name}-dead{ending}", q["fifo"], {"MessageRetentionPeriod": CELL["dead"]["retention"]})
        arn = c.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        url = queue(c, f"{prefix}-{name}{ending}", q["fifo"], {
            "VisibilityTimeout": q["visibility"], "MessageRetentionPeriod": q["retention"], "ReceiveMessageWaitTimeSeconds": q["wait"],
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": q["max_receive"]})})
        found |= {f"PENFOLD_QUEUE_{name.upper()}": url, f"PENFOLD_QUEUE_{name.upper()}_DEAD": dead}
    return found


def bucket(name, endpoint):
    c, b = client("s3", endpoint), CELL["bucket"]
    unless({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}, c.create_bucket, Bucket=name)
    if b["versioning"]:
        c.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    c.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [{
        "ID": "leftovers", "Status": "Enabled", "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": b["abort_multipart_days"]},
        "NoncurrentVersionExpiration": {"NoncurrentDays": b["noncurrent_days"]}}]})
    return {"PENFOLD_BUCKET": name}


def secrets(name, endpoint):
    """Of tenants: one version of each, and no copies."""
    unless({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}, client("s3", endpoint).create_bucket, Bucket=name)
    return {"PENFOLD_SECRETS": name}


def key(alias, endpoint):
    c = client("kms", endpoint)
    if not any(a["AliasName"] == alias for page in c.get_paginator("list_aliases").paginate() for a in page["Aliases"]):
        made = c.create_key()["KeyMetadata"]["KeyId"]
        if CELL["key"]["rotation"]:
            c.enable_key_rotation(KeyId=made)
        c.create_alias(AliasName=alias, TargetKeyId=made)
    return {"PENFOLD_KEY": alias}


def patiently(part, make, *arguments):
    """Tries until the server is there; anything that it answers counts. Gives back the environment and the seconds."""
    begin, (host, _, port) = time.monotonic(), arguments[-1].removeprefix("http://").partition(":")
    while True:
        try:
            socket.create_connection((host, int(port))).close()  # costs less than to make a client again and again
            return part, make(*arguments), time.monotonic() - begin
        except (ConnectionError, EndpointConnectionError, HTTPClientError) as e:
            if time.monotonic() - begin > PATIENCE:
                raise SystemExit(f"{part}: no answer from {arguments[-1]} in {PATIENCE} s: {e}") from e
            time.sleep(0.1)


def main(cell, dynamodb, s3_sqs, kms):
    logging.disable(logging.CRITICAL)
    prefix = f"penfold-{cell}"
    jobs = (("DynamoDB", table, prefix, dynamodb), ("SQS", queues, prefix, s3_sqs), ("S3", bucket, prefix + "-blobs", s3_sqs),
            ("secrets", secrets, prefix + "-secrets", s3_sqs), ("KMS", key, "alias/" + prefix, kms))
    environment, parts = {"PENFOLD_CELL": cell, "PENFOLD_HOST_NAME": "mail.penfold.test"}, {}
    with ThreadPoolExecutor(len(jobs)) as pool:
        for part, found, seconds in pool.map(lambda j: patiently(*j), jobs):
            environment |= found
            parts[part] = round(seconds, 1)
    json.dump({"environment": environment, "seconds": parts}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
