#!/usr/bin/env python3
"""localstack/lambda-host does what Lambda does, seen with a function that does as it is told: batches, partial failures, kills, limits, HTTP.
Usage: host.py [TEST..]; this file is also that function."""
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import beside

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = os.path.join(ROOT, "localstack", "lambda-host")


# --- the function

def function():
    """A message's body says what to do: ok, fail (this message alone), error, sleep, die, grow. HTTP is told what it asked."""
    if os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") == "99":
        sys.exit(5)
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    ask = lambda method, path, body=None: (api.request(method, "/2018-06-01/runtime/" + path, body), api.getresponse())[1]
    while True:
        got = ask("GET", "invocation/next")
        event, request = json.loads(got.read()), got.headers["Lambda-Runtime-Aws-Request-Id"]
        assert 0 < int(got.headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time() <= 300 and got.headers["Lambda-Runtime-Invoked-Function-Arn"] and got.headers["Lambda-Runtime-Trace-Id"]
        kind, answer = "response", None
        if "httpMethod" in event:
            if event["path"] == "/large":
                event["body"] = "x" * 1100000
            answer = {"statusCode": 201, "multiValueHeaders": {"X-A": ["1", "2"], "Content-Type": ["application/json"]}, "body": json.dumps(event), "isBase64Encoded": False}
        else:
            words = {r["messageId"]: r["body"].split()[0] for r in event.get("Records", ())}
            if "sleep" in words.values():
                time.sleep(100)
            if "die" in words.values() and all(r["attributes"]["ApproximateReceiveCount"] == "1" for r in event["Records"]):
                os.kill(os.getpid(), signal.SIGKILL)
            if "grow" in words.values():
                event = "x" * (300 << 20)
                time.sleep(5)
            if "error" in words.values():
                kind, answer = "error", {"errorMessage": "told to", "errorType": "Told"}
            elif "odd" in words.values():
                answer = {"batchItemFailures": [{"itemIdentifier": "of another batch"}]}
            else:
                answer = {"batchItemFailures": [{"itemIdentifier": i} for i, w in words.items() if w == "fail"]}
        told = ask("POST", f"invocation/{request}/{kind}", json.dumps(answer))
        assert (told.status, json.loads(told.read())) == (202, {"status": "OK"})
        again = ask("POST", f"invocation/{request}/response", "{}")
        assert again.status == 400 and again.read()


# --- the tests, inside of the local cloud

class Run:
    """A host, its events, and its summary at the end."""

    def __init__(self, name, *options):
        self.process = subprocess.Popen([HOST, name, __file__, "--events", *options], stdout=subprocess.PIPE, text=True)
        self.events, self.summary, self.first = [], None, self.process.stdout.readline()
        assert self.first.startswith("ready"), self.first
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            if "event" in told:
                self.events.append(told)
            else:
                self.summary = told

    def seen(self, event, count=1, seconds=30, **what):
        end = time.monotonic() + seconds
        while True:
            found = [e for e in self.events if e["event"] == event and all(e.get(k) == v for k, v in what.items())]
            if len(found) >= count:
                return found
            assert time.monotonic() < end and self.process.poll() is None, (event, what, self.events[-8:])
            time.sleep(0.02)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0
        time.sleep(0.1)
        return self.summary


def sqs():
    import boto3
    return boto3.client("sqs")


def send(*bodies, group=None):
    for n, body in enumerate(bodies):
        sqs().send_message(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], MessageBody=body, MessageGroupId=group or f"g{n}", MessageDeduplicationId=f"{n}-{time.time()}")


def left():
    a = sqs().get_queue_attributes(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])["Attributes"]
    return sum(map(int, a.values()))


def drained(seconds=20):
    end = time.monotonic() + seconds
    while left():
        assert time.monotonic() < end, f"{left()} messages are left"
        time.sleep(0.1)


def test_batches():
    send(*(f"ok {n}" for n in range(25)))
    run = Run("deliver")
    drained()
    s = run.end()
    assert s["messages"] == 25 and s["outcomes"].keys() == {"ok"} and s["init_ms"]["n"] <= 2 and s["peak_mb"] > 5 and not s["failed"], s


def test_partial_failures():
    send("ok", "fail", "ok", group="one")
    run = Run("deliver", "--visibility", "1", "--instances", "1")
    run.seen("answered", 2)
    s = run.end()
    assert s["failed"] >= 2 and s["again"] >= 1 and left() == 1, (s, left())


def test_odd_answer_fails_the_batch():
    send("odd")
    run = Run("deliver", "--visibility", "1")
    run.seen("answered", 2)
    assert run.end()["failed"] >= 2 and left() == 1


