#!/usr/bin/env python3
"""The whole service beside the local cloud: two edges of each kind and the functions, on one store; killed, put off and lied to.

usage: service.py [--rounds N] [--seed N] [--fault-rounds N] [--keep] [TEST..]
Binaries come from $PENFOLD_CLOUD_BIN (target/debug). The seed is printed, and fixes what is sent, who is killed and which faults come.
"""
import argparse
import base64
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import smtplib
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "localstack")]
import beside  # noqa: E402
import penfold_testlib as lib  # noqa: E402
import processes  # noqa: E402
from penfold_load import PASSWORD, Audit, Book  # noqa: E402
from penfold_roam import Follower, Roam  # noqa: E402
from penfold_sink import Sink  # noqa: E402
from processes import Edge, Service, penfold  # noqa: E402

TOOLS = os.environ.get("PENFOLD_CLOUD_TOOLS") or os.path.join(ROOT, "localstack", ".tools")
PYTHON = os.path.join(TOOLS, "venv", "bin", "python")
PEOPLE = ["c0@cloud.test", "c1@cloud.test", "c2@cloud.test", "d0@other.test"]
TENANTS = [("Cloud", ["cloud.test"], [(p, PASSWORD, p) for p in [*PEOPLE[:3], "idle@cloud.test", "batch@cloud.test", "good@cloud.test", "bad@cloud.test", "proxy@cloud.test"]]),
           ("Other", ["other.test"], [(PEOPLE[3], PASSWORD, "D")])]
HIDDEN = 10  # seconds until the job of a function that died comes again
WORK = {"smtp": 2, "append": 1, "move": 1, "store": 1, "sort": 1, "large": False}  # load that two cores bear beside the cloud itself


def sqs():
    import boto3
    return boto3.client("sqs", endpoint_url=processes.SQS)


def waiting(variable="PENFOLD_QUEUE_DELIVER"):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(int(n) for n in sqs().get_queue_attributes(QueueUrl=os.environ[variable], AttributeNames=names)["Attributes"].values())


def drained(seconds=120):
    lib.wait_until(lambda: not waiting(), seconds, 0.2, "an empty queue")


def patiently(act, good, tries=10):
    """A command that the fault proxy may hit at its start, where nothing is tried twice."""
    for _ in range(tries):
        if good(result := act()):
            break
    return result


def clean(patience=1):
    done = patiently(lambda: penfold("--cloud", "check", seconds=300), lambda r: r.returncode == 0 or "problem" in r.stdout, patience)
    if done.returncode:
        # Whether it is stored so, or was read so.
        again = penfold("--cloud", "check", seconds=300)
        raise AssertionError(f"penfold --cloud check: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}\nand again: exit {again.returncode}\n{again.stdout[-3000:]}")
    return done.stdout.strip().splitlines()[-1]


def counted(said, patience=1):
    done = patiently(lambda: penfold("--cloud", "usage", "--now", "--json", seconds=300), lambda r: r.returncode == 0 and "in use just now" not in r.stderr, patience)
    assert done.returncode == 0, f"penfold --cloud usage: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    lib.compare_usage(done.stdout, said)


