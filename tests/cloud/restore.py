#!/usr/bin/env python3
"""A cell is set back to a moment: the procedure of docs/operations-aws.md, "Backup and restore", carried out on the local cloud.

usage: restore.py [--seed N] [--keep]. Commands are read from the document; what the local cloud does not have (PITR, ECS, Terraform) has a stand-in here,
and a command without one fails the test. Binaries come from $PENFOLD_CLOUD_BIN (target/debug).
"""
import argparse
import datetime
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "localstack")]
import beside  # noqa: E402
import penfold_testlib as lib  # noqa: E402
import service as cloud  # noqa: E402
from penfold_load import PASSWORD, Audit, Book, Load  # noqa: E402
from processes import Service, penfold  # noqa: E402

PEOPLE = ["ann@back.test", "bob@back.test", "dan@other.test"]
TENANTS = [("Back", ["back.test"], [(p, PASSWORD, p) for p in PEOPLE[:2]]), ("Other", ["other.test"], [(PEOPLE[2], PASSWORD, "D")])]
SWEPT = 5


def aws(name):
    import boto3
    from botocore.config import Config
    return boto3.client(name, config=Config(s3={"addressing_style": "path"}))


def documented():
    """The commands of the section, in order; several lines of one block are several commands."""
    with open(os.path.join(ROOT, "docs", "operations-aws.md")) as f:
        section = re.search(r"^## Backup and restore\n(.*?)^## ", f.read(), re.M | re.S).group(1)
    return [line.strip() for block in re.findall(r"^```\n(.*?)^```", section, re.M | re.S) for line in block.splitlines() if line.strip()]


def picture(port, people=PEOPLE):
    """All that IMAP shows: {(person, folder): (uidvalidity, {uid: (flags, date, digest)})}."""
    seen = {}
    for person in people:
        c = lib.Imap("127.0.0.1", port, person, PASSWORD)
        for r in c.cmd('LIST "" "*"'):
            if not r[0].upper().startswith(b"* LIST"):
                continue
            folder = lib.tokens([r[0][7:]] + r[1:])[-1].decode()
            got = c.select(folder, "EXAMINE")
            found = c.fetch("1:* (UID FLAGS INTERNALDATE BODY.PEEK[])", uid=True) if got["exists"] else {}
            mails = {int(v["UID"]): (frozenset(v["FLAGS"]) - {b"\\Recent"}, v["INTERNALDATE"], hashlib.sha256(v["BODY[]"]).hexdigest()) for v in found.values()}
            seen[person, folder] = (got["uidvalidity"], mails)
        c.close()
    return seen


def differing(before, after):
    odd = [k for k in before.keys() | after.keys() if before.get(k) != after.get(k)]
    return [(k, before.get(k, (None, {}))[0], after.get(k, (None, {}))[0],
             [u for u in before.get(k, (0, {}))[1].keys() | after.get(k, (0, {}))[1].keys() if before.get(k, (0, {}))[1].get(u) != after.get(k, (0, {}))[1].get(u)][:9]) for k in odd]


def send(run, who, *names):
    out = lib.Smtp("127.0.0.1", run.service.smtp[0].port["smtp"])
    for name in names:
        out.send("a@elsewhere.test", [who], cloud.mail(name))
    out.close()


def here(run, who=PEOPLE[0]):
    return cloud.subjects(run.service.imap[0].port["imap"], who)


