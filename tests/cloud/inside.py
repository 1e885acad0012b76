"""What tests/cloud/local.py asks inside of the local cloud, with boto3. Usage: inside.py NAME; prints `ok` or fails."""
import json
import os
import sys
import time
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "..", "..", "infra", "cell.json")) as f:
    CELL = json.load(f)
TABLE, BUCKET, QUEUE = os.environ["PENFOLD_TABLE"], os.environ["PENFOLD_BUCKET"], os.environ["PENFOLD_QUEUE_DELIVER"]
DEAD = os.environ["PENFOLD_QUEUE_DELIVER_DEAD"]
ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


def client(service, direct=None, config=ONCE):
    return boto3.client(service, config=config, **({"endpoint_url": f"http://127.0.0.1:{direct}"} if direct else {}))


def row(name):
    return {"pk": {"S": "test"}, "sk": {"B": name.encode()}}


def code(call, **arguments):
    """The error's code and status, or the name of the exception for a connection that ended."""
    try:
        call(**arguments)
    except ClientError as e:
        return e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]
    except ConnectionClosedError:
        return "closed", 0
    return "none", 200


def cell():
    """The resources are what cell.json says."""
    d, name = client("dynamodb"), f"penfold-{os.environ['PENFOLD_CELL']}"
    assert TABLE == name
    t = d.describe_table(TableName=TABLE)["Table"]
    types = {a["AttributeName"]: a["AttributeType"] for a in t["AttributeDefinitions"]}
    got = {k["KeyType"].lower(): {"name": k["AttributeName"], "type": types[k["AttributeName"]]} for k in t["KeySchema"]}
    assert got == {k: CELL["table"][k] for k in ("hash", "range")}, got
    assert t["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    ttl = d.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", CELL["table"]["ttl"]), ttl
    q = client("sqs")
    urls = sorted(u.rpartition("/")[2] for u in q.list_queues(QueueNamePrefix=name + "-")["QueueUrls"])
    assert urls == sorted(f"{name}-{n}{d}{'.fifo' if c['fifo'] else ''}" for n, c in CELL["queues"].items() for d in ("", "-dead")), urls
    for n, c in CELL["queues"].items():
        url, dead = os.environ[f"PENFOLD_QUEUE_{n.upper()}"], os.environ[f"PENFOLD_QUEUE_{n.upper()}_DEAD"]
        a = q.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        b = q.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
        want = {"VisibilityTimeout": c["visibility"], "MessageRetentionPeriod": c["retention"], "ReceiveMessageWaitTimeSeconds": c["wait"]}
        assert {k: int(a[k]) for k in want} == want, a
        assert int(b["MessageRetentionPeriod"]) == CELL["dead"]["retention"], b
        assert json.loads(a["RedrivePolicy"]) == {"deadLetterTargetArn": b["QueueArn"], "maxReceiveCount": c["max_receive"]}, a
        if c["fifo"]:
            for x in (a, b):
                assert (x["FifoQueue"], x["DeduplicationScope"], x["FifoThroughputLimit"]) == ("true", "messageGroup", "perMessageGroupId"), x
    s = client("s3")
    assert s.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert "Status" not in s.get_bucket_versioning(Bucket=os.environ["PENFOLD_SECRETS"])
    rule, = s.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": CELL["bucket"]["abort_multipart_days"]}, rule
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == CELL["bucket"]["noncurrent_days"], rule