def test_error_keeps_the_instance():
    send("error")
    run = Run("deliver", "--visibility", "1", "--instances", "1")
    run.seen("answered", 2, outcome="error")
    assert run.end()["init_ms"]["n"] == 1 and len(run.seen("started")) == 1


def test_timeout_kills():
    send("sleep")
    run = Run("deliver", "--timeout", "1", "--visibility", "100")
    gone, = run.seen("ended", how="timeout")
    assert not os.path.exists(f"/proc/{gone['pid']}")
    assert run.end()["outcomes"] == {"timeout": 1} and left() == 1


def test_death_brings_the_batch_again():
    send("die", "ok")
    run = Run("deliver", "--visibility", "1")
    drained()
    s = run.end()
    assert s["outcomes"]["died"] >= 1 and s["again"] >= 1, s


def test_kill_from_outside():
    send("sleep")
    run = Run("deliver", "--visibility", "1", "--instances", "1")
    os.kill(run.seen("invoke")[0]["pid"], signal.SIGKILL)
    assert run.seen("invoke", 2)[1]["pid"] != run.seen("invoke")[0]["pid"]
    run.end()


def test_memory_limit():
    send("grow")
    run = Run("deliver", "--memory", "150", "--visibility", "100")
    run.seen("ended", how="memory")
    assert run.end()["outcomes"] == {"memory": 1}


def test_init_failure():
    send("ok")
    run = Run("deliver", "--memory", "99", "--visibility", "1")
    run.seen("batch failed", 2, kind="died")
    assert left() == 1 and run.end()["init_ms"] == {"n": 0}


def test_frozen_between_events():
    run = Run("upkeep", "--every", "100")
    pid = run.seen("answered", outcome="ok")[0]["pid"]
    end = time.monotonic() + 5
    while open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < end, "an instance that waits should be stopped"
        time.sleep(0.02)
    run.end()


def test_clock():
    run = Run("upkeep", "--every", "0.3", "--input", '{"sweep": true}')
    run.seen("answered", 4, outcome="ok")
    assert run.end()["init_ms"]["n"] <= 2


def ask(run, method, path, body=None, headers=()):
    c = http.client.HTTPConnection(run.first.split()[-1], timeout=20)
    c.request(method, path, body, dict(headers))
    r = c.getresponse()
    data = r.read()
    c.close()
    return r, data


def test_http():
    run = Run("account")
    r, data = ask(run, "GET", "/a/b?x=1&x=%20&y", headers={"X-Forwarded-For": "192.0.2.1", "X-Two": "a"})
    e = json.loads(data)
    assert r.status == 201 and r.headers.get_all("X-A") == ["1", "2"], r.headers
    assert (e["httpMethod"], e["path"], e["multiValueQueryStringParameters"]) == ("GET", "/a/b", {"x": ["1", "%20"], "y": [""]}), e
    assert e["multiValueHeaders"]["x-forwarded-for"] == ["192.0.2.1, 127.0.0.1"] and e["multiValueHeaders"]["x-two"] == ["a"], e
    for kind, body, coded in (("text/plain", b"abc", False), ("application/octet-stream", b"\xff\x00", True)):
        e = json.loads(ask(run, "POST", "/", body, {"Content-Type": kind})[1])
        assert (e["isBase64Encoded"], e["body"]) == (coded, "/wA=" if coded else "abc"), e
    r, data = ask(run, "POST", "/", b"x" * (1 << 20), {"Content-Type": "text/plain"})
    assert r.status == 502, "the answer, which holds the body, is over the limit"
    r, data = ask(run, "POST", "/", b"x" * ((1 << 20) + 1))
    assert r.status == 413 and b"1048576 bytes (1 MB)" in data, (r.status, data)
    assert ask(run, "GET", "/large")[0].status == 502
    assert run.end()["http 413"] == 1


def inside(names):
    failed = []
    tests = [(k, v) for k, v in globals().items() if k.startswith("test_") and (not names or k.removeprefix("test_") in names)]
    for name, test in tests:
        begin = time.monotonic()
        try:
            os.environ["PENFOLD_QUEUE_DELIVER"] = sqs().create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            test()
            print(f"host {name.removeprefix('test_')}: {time.monotonic() - begin:.1f} s", flush=True)
        except Exception:
            failed.append(name)
            print(f"--- {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not tests else 0


def main():
    return beside.the_cloud("host", __file__, *sys.argv[1:])


if __name__ == "__main__":
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        function()
    sys.exit(inside(sys.argv[2:]) if sys.argv[1:2] == ["--inside"] else main())
