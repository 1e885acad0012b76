"""What sends events to a function: a queue as Lambda's event source for SQS reads it, a clock, and HTTP as an application load balancer passes it on."""
import base64
import hashlib
import json
import os
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lambda_runtime import ACCOUNT, Failed

HTTP_LIMIT = 1024 * 1024  # of a request's body, and of the answer's JSON


class Queue:
    """Each of the host's instances has a poller: receive, invoke, delete what the function does not name as failed."""
    about = ""

    def __init__(self, host, variable, batch, visibility):
        import boto3  # takes a second, and the other sources do without
        from botocore.config import Config
        self.host, self.batch, self.visibility, self.broken = host, batch, visibility, None
        if not (url := os.environ.get(variable)):
            raise SystemExit(f"lambda-host: please set {variable} to the queue's URL")
        self.url, self.region = url, os.environ.get("AWS_REGION", "us-east-1")
        self.arn = f"arn:aws:sqs:{self.region}:{ACCOUNT}:{url.rpartition('/')[2]}"
        config = Config(retries={"total_max_attempts": 10, "mode": "standard"}, max_pool_connections=host.limit + 2, read_timeout=40)
        # The platform's own requests may go another way than the function's, which may lead through the fault proxy.
        self.sqs = boto3.client("sqs", region_name=self.region, config=config, endpoint_url=os.environ.get("AWS_ENDPOINT_URL_SQS_OF_HOST"))
        self.threads = [threading.Thread(target=self._poll, daemon=True) for _ in range(host.limit)]
        for t in self.threads:
            t.start()

    def _poll(self):
        more = {} if self.visibility is None else {"VisibilityTimeout": self.visibility}
        while not self.host.closing.is_set():
            try:
                got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=min(10, self.batch), WaitTimeSeconds=5,
                                               MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], **more)
            except Exception as e:
                if not self.host.closing.is_set():
                    self.host.tell("receive failed", error=str(e))
                    time.sleep(0.5)
                continue
            if messages := got.get("Messages"):
                self._batch(messages)

    def _batch(self, messages):
        self.host.count("messages", len(messages))
        self.host.count("again", sum(m["Attributes"]["ApproximateReceiveCount"] != "1" for m in messages))
        try:
            answer = self.host.invoke(json.dumps({"Records": [self.record(m) for m in messages]}).encode(), messages=[m["MessageId"] for m in messages])
            failed = self.failures(answer, messages)
        except Failed as e:
            # None is deleted: they come again when the queue no longer hides them.
            self.host.tell("batch failed", kind=e.kind, error=str(e)[:500])
            self.host.count("failed", len(messages))
            return
        self.host.count("failed", len(failed))
        if done := [m for m in messages if m["MessageId"] not in failed]:
            self._delete(done)

    def _delete(self, messages):
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        for _ in range(5):
            try:
                answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
                return self.host.count("not deleted", len(answer.get("Failed", ())))
            except Exception as e:
                self.host.tell("delete failed", error=str(e))
        self.host.count("not deleted", len(messages))

    @staticmethod
    def failures(answer, messages):
        """Ids that come again (ReportBatchItemFailures); an answer that cannot be read, or that names a message of no such batch, fails all."""
        ids = {m["MessageId"] for m in messages}
        try:
            failed = {f["itemIdentifier"] for f in ((json.loads(answer) or {}).get("batchItemFailures") or ())}
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise Failed("error", f"an answer that Lambda cannot read: {answer[:200]!r}") from e
        return failed if failed <= ids else ids

    def record(self, m):
        return {"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"], "attributes": m["Attributes"], "messageAttributes": {},
                "md5OfBody": hashlib.md5(m["Body"].encode()).hexdigest(), "eventSource": "aws:sqs", "eventSourceARN": self.arn, "awsRegion": self.region}

    def close(self):
        self.host.closing.set()