def servers():
    """What the ports stand on: conditions, transactions with tokens, units, FIFO order and dead letters, ranges, data keys."""
    d = client("dynamodb")
    d.put_item(TableName=TABLE, Item=row("a"))
    assert code(d.put_item, TableName=TABLE, Item=row("a"), ConditionExpression="attribute_not_exists(pk)") == ("ConditionalCheckFailedException", 400)
    twice = [d.transact_write_items(ClientRequestToken="t1", ReturnConsumedCapacity="TOTAL", TransactItems=[
        {"Update": {"TableName": TABLE, "Key": row(k), "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}} for k in "bc"]) for _ in range(2)]
    assert twice[0]["ConsumedCapacity"][0]["CapacityUnits"] == 4, twice
    assert d.get_item(TableName=TABLE, Key=row("b"))["Item"]["n"] == {"N": "1"}
    q = client("sqs")
    for n in range(3):
        q.send_message(QueueUrl=QUEUE, MessageBody=str(n), MessageGroupId="g", MessageDeduplicationId=f"d{n // 2}{n}")
    got = q.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=0)["Messages"]
    assert [m["Body"] for m in got] == ["0", "1", "2"], got
    for _ in range(CELL["queues"]["deliver"]["max_receive"] * 2):
        q.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0)
    got = q.receive_message(QueueUrl=DEAD, MaxNumberOfMessages=10, WaitTimeSeconds=2)["Messages"]
    assert [m["Body"] for m in got] == ["0", "1", "2"], got
    s = client("s3")
    s.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
    assert s.get_object(Bucket=BUCKET, Key="k", Range="bytes=2-4")["Body"].read() == b"234"
    assert code(s.put_object, Bucket=BUCKET, Key="k", Body=b"x", IfNoneMatch="*") == ("PreconditionFailed", 412)
    k = client("kms")
    made = k.generate_data_key(KeyId=os.environ["PENFOLD_KEY"], KeySpec="AES_256", EncryptionContext={"tenant": "t"})
    assert k.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"tenant": "t"})["Plaintext"] == made["Plaintext"]
    assert code(k.decrypt, CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"tenant": "u"})[1] == 400


def alone():
    """Nobody else's rows, queue jobs or objects, also while another cloud is used in the same way."""
    d, s, q, mine = client("dynamodb"), client("s3"), client("sqs"), str(uuid.uuid4())
    for n in range(10):
        d.put_item(TableName=TABLE, Item=row(f"{mine}-{n}"))
        s.put_object(Bucket=BUCKET, Key=f"{mine}-{n}", Body=b"x")
        q.send_message(QueueUrl=QUEUE, MessageBody=f"{mine}-{n}", MessageGroupId=str(n), MessageDeduplicationId=str(n))
        time.sleep(0.2)
    rows = [i["sk"]["B"].decode() for i in d.query(TableName=TABLE, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "test"}})["Items"]]
    objects = [o["Key"] for o in s.list_objects_v2(Bucket=BUCKET)["Contents"]]
    count = int(q.get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]["ApproximateNumberOfMessages"])
    assert rows == objects == [f"{mine}-{n}" for n in range(10)] and count == 10, (rows, objects, count)


def transaction():
    return {"TransactItems": [{"Put": {"TableName": TABLE, "Item": row(f"x{n}")}} for n in range(3)]}


def throttle():
    d, q, s, seen = client("dynamodb"), client("sqs"), client("s3"), set()
    for n in range(20):
        seen.add(code(d.put_item, TableName=TABLE, Item=row("never")))
    assert seen == {("ProvisionedThroughputExceededException", 400), ("ThrottlingException", 400), ("RequestLimitExceeded", 400)}, seen
    reasons = None
    for _ in range(20):
        try:
            d.transact_write_items(**transaction())
        except d.exceptions.TransactionCanceledException as e:
            reasons = [r["Code"] for r in e.response["CancellationReasons"]]
            assert sorted(reasons) == ["None", "None", "ThrottlingError"], reasons
        except ClientError:
            pass
    assert reasons
    seen = {code(q.send_message, QueueUrl=QUEUE, MessageBody="never", MessageGroupId="g", MessageDeduplicationId="d") for _ in range(20)}
    assert seen == {("RequestThrottled", 403), ("ThrottlingException", 400)}, seen
    assert code(s.put_object, Bucket=BUCKET, Key="never", Body=b"x") == ("SlowDown", 503)
    assert code(s.head_object, Bucket=BUCKET, Key="never") == ("503", 503)
    assert "Item" not in client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("never"))