class Run:
    def __init__(self, work, seed):
        self.work, self.seed, self.done = work, seed, []
        self.s3, self.dynamodb = aws("s3"), aws("dynamodb")
        self.table, self.bucket = os.environ["PENFOLD_TABLE"], os.environ["PENFOLD_BUCKET"]
        self.service = Service(work, lib.write_seed(os.path.join(work, "seed.toml"), TENANTS), visibility=5)

    # --- before

    def keys(self):
        return {o["Key"] for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket) for o in page.get("Contents", ())}

    def prepare(self):
        """Mail in, read, moved, flagged, taken out; some of which the test knows the blob, and one whose job will come again."""
        self.service.start()
        book, ports = Book(), {"smtp": self.service.smtp[0].port["smtp"], "imap": self.service.imap[0].port["imap"]}
        load = Load(book, PEOPLE, ports, self.seed, "b", limit=12, large=False, smtp=2, append=2).start()
        load.finish(180)
        cloud.drained()
        Audit(book, PEOPLE, ports).run(60, whole=True)
        before = self.keys()
        send(self, PEOPLE[0], *(f"doomed {n}" for n in range(SWEPT)))
        cloud.drained()
        self.doomed = self.keys() - before
        assert len(self.doomed) == SWEPT, self.doomed
        # A job as the edge sent it, that will come again after the restore.
        self.again = cloud.intercepted(self, PEOPLE[0])
        cloud.send_job(*self.again, 0)
        cloud.drained()
        lib.wait_until(lambda: "intercepted" in here(self), 60, 0.2, "all mail")
        # Gone already at that moment, and so for ever.
        self.s3.put_object(Bucket=self.bucket, Key="gone/before", Body=b"x")
        self.s3.delete_object(Bucket=self.bucket, Key="gone/before")
        return sum(book.acks.values())

    def moment(self):
        """The second to which all is set back. The copy of the table is taken now, and is used when PITR would make it."""
        assert not cloud.waiting()
        second = int(time.time()) + 1
        lib.wait_until(lambda: time.time() >= second, 5, 0.01, "a second of its own")
        self.time = datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.then, self.objects = picture(self.service.imap[0].port["imap"]), self.keys()
        self.rows = [row for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True) for row in page["Items"]]
        lib.wait_until(lambda: time.time() >= second + 1, 5, 0.01, "the next second")

    def afterwards(self):
        """What is lost by the restore, what is swept, and what waits."""
        send(self, PEOPLE[1], *(f"lost {n}" for n in range(3)))
        cloud.drained()
        c = lib.Imap("127.0.0.1", self.service.imap[1].port["imap"], PEOPLE[0], PASSWORD)
        c.select("INBOX")
        uids = c.search('SUBJECT "doomed"')
        assert len(uids) == SWEPT, uids
        c.cmd(f"UID STORE {','.join(map(str, uids))} +FLAGS.SILENT (\\Deleted)")
        c.cmd("EXPUNGE")
        c.cmd('CREATE "Later"')
        c.append("Later", cloud.mail("lost, too"))
        c.cmd("STORE 1:* FLAGS.SILENT ($Later)")
        c.close()
        # As the sweep deletes, whose grace no test can wait for; and a blob that came and went since.
        for key in self.doomed:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.s3.put_object(Bucket=self.bucket, Key="gone/since", Body=b"x")
        self.s3.delete_object(Bucket=self.bucket, Key="gone/since")
        assert self.service.deliver.stop() == 0
        send(self, PEOPLE[0], *(f"waiting {n}" for n in range(4)))
        send(self, PEOPLE[2], "waiting")

    def disaster(self):
        """Somebody deletes rows of all mailboxes; the living table is not whole any more."""
        doomed = sorted((row for row in self.rows if row["pk"]["S"].startswith("a#")), key=lambda row: row["sk"]["B"])[::3]
        for row in doomed:
            self.dynamodb.delete_item(TableName=self.table, Key={k: row[k] for k in ("pk", "sk")})
        done = penfold("--cloud", "check", seconds=300)
        assert done.returncode, f"check did not notice that {len(doomed)} rows are gone: {done.stdout}"
        return len(doomed)

    # --- the document's commands

    def command(self, line):
        """Carries one out: itself, or its stand-in."""
        line = line.replace("BUCKET", self.bucket).replace("PREFIX", self.table).replace("TIME", self.time)
        for pattern, act in (
            (r"aws lambda update-event-source-mapping --no-enabled", self.stop_deliver),
            (r"for function in .* put-function-concurrency", self.stop_functions),
            (r"for edge in .*--desired-count 0", self.stop_edges),
            (r"aws dynamodb restore-table-to-point-in-time", self.restore_table),
            (r"aws dynamodb wait table-exists", lambda _: None),
            (r"infra/undelete .* --dry-run", self.undelete_dry),
            (r"infra/undelete ", self.undelete),
            (r"PENFOLD_TABLE=\S+ penfold --cloud check", self.check),
            (r"terraform (state rm|import|apply)", self.take_table),
            (r"for edge in .*--desired-count [1-9]", self.start_edges),
            (r"for function in .* delete-function-concurrency", self.start_functions),
            (r"aws lambda update-event-source-mapping --enabled", self.start_deliver),
            (r"penfold --cloud check$", self.check),
        ):
            if re.match(pattern, line):
                self.done.append(pattern)
                return act(line)
        raise AssertionError(f"nothing here carries out the document's `{line}`")

    def stop_deliver(self, _):
        assert not self.service.deliver.alive()  # since the mail that waits was sent

    def stop_functions(self, _):
        assert not [f.name for f in (self.service.send, self.service.transfer, self.service.subscribe, self.service.timer, self.service.upkeep, self.service.meter, self.service.account, self.service.admin) if f.stop()]

    def stop_edges(self, _):
        bad = self.service.stop()
        assert not bad, bad

    def restore_table(self, line):
        """A copy of the table as it was stands for the one that PITR makes."""
        words = shlex.split(line)
        self.restored = words[words.index("--target-table-name") + 1]
        like = self.dynamodb.describe_table(TableName=self.table)["Table"]
        self.dynamodb.create_table(TableName=self.restored, BillingMode="PAY_PER_REQUEST", **{k: like[k] for k in ("AttributeDefinitions", "KeySchema")})
        for at in range(0, len(self.rows), 25):
            self.dynamodb.batch_write_item(RequestItems={self.restored: [{"PutRequest": {"Item": row}} for row in self.rows[at:at + 25]]})

    def tool(self, line, brought_back):
        done = subprocess.run([sys.executable, "-B", *shlex.split(line), "--page", "7"], cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(rf"^\d+ objects looked at, {brought_back} (would be )?brought back, 0 failed$", done.stdout, re.M), f"{line}: not {brought_back}\n{done.stdout}{done.stderr}"

    def undelete_dry(self, line):
        """A control as well: as long as the blobs are away, `check` says so, of each."""
        gone = self.objects - self.keys()
        assert gone == self.doomed, gone
        self.tool(line, SWEPT)
        assert self.objects - self.keys() == self.doomed, "a dry run changes nothing"
        done = penfold("--cloud", "check", environment={"PENFOLD_TABLE": self.restored}, seconds=300)
        assert done.returncode and done.stdout.count("has no bytes") == SWEPT and f": {SWEPT} problems" in done.stdout, done.stdout[-2000:]

    def undelete(self, line):
        part = sorted(self.doomed)[1]
        # Broken off after one of them, and run again.
        halfway = subprocess.run([sys.executable, "-B", *shlex.split(line), "--prefix", part], cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert halfway.returncode == 0 and ", 1 brought back" in halfway.stdout, halfway.stdout + halfway.stderr
        self.tool(line, SWEPT - 1)
        self.tool(line, 0)
        there = self.keys()
        assert self.objects <= there and not there & {"gone/before", "gone/since"}, sorted(self.objects - there)

    def check(self, line):
        named = re.match(r"PENFOLD_TABLE=(\S+)", line)
        assert named or os.environ["PENFOLD_TABLE"] == self.restored
        done = penfold("--cloud", "check", environment={"PENFOLD_TABLE": named.group(1) if named else self.restored}, seconds=300)
        assert done.returncode == 0, f"check: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
        self.said = done.stdout.strip().splitlines()[-1]

    def take_table(self, _):
        os.environ["PENFOLD_TABLE"] = self.restored

    def start_edges(self, _):
        for e in self.service.edges:
            e.seed = None
            e.start()
        # Before anything is delivered: the state of that moment and nothing else.
        for e in self.service.imap:
            now = picture(e.port["imap"])
            assert now == self.then, f"not as it was at {self.time}: {differing(self.then, now)}"

    def start_functions(self, _):
        for f in (self.service.send, self.service.transfer, self.service.subscribe, self.service.timer, self.service.upkeep, self.service.meter, self.service.account, self.service.admin):
            f.start()

    def start_deliver(self, _):
        cloud.send_job(*self.again, 1)
        self.service.deliver.start()
        cloud.drained()
        wanted = sorted(self.inbox_then + [f"waiting {n}" for n in range(4)])
        lib.wait_until(lambda: len(here(self)) >= len(wanted) and "waiting" in here(self, PEOPLE[2]), 60, 0.2, "what waited")
        time.sleep(1)  # what would come twice has come
        cloud.drained()
        assert here(self) == wanted, sorted(set(here(self)) ^ set(wanted))
        assert here(self, PEOPLE[2]).count("waiting") == 1 and not [s for s in here(self, PEOPLE[1]) if s.startswith("lost")]
        now = picture(self.service.imap[1].port["imap"])
        kept = {k: (validity, {u: m for u, m in now[k][1].items() if u in mails}) for k, (validity, mails) in self.then.items()}
        assert kept == self.then and now.keys() == self.then.keys(), differing(self.then, kept)

    def refusals(self):
        """What the tool refuses, in one sentence."""
        plain = f"{self.bucket}-plain"
        self.s3.create_bucket(Bucket=plain)
        for arguments, word in (([plain, self.time], "keeps no versions"), ([f"{self.bucket}-none", self.time], "NoSuchBucket"), ([self.bucket, "yesterday"], "is no time"),
                                ([self.bucket, "2026-11-26T00:45:00"], "names no zone")):
            done = subprocess.run([sys.executable, "-B", os.path.join(ROOT, "infra", "undelete"), *arguments], capture_output=True, text=True, timeout=60)
            assert done.returncode == 2 and word in done.stderr.splitlines()[-1], f"{arguments}: {done.returncode} {done.stderr}"


def inside(options):
    work = tempfile.mkdtemp(prefix="penfold-restore-")
    run = Run(work, options.seed)
    try:
        assert run.s3.get_bucket_versioning(Bucket=run.bucket).get("Status") == "Enabled", "infra/cell.json says that the bucket keeps versions"
        acks = run.prepare()
        run.inbox_then = here(run)
        run.moment()
        print(f"restore: {len(run.rows)} rows and {len(run.objects)} objects at {run.time}, after {acks} acknowledged commands", flush=True)
        run.refusals()
        run.afterwards()
        deleted = run.disaster()
        for line in documented():
            run.command(line)
        assert len(run.done) >= 14, run.done
        bad = run.service.stop()
        assert not bad, bad
        mails = sum(len(m) for _, m in run.then.values())
        print(f"restore: {deleted} rows deleted, {SWEPT} blobs swept and brought back; {mails} mails of {run.time} as they were, uids and flags included; 5 that waited arrived once, 1 that came again was not doubled")
        print(f"restore: {run.said}; {len(run.done)} commands of docs/operations-aws.md carried out\n1 passed, 0 failed", flush=True)
        return 0
    except BaseException:
        for p in run.service.edges + run.service.hosts:
            if p.process and os.path.getsize(p.log):
                print(f"--- {p.name}\n{p.tail(800)}", flush=True)
        raise
    finally:
        run.service.kill()
        if options.keep:
            print(f"logs are in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    p.add_argument("--keep", action="store_true", help="keep the processes' logs")
    p.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.inside:
        return inside(options)
    print(f"restore: --seed {options.seed}", flush=True)
    return beside.the_cloud("restore", __file__, *sys.argv[1:], "--seed", str(options.seed))


if __name__ == "__main__":
    sys.exit(main())