def mail(subject, size=500):
    return f"From: <a@elsewhere.test>\r\nTo: <b@cloud.test>\r\nSubject: {subject}\r\nX-Probe: 1\r\n\r\n{'x' * 70}\r\n".encode() + b"y" * 70 * (size // 70) + b"\r\n"


def spread(values):
    values = sorted(values)
    return values[len(values) // 2], values[min(len(values) - 1, int(len(values) * 0.99))]


# --- one store, two edges

def test_idle(run):
    """Mail in on one edge shows by IDLE on the other."""
    s, who, from_ok, from_begin = run.service, "idle@cloud.test", [], []
    for turn in range(2):
        c = lib.Imap("127.0.0.1", s.imap[turn].port["imap"], who, PASSWORD)
        exists = c.select("INBOX")["exists"]
        out = lib.Smtp("127.0.0.1", s.smtp[turn].port["smtp"])
        c.idle()
        for n in range(31):
            begin = time.monotonic()
            out.send("a@elsewhere.test", [who], mail(f"idle {turn} {n}"))
            accepted, exists = time.monotonic(), exists + 1
            while (r := c.response()[0]) != b"* %d EXISTS" % exists:
                assert b"EXISTS" not in r, f"{r} instead of {exists}"
            if n:  # the first waits for an instance to begin
                from_ok.append((time.monotonic() - accepted) * 1000)
                from_begin.append((time.monotonic() - begin) * 1000)
        c.done()
        c.close()
        out.close()
    return "{} mails: from 250 to IDLE {:.0f} ms median, {:.0f} ms at 99 %; from MAIL {:.0f} and {:.0f} ms".format(len(from_ok), *spread(from_ok), *spread(from_begin))


# --- mail to other hosts

def outgoing(*arguments):
    done = patiently(lambda: penfold("--cloud", "queue", "--json", *arguments), lambda done: done.returncode == 0)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_sending(run):
    """What people hand in reaches the other host once, with relay and functions killed in the middle, or more often where that is marked; the queue and the trace tell."""
    rnd, sink, relay, sent, kills = random.Random(run.seed), run.sink, run.service.relay[0], {}, 0
    for turn in range(4):
        with smtplib.SMTP("127.0.0.1", run.service.smtp[turn % 2].port["submission"], timeout=60) as out:
            out.login(PEOPLE[0], PASSWORD)
            for n in range(10):
                name, to = f"out {turn} {n}", [f"r{i}@d{rnd.randrange(5)}.elsewhere.test" for i in range(rnd.randint(1, 3))]
                out.sendmail(PEOPLE[0], to + [PEOPLE[1]], f"From: <{PEOPLE[0]}>\r\nSubject: {name}\r\nMessage-ID: <{name.replace(' ', '.')}@cloud.test>\r\n\r\n{name}\r\n")
                sent[name] = to
        for pid in run.service.send.instances()[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        relay.kill()
        kills += 1
        relay.start()
    def ended():
        outgoing("retry", "--all")
        rows = outgoing("list", "--all")
        return rows if len(rows) >= len(sent) and all(row["state"] == "done" for row in rows) else None
    rows = lib.wait_until(ended, 400, 2, "the end of every way")
    doubtful = sum(row["interrupted"] for row in rows)
    taken = {}
    for one in sink.taken:
        name = re.search(rb"^Subject: (.*)\r$", one.data, re.M)[1].decode()
        assert b"\r\nDKIM-Signature:" in one.data, one.data[:2000]
        for to in one.recipients:
            taken[name, to] = taken.get((name, to), 0) + 1
    wanted = {(name, to) for name, all_of_it in sent.items() for to in all_of_it}
    assert set(taken) == wanted, f"lost {sorted(wanted - set(taken))[:5]}, from nowhere {sorted(set(taken) - wanted)[:5]}"
    again = sum(count - 1 for count in taken.values())
    assert again <= doubtful * 100, f"{again} came again, {doubtful} attempts have no known end"
    if not doubtful:
        assert not again, f"{again} came again, and no attempt is in doubt"
    traced = penfold("--cloud", "trace", next(iter(sent)).replace(" ", ".") + "@cloud.test")
    assert traced.returncode == 0 and "sent to" in traced.stdout, (traced.stdout, traced.stderr)
    # By recipient, sender and time: exactly the messages that went there, each with its end.
    one = sorted(to for _, to in wanted)[0]
    traced = patiently(lambda: penfold("--cloud", "trace", "--json", "--from", PEOPLE[0], "--to", one, "--since", "1h"), lambda done: done.returncode == 0)
    hops = [json.loads(line) for line in traced.stdout.splitlines()]
    ids = {hop["hop"]["accepted"]["message_id"] for hop in hops if "accepted" in hop["hop"]}
    assert ids == {f"<{name.replace(' ', '.')}@cloud.test>" for name, to in wanted if to == one}, (one, ids)
    assert sum("sent" in hop["hop"] and hop["hop"]["sent"]["to"] == one for hop in hops) >= len(ids), hops
    return f"{len(sent)} messages to {len(wanted)} recipients, the relay killed {kills} times: 0 lost, {again} came again after {doubtful} attempts without a known end"


# --- kills under load

class Rounds:
    """Load over both edges, a SIGKILL, and the comparison of everything with what was acknowledged."""

    def __init__(self, run, patient):
        self.service, self.seed, self.patient = run.service, run.seed, patient
        self.book, self.killed, self.went_on, self.put_off = Book(), {}, 0, 0
        self.ports = {"smtp": [e.port["smtp"] for e in self.service.smtp], "imap": [e.port["imap"] for e in self.service.imap]}
        self.audits = [Audit(self.book, PEOPLE, {"imap": p}) for p in self.ports["imap"]]
        self.audits[1].compared, self.audits[1].numbers = self.audits[0].compared, self.audits[0].numbers
        folders = [(PEOPLE[0], "INBOX"), (PEOPLE[1], "INBOX"), (PEOPLE[-1], "Flags0")]
        # On both edges, so that whichever is killed has one.
        self.followers = [Follower(p, f, self.ports["imap"], patient, n) for n, (p, f) in enumerate(folders)]

    def kill(self, rnd):
        """SIGKILL for one of the processes that are at work; gives back what brings it back."""
        functions = self.service.deliver.instances()
        victim = rnd.choice(self.service.smtp + self.service.imap + ["function"] * (2 if functions else 0))
        if victim == "function":
            os.kill(rnd.choice(functions), signal.SIGKILL)
            name, again = "function", lambda: None
        else:
            victim.kill()
            name, again = victim.kind, lambda: started(victim, self.patient)
        self.killed[name] = self.killed.get(name, 0) + 1
        return name, again

    def round(self, number):
        rnd, begin = random.Random(f"{self.seed}/{number}"), time.monotonic()
        load = Roam(self.book, PEOPLE, self.ports, self.seed, f"r{number}", self.patient, limit=300, **WORK).start()
        load.wait_connected(120)
        for f in self.followers:
            f.start()
        lib.wait_until(lambda: all(f.c and f.validity for f in self.followers), 120, 0.01, "followers")
        time.sleep(rnd.uniform(0.5, 2.5))  # the random moment of the kill, not a wait for something
        name, again = self.kill(rnd)
        time.sleep(rnd.uniform(0.5, 2.5))
        again()
        time.sleep(0.5)
        load.end(120)
        drained()
        self.audits[number % 2].run(seconds=60)
        wrong = [w for f in self.followers for w in f.finish(self.ports["imap"][(number + 1) % 2])]
        assert not wrong, "\n  ".join(wrong)
        self.went_on, self.put_off = self.went_on + load.went_on, self.put_off + load.put_off
        if os.environ.get("VERBOSE"):
            print(f"  round {number}: {name} killed, {sum(self.book.acks.values())} acknowledged so far, {time.monotonic() - begin:.1f} s", flush=True)

    def run(self, count):
        # The folder that a follower follows is there before it.
        c = lib.Imap("127.0.0.1", self.ports["imap"][0], PEOPLE[-1], PASSWORD)
        c.cmd('CREATE "Flags0"')
        c.close()
        for number in range(count):
            self.round(number)
        time.sleep(HIDDEN / 2)  # whatever might still come twice has come then
        drained()
        self.audits[0].run(seconds=5, whole=True)
        said = clean(10 if self.patient else 1)
        counted(said, 10 if self.patient else 1)
        resumed = sum(f.resumed for f in self.followers)
        assert resumed >= self.killed.get("imap", 0), f"{resumed} followers went on after {self.killed}"
        acks = ", ".join(f"{v} {k}" for k, v in sorted(self.book.acks.items()))
        killed = ", ".join(f"{v} {k}" for k, v in sorted(self.killed.items()))
        late = f", {self.put_off} put off" if self.put_off else ""
        return f"{count} rounds, killed {killed}: 0 lost, 0 doubled, 0 changed of {acks}; {self.went_on} went on elsewhere, {resumed} from their modseq{late}; {said}"


def started(process, patient=False):
    """Starts it; where there are faults it may have to be started again, as the platform would."""
    for n in range(20):
        try:
            return process.start()
        except RuntimeError:
            if not patient or n == 19:
                raise


def test_kills(run):
    return Rounds(run, False).run(run.options.rounds)


def patient_rounds(run):
    return Rounds(run, True).run(run.options.rounds)


# --- functions

def subjects(port, who):
    c = lib.Imap("127.0.0.1", port, who, PASSWORD)
    found = []
    if c.select("INBOX")["exists"]:
        got = c.fetch("1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        found = [next(v for k, v in f.items() if k.startswith("BODY[")).split(b":", 1)[1].strip().decode() for f in got.values()]
    c.close()
    return sorted(found)


def test_batch(run):
    """A function is killed in the middle of a batch."""
    s, who, sent, hits = run.service, "batch@cloud.test", [], 0
    rnd, first = random.Random(run.seed), len(run.service.deliver.events)
    for attempt in range(8):
        out, seen = lib.Smtp("127.0.0.1", s.smtp[attempt % 2].port["smtp"]), len(s.deliver.events)
        for n in range(12):
            sent.append(f"batch {attempt} {n}")
            out.send("a@elsewhere.test", [who], mail(sent[-1]))
        out.close()
        invoked = lambda: next((e for e in s.deliver.events[seen:] if e["event"] == "invoke"), None)
        pid = lib.wait_until(invoked, 30, 0.001, "a batch")["pid"]
        time.sleep(rnd.uniform(0, 0.1))
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        drained()
        hits = sum(e["event"] == "batch failed" and e["kind"] == "died" for e in s.deliver.events[first:])
        if hits >= 3:
            break
    assert hits, "no kill hit a batch"
    lib.wait_until(lambda: len(subjects(s.imap[0].port["imap"], who)) >= len(sent), 60, 0.5, "all mails")
    got = subjects(s.imap[0].port["imap"], who)
    assert got == sorted(sent), f"doubled or lost: {set(sent) ^ set(got)} {len(got)} of {len(sent)}"
    time.sleep(1)
    assert subjects(s.imap[1].port["imap"], who) == sorted(sent)
    return f"{hits} batches cut off, {len(sent)} mails, each there once"


def whoami(port, password, tls=False, who=PEOPLE[0], headers=(), path="/v1/whoami", body=None):
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=ssl._create_unverified_context()) if tls else http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    token = base64.b64encode(f"{who}:{password}".encode()).decode()
    c.request("POST" if body else "GET", path, body, {"Authorization": f"Basic {token}", **dict(headers)})
    r = c.getresponse()
    data = r.read()
    c.close()
    return r.status, data


def test_whoami(run):
    """HTTP through the load balancer's events to a function, and the same from the edge."""
    function, edge = processes.ACCOUNT_PORT, run.service.http[0].port["https"]
    status, data = whoami(function, PASSWORD)
    assert status == 200 and json.loads(data)["address"] == PEOPLE[0], (status, data)
    assert whoami(edge, PASSWORD, tls=True) == (status, data)
    assert whoami(function, "wrong")[0] == whoami(edge, "wrong", tls=True)[0] == 401
    assert whoami(function, PASSWORD, path="/v1/nothing")[0] == 404
    status, text = whoami(function, PASSWORD, body=b"x" * (1048576 + 1))
    assert status == 413 and b"1048576" in text, (status, text)
    # Who says that a request is somebody else's is not believed: the load balancer adds whom it sees.
    assert whoami(function, "wrong", headers=[("X-Forwarded-For", "198.51.100.1")])[0] == 401
    return "200 with the address, 401, 404, 413 naming 1048576 bytes"


def one_sentence(what, expect, **environment):
    gone = [k for k, v in environment.items() if v is None]
    e = Edge("smtp", 3, "/")
    flags = [part for name, port in e.port.items() for part in (f"--{name}", f"127.0.0.1:{port}")]
    env = {k: v for k, v in os.environ.items() if k not in gone} | {k: v for k, v in environment.items() if v is not None}
    begin = time.monotonic()
    for arguments in (["edge", "smtp", *flags], ["--cloud", "tenant", "list"]):
        done = subprocess.run([processes.program("penfold"), *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        said = [line for line in done.stderr.splitlines() if line.strip()]
        assert done.returncode == 2, f"{what}: exit {done.returncode}: {done.stderr[-500:]}"
        assert len(said) == 1 and said[0].startswith("penfold: "), f"{what}: {done.stderr[:1500]}"
        assert all(word in said[0] for word in expect), f"{what}: {said[0]}"
    return time.monotonic() - begin


def test_wrong_settings(run):
    """One sentence at the start, and exit 2."""
    nowhere, queue = "http://127.0.0.1:9", os.environ["PENFOLD_QUEUE_DELIVER"]
    took = [
        one_sentence("no such table", ["table nowhere", "PENFOLD_TABLE"], PENFOLD_TABLE="nowhere"),
        one_sentence("no table named", ["PENFOLD_TABLE"], PENFOLD_TABLE=None),
        one_sentence("no such bucket", ["bucket nowhere", "PENFOLD_BUCKET"], PENFOLD_BUCKET="nowhere"),
        one_sentence("no such bucket for secrets", ["bucket nowhere", "PENFOLD_SECRETS"], PENFOLD_SECRETS="nowhere"),
        one_sentence("no such queue", ["nowhere.fifo", "PENFOLD_QUEUE_DELIVER"], PENFOLD_QUEUE_DELIVER=queue.rpartition("/")[0] + "/nowhere.fifo"),
        one_sentence("no such key", ["alias/nowhere", "PENFOLD_KEY"], PENFOLD_KEY="alias/nowhere"),
        one_sentence("no credentials", ["AWS_ACCESS_KEY_ID"], AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None),
        one_sentence("wrong credentials", ["AWS_ACCESS_KEY_ID"], AWS_ACCESS_KEY_ID="not-a-key!"),
        one_sentence("no region", ["AWS_REGION"], AWS_REGION=None, AWS_DEFAULT_REGION=None),
        one_sentence("wrong region", ["AWS_REGION"], AWS_REGION="eu-central-1"),
        *(one_sentence(f"no {s} there", [nowhere, f"AWS_ENDPOINT_URL_{s}"], **{f"AWS_ENDPOINT_URL_{s}": nowhere}) for s in ("DYNAMODB", "S3", "SQS", "KMS")),
        one_sentence("bad edge name", ["PENFOLD_EDGE"], PENFOLD_EDGE="no name"),
    ]
    return f"{len(took)} mistakes, {max(took) / 2:.1f} s at most"


# --- jobs that cannot be done

def send_job(text, group, n):
    sqs().send_message(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], MessageBody=text, MessageGroupId=group, MessageDeduplicationId=f"{group}-{n}-{time.time()}".replace("/", "."))


def intercepted(run, who):
    """The message of a job as the edge sends it, taken out of the queue."""
    run.service.deliver.stop()
    out = lib.Smtp("127.0.0.1", run.service.smtp[0].port["smtp"])
    out.send("a@elsewhere.test", [who], mail("intercepted"))
    out.close()
    got = lib.wait_until(lambda: sqs().receive_message(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], WaitTimeSeconds=1, MessageSystemAttributeNames=["All"]).get("Messages"), 20, 0.1, "a job")[0]
    sqs().delete_message(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], ReceiptHandle=got["ReceiptHandle"])
    run.service.deliver.start()
    return got["Body"], got["Attributes"]["MessageGroupId"]


def id_text(raw):
    n = int.from_bytes(raw, "big")
    return "".join("0123456789abcdefghijklmnopqrstuv"[n >> 5 * k & 31] for k in reversed(range(26)))


def test_poison(run):
    """Jobs that no function can do are given up, and all others go on."""
    s, stranger = run.service, bytes(range(16))
    text, group = intercepted(run, "bad@cloud.test")
    version, _, tenant, named, body = text.split(" ")
    # An id is 26 digits of 5 bits.
    own, stranger_text = int(tenant, 32).to_bytes(16, "big"), id_text(stranger)
    data = base64.b64decode(body[1:])
    assert own in data, "a job names its tenant"
    job_id = lambda: id_text(random.randbytes(16))
    jobs = {
        "g/text": "{not a job}",
        group: f"{version} {job_id()} {tenant} {named} =" + base64.b64encode(b"\xff no body of a job").decode(),
        "stranger/x": f"{version} {job_id()} {stranger_text} {named} =" + base64.b64encode(data.replace(own, stranger)).decode(),
    }
    # SQS itself gives up much later than we do, so that it never takes what is to be parked; not to wait for that, it is told to be quick.
    policy = json.loads(sqs().get_queue_attributes(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"])
    sqs().set_queue_attributes(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], Attributes={"RedrivePolicy": json.dumps(policy | {"maxReceiveCount": 6})})
    begin = time.monotonic()
    for g, job in jobs.items():
        send_job(job, g, 0)
    # Behind one of them waits good mail; other people's goes on meanwhile.
    out = lib.Smtp("127.0.0.1", s.smtp[0].port["smtp"])
    out.send("a@elsewhere.test", ["bad@cloud.test"], mail("behind"))
    for n in range(5):
        out.send("a@elsewhere.test", ["good@cloud.test"], mail(f"good {n}"))
    out.close()
    lib.wait_until(lambda: len(subjects(s.imap[0].port["imap"], "good@cloud.test")) == 5, 30, 0.2, "others' mail")
    others = time.monotonic() - begin
    rows = lambda: [line for line in map(json.loads, penfold("--cloud", "queue", "--json", "parked").stdout.splitlines()) if "group" in line]
    listed = lambda: {group: max(row["attempts"] for row in found if row["group"] == group) for found in [rows()] for group in {row["group"] for row in found}}
    wanted = {g for g in jobs if g != "g/text"}
    try:
        lib.wait_until(lambda: wanted <= set(listed()), HIDDEN * 6, 1, "dead letters")
    except TimeoutError as e:
        raise AssertionError(f"{e}: queue parked shows {listed()}, waiting {waiting()}, dead {waiting('PENFOLD_QUEUE_DELIVER_DEAD')}") from e
    found = listed()
    assert {found[g] for g in wanted} == {3}, rows()
    parked = time.monotonic() - begin
    lib.wait_until(lambda: waiting("PENFOLD_QUEUE_DELIVER_DEAD") == 1, HIDDEN * 10, 1, "the unreadable message among the queue's dead letters")
    assert not [x for x in subjects(s.imap[0].port["imap"], "bad@cloud.test") if x == "behind"], "mail overtook the job before it"
    sqs().set_queue_attributes(QueueUrl=os.environ["PENFOLD_QUEUE_DELIVER"], Attributes={"RedrivePolicy": json.dumps(policy)})
    released = penfold("--cloud", "queue", "release", group)
    assert released.returncode == 0, released.stderr
    return f"others' mail after {others:.1f} s; given up after 3 tries and {parked:.0f} s, the unreadable one among SQS' dead letters after {time.monotonic() - begin:.0f} s; queue parked shows {len(found)} groups"


# --- behind a load balancer

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(client, command=0x21):
    body = socket.inet_aton(client) + socket.inet_aton("10.0.0.9") + struct.pack("!HH", 40000, 25)
    return SIGNATURE + bytes([command, 0x11]) + struct.pack("!H", len(body)) + body


def connect(port, source, first=b""):
    s = socket.create_connection(("127.0.0.1", port), timeout=15, source_address=(source, 0))
    s.sendall(first)
    return s, s.makefile("rb")


def imap_lines(port, source, first, *commands):
    s, f = connect(port, source, first)
    lines = [f.readline()]
    for n, command in enumerate(commands):
        s.sendall(f"p{n} {command}\r\n".encode())
        while True:
            lines.append(f.readline())
            if not lines[-1] or lines[-1].startswith(f"p{n} ".encode()):
                break
    s.close()
    return lines


def said_nothing(port, source, first):
    """The connection ends without a word; gives back the seconds."""
    begin = time.monotonic()
    s, f = connect(port, source, first)
    try:
        got = f.readline()
    except ConnectionResetError:
        got = b""
    s.close()
    assert got == b"", f"{first[:30]!r} from {source}: {got!r}"
    return time.monotonic() - begin


def test_proxy(run):
    """PROXY v2 is believed from the configured network alone, and what it says counts."""
    balancer, client = "127.0.0.2", "198.51.100.7"
    smtp, imap = (Edge(kind, 3, run.work, "--proxy-from", balancer, "--trusted", "0.0.0.0/0").start() for kind in ("smtp", "imap"))
    try:
        mx, port, who = smtp.port["smtp"], imap.port["imap"], "proxy@cloud.test"
        login = f'LOGIN "{who}" "{PASSWORD}"'
        # In the clear nobody signs in through the balancer; on loopback itself one does.
        through = b"".join(imap_lines(port, balancer, header(client), "CAPABILITY", login))
        assert b"LOGINDISABLED" in through and b"AUTH=PLAIN" not in through and not re.search(rb"p1 OK", through), through
        direct = b"".join(imap_lines(port, "127.0.0.1", b"", "CAPABILITY", login))
        assert b"LOGINDISABLED" not in direct and b"p1 OK" in direct, direct
        # With TLS one signs in through the balancer, too.
        s, _ = connect(imap.port["imaps"], balancer, header(client))
        c = lib.Imap.__new__(lib.Imap)
        c.host, c.tag, c.n = "127.0.0.1", "t", 0
        c._take(lib.wrap_tls(s, "127.0.0.1"))
        c.f.readline()
        c.login(who, PASSWORD)
        # A balancer that says nothing, says it wrongly, or names loopback.
        for bad in (b"EHLO x\r\n" * 4, header("127.0.0.1"), header("0.0.0.0"), header(client, 0x2f), b"PROXY TCP4 198.51.100.7 10.0.0.9 1 25\r\n"):
            said_nothing(mx, balancer, bad)
            said_nothing(port, balancer, bad)
        quiet = said_nothing(mx, balancer, b"")
        assert 4 < quiet < 10, quiet
        # From elsewhere it is no more than a bad command, and gives nobody another address.
        s, f = connect(mx, "127.0.0.3", header(client) + b"EHLO spoof\r\n")
        lines = []
        try:
            while line := f.readline():
                lines.append(line)
                if line.startswith((b"250 ", b"221", b"421")):
                    break
        except OSError:
            pass
        s.close()
        assert lines[0].startswith(b"220") and any(x[:1] == b"5" for x in lines), lines
        spoofed = b"".join(imap_lines(port, "127.0.0.3", header(client)))
        assert b"* OK" in spoofed or not spoofed, spoofed
        # Limits count the client that the header names: 50 connections of one address, and another one gets in all the same.
        held, full = [], 0
        for _ in range(53):
            s, f = connect(mx, balancer, header(client))
            full += f.readline().startswith(b"421")
            held.append(s)
        assert full == 3, f"{full} of 53 connections were refused"
        s, f = connect(mx, balancer, header("198.51.100.8"))
        assert f.readline().startswith(b"220")
        for h in [*held, s]:
            h.close()
        # And its address stands in the mail.
        lib.wait_until(lambda: not full_still(mx, balancer, client), 10, 0.1, "room for the client")
        s, f = connect(mx, balancer, header(client))
        out = lib.Smtp.__new__(lib.Smtp)
        out.host, out.hello = "127.0.0.1", "client.test"
        out._take(s)
        out.expect(220)
        out.ehlo()
        out.send("a@elsewhere.test", [who], mail("through the balancer"))
        c.select("INBOX")
        lib.wait_until(lambda: c.cmd("NOOP") is not None and c.search("ALL"), 30, 0.2, "the mail")
        text = next(iter(c.fetch("1 (BODY.PEEK[HEADER])").values()))["BODY[HEADER]"]
        assert b"[198.51.100.7]" in text and b"127.0.0.2" not in text, text
        assert smtp.stop() == 0 and imap.stop() == 0
        return f"LOGINDISABLED through it, TLS signs in; headers that lie are cut off; 50 connections a client; silence ends after {quiet:.1f} s"
    finally:
        smtp.kill()
        imap.kill()


def full_still(port, balancer, client):
    s, f = connect(port, balancer, header(client))
    line = f.readline()
    s.close()
    return line.startswith(b"421")


def test_drain(run):
    """SIGTERM: all end by themselves with status 0; what the functions needed."""
    bad = run.service.stop()
    assert not bad, bad
    for h in run.service.hosts:
        print(f"  {h.name}: {json.dumps(h.summary)}", flush=True)
    left = [u for u in sqs().list_queues(QueueNamePrefix="penfold-").get("QueueUrls", []) if "-edge-" in u and f"-{os.environ['PENFOLD_CELL']}-" in u]
    assert not left, f"queues of edges are left behind: {left}"
    return "no queue of an edge is left"


def test_faults(run):
    """The same behind the fault proxy, in a cell of its own."""
    run.service.kill()
    command = [os.path.join(ROOT, "localstack", "with-aws"), "--cell", f"f{run.seed % 100000}", "--faults", str(run.seed), PYTHON, "-B", __file__, "--inside",
               "--seed", str(run.seed), "--rounds", str(run.options.fault_rounds), "--patient", "patient_rounds"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    said = next(line for line in done.stdout.splitlines() if line.startswith("service patient_rounds"))
    return said.partition(": ")[2] + "\n" + done.stderr[done.stderr.rindex("faults of"):].rstrip()


# --- the suite

class Run:
    def __init__(self, options, work):
        self.options, self.seed, self.work = options, options.seed, work


def inside(options):
    """In the local cloud."""
    work = tempfile.mkdtemp(prefix="penfold-cloudtest-")
    run, failed, tests = Run(options, work), [], options.tests or [k for k in globals() if k.startswith("test_")]
    tests = [globals()[f"test_{t}" if f"test_{t}" in globals() else t] for t in tests]
    try:
        seed = lib.write_seed(os.path.join(work, "seed.toml"), TENANTS)
        run.sink = Sink().start()
        run.service = Service(work, seed, visibility=HIDDEN, smart_host=f"smtp://127.0.0.1:{run.sink.port}",
                              environment={"PENFOLD_MESSAGES_PER_MINUTE": "0", "PENFOLD_RECIPIENTS_PER_DAY": "0"})
        begin = time.monotonic()
        for p in run.service.edges + run.service.hosts:
            started(p, options.patient)
        run.service.smtp[0].seed = None
        print(f"service begins: {time.monotonic() - begin:.1f} s", flush=True)
        for test in tests:
            begin, name = time.monotonic(), test.__name__.removeprefix("test_")
            try:
                said = test(run)
                print(f"service {name}: {said} ({time.monotonic() - begin:.1f} s)", flush=True)
            except Exception:
                failed.append(name)
                print(f"--- {name}, --seed {options.seed}\n{traceback.format_exc(limit=-6)[-6000:]}", flush=True)
                for p in run.service.edges + run.service.hosts:
                    if not p.alive():
                        print(f"{p.name} is not alive; its log ends:\n{p.tail(1500)}", flush=True)
                        started(p, options.patient)
    finally:
        if "service" in vars(run):
            run.service.kill()
        if options.keep:
            print(f"logs are in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed", flush=True)
    return 1 if failed or not tests else 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 3)))
    p.add_argument("--fault-rounds", type=int, default=None, help="rounds behind the fault proxy (as --rounds, at most 20)")
    p.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    p.add_argument("--keep", action="store_true", help="keep the processes' logs")
    p.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("--patient", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("tests", nargs="*")
    options = p.parse_args()
    options.fault_rounds = options.fault_rounds or min(20, options.rounds)
    if options.inside:
        return inside(options)
    print(f"service: {options.rounds} rounds, --seed {options.seed}", flush=True)
    return beside.the_cloud("service", __file__, *sys.argv[1:], "--seed", str(options.seed))


if __name__ == "__main__":
    sys.exit(main())