def error():
    d, q, s = client("dynamodb"), client("sqs"), client("s3")
    seen = {code(d.put_item, TableName=TABLE, Item=row("never")) for _ in range(20)}
    assert seen == {("InternalServerError", 500), ("ServiceUnavailableException", 503)}, seen
    seen = {code(q.delete_message, QueueUrl=QUEUE, ReceiptHandle="x") for _ in range(20)}
    assert seen == {("InternalError", 500), ("ServiceUnavailable", 503)}, seen
    seen = {code(s.get_object, Bucket=BUCKET, Key="x") for _ in range(20)}
    assert seen == {("InternalError", 500), ("ServiceUnavailable", 503)}, seen
    assert "Item" not in client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("never"))


def dropped():
    assert code(client("dynamodb").put_item, TableName=TABLE, Item=row("dropped")) == ("closed", 0)
    assert code(client("sqs").send_message, QueueUrl=QUEUE, MessageBody="x", MessageGroupId="g") == ("closed", 0)
    assert code(client("s3").put_object, Bucket=BUCKET, Key="dropped", Body=b"x") == ("closed", 0)
    assert "Item" not in client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("dropped"))
    assert code(client("s3", 4566).head_object, Bucket=BUCKET, Key="dropped") == ("404", 404)


def lost():
    assert code(client("dynamodb").put_item, TableName=TABLE, Item=row("lost")) == ("closed", 0)
    assert code(client("s3").put_object, Bucket=BUCKET, Key="lost", Body=b"x" * 100000) == ("closed", 0)
    assert "Item" in client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("lost"))
    assert client("s3", 4566).head_object(Bucket=BUCKET, Key="lost")["ContentLength"] == 100000


def error_after():
    assert code(client("dynamodb").put_item, TableName=TABLE, Item=row("after"))[1] >= 500
    assert code(client("s3").put_object, Bucket=BUCKET, Key="after", Body=b"x")[1] >= 500
    assert "Item" in client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("after"))
    assert client("s3", 4566).head_object(Bucket=BUCKET, Key="after")["ContentLength"] == 1


def twice():
    client("dynamodb").update_item(TableName=TABLE, Key=row("twice"), UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})
    assert client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("twice"))["Item"]["n"] == {"N": "2"}
    once = {"TransactItems": [{"Update": {"TableName": TABLE, "Key": row("token"), "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}}]}
    client("dynamodb").transact_write_items(ClientRequestToken="token", **once)
    assert client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("token"))["Item"]["n"] == {"N": "1"}


def slow():
    begin = time.monotonic()
    client("dynamodb").put_item(TableName=TABLE, Item=row("slow"))
    assert time.monotonic() - begin > 0.1


def partial():
    direct = client("dynamodb", 8000)
    for n in range(5):
        direct.put_item(TableName=TABLE, Item=row(f"p{n}"))
    got = client("dynamodb").batch_get_item(RequestItems={TABLE: {"Keys": [row(f"p{n}") for n in range(5)]}})
    assert (len(got["Responses"][TABLE]), len(got["UnprocessedKeys"][TABLE]["Keys"])) == (3, 2), got
    got = client("sqs").send_message_batch(QueueUrl=QUEUE, Entries=[{"Id": str(n), "MessageBody": "p", "MessageGroupId": str(uuid.uuid4()), "MessageDeduplicationId": "p"} for n in range(4)])
    assert [e["Id"] for e in got["Successful"]] == ["0", "1"] and [e["Id"] for e in got["Failed"]] == ["2", "3"], got
    assert code(client("dynamodb").get_item, TableName=TABLE, Key=row("p0"))[1] == 400


def seeded():
    """Some traffic, each request until it gets through; local.py compares the counts of two runs."""
    d = client("dynamodb")
    for n in range(30):
        while code(d.update_item, TableName=TABLE, Key=row("seeded"), UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": str(n)}})[1] != 200:
            pass
    assert client("dynamodb", 8000).get_item(TableName=TABLE, Key=row("seeded"))["Item"]["n"] == {"N": "29"}


if __name__ == "__main__":
    globals()[sys.argv[1].replace("-", "_")]()
    print("ok")