class Clock:
    """As EventBridge Scheduler: every so often, nothing repeated; a run that is under way is not waited for."""
    about = ""

    def __init__(self, host, every, more):
        self.host, self.every, self.more, self.broken = host, every, more, None
        threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self):
        while not self.host.closing.is_set():
            threading.Thread(target=self._once, daemon=True).start()
            self.host.closing.wait(self.every)

    def _once(self):
        event = {"version": "0", "id": str(uuid.uuid4()), "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": ACCOUNT,
                 "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "region": self.host.function.region, "resources": [], "detail": "{}"} | self.more
        try:
            self.host.invoke(json.dumps(event).encode())
        except Failed as e:
            self.host.tell("run failed", kind=e.kind, error=str(e)[:500])

    def close(self):
        self.host.closing.set()


class Http:
    """An application load balancer with this function as its only target, multi-value headers on."""

    def __init__(self, host, port):
        self.broken = None
        self.server = ThreadingHTTPServer(("127.0.0.1", port), HttpHandler)
        self.server.host, self.server.daemon_threads = host, True
        self.about = f" http 127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.5,), daemon=True).start()

    def close(self):
        self.server.shutdown()


class HttpHandler(BaseHTTPRequestHandler):
    protocol_version, wbufsize, disable_nagle_algorithm = "HTTP/1.1", 1 << 16, True

    def log_message(self, *_):
        pass

    def say(self, code, body, headers=()):
        self.send_response_only(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def refuse(self, code, text):
        self.server.host.count(f"http {code}")
        self.close_connection = True  # what was not read of the body would be taken for a request
        self.say(code, text.encode() + b"\n", [("Content-Type", "text/plain"), ("Connection", "close")])

    def handle_any(self):
        try:
            size = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            return self.refuse(400, "Content-Length is no number")
        if self.headers.get("Transfer-Encoding"):
            return self.refuse(411, "please send Content-Length")
        if self.headers.get("Upgrade"):
            return self.refuse(400, "a function cannot hold a connection open")
        if size > HTTP_LIMIT:
            return self.refuse(413, f"a request to a function may have {HTTP_LIMIT} bytes (1 MB); this one has {size}")
        try:
            answer = self.server.host.invoke(json.dumps(self.event(self.rfile.read(size))).encode(), path=self.path)
            self.server.host.count("http")
            if len(answer) > HTTP_LIMIT:
                return self.refuse(502, f"the function's answer has {len(answer)} bytes; a load balancer passes on {HTTP_LIMIT} (1 MB)")
            self.pass_on(json.loads(answer))
        except Failed as e:
            self.refuse(502, f"the function failed: {e.kind}")
        except (ValueError, KeyError, TypeError, AttributeError):
            self.refuse(502, "the function's answer is not what a load balancer can read")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

    def event(self, body):
        headers = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        before = headers.get("x-forwarded-for", [])
        headers["x-forwarded-for"] = [", ".join([*before, self.client_address[0]])]
        headers |= {"x-forwarded-proto": ["https"], "x-forwarded-port": ["443"], "x-amzn-trace-id": [f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"]}
        path, _, query = self.path.partition("?")
        asked = {}
        for pair in filter(None, query.split("&")):  # as they came, not decoded
            name, _, value = pair.partition("=")
            asked.setdefault(name, []).append(value)
        kind = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        text = kind.startswith("text/") or kind in ("application/json", "application/javascript", "application/xml", "")
        coded = bool(body) and (not text or "content-encoding" in headers or not is_utf8(body))
        return {"requestContext": {"elb": {"targetGroupArn": f"arn:aws:elasticloadbalancing:{self.server.host.function.region}:{ACCOUNT}:targetgroup/{self.server.host.function.full_name}/0"}},
                "httpMethod": self.command, "path": urllib.parse.urlsplit(path).path or "/", "multiValueQueryStringParameters": asked, "multiValueHeaders": headers,
                "body": base64.b64encode(body).decode() if coded else body.decode(), "isBase64Encoded": coded}

    def pass_on(self, answer):
        body = answer.get("body") or ""
        body = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        # A target group with multi-value headers looks at these alone.
        headers = [(name, value) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values]
        self.say(int(answer["statusCode"]), body, [h for h in headers if h[0].lower() not in ("content-length", "connection", "transfer-encoding")])


def is_utf8(body):
    try:
        body.decode()
        return True
    except UnicodeDecodeError:
        return False
