"""One old and one new edge of each kind, and both versions' functions, on one table in the local cloud; load on all of them.

Then rows as a later version would write them: what a reader does not know must survive its writing, and what it cannot read it must refuse and leave alone.
"""
import os
import re
import shutil
import tempfile

import penfold_testlib as lib
import service as cloud
from penfold_load import PASSWORD, Audit, Book
from penfold_roam import Follower, Roam
from processes import Edge, Host, penfold

PEOPLE = cloud.PEOPLE
LATER = "later@cloud.test"
TENANTS = [("Cloud", ["cloud.test"], [(p, PASSWORD, p) for p in [*PEOPLE[:3], LATER]]), ("Other", ["other.test"], [(PEOPLE[3], PASSWORD, "D")])]
HIDDEN = 5
UNKNOWN = "zz9"  # an attribute that no version knows
KINDS = {"head": (r"a#", r"h"), "folder": (r"a#", r"f#.{16}"), "state": (r"a#", r"s#.*"), "content": (r"a#", r"i#.*"), "principal": (r"p#", r"p")}
MUST_BE_WRITTEN = {"head", "folder", "state", "content", "principal"}


class Table:
    def __init__(self):
        import boto3
        self.client, self.name = boto3.client("dynamodb"), os.environ["PENFOLD_TABLE"]

    def rows(self):
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return {(row["pk"]["S"], bytes(row["sk"]["B"])): row for page in pages for row in page["Items"]}

    def set(self, key, name, value):
        self.client.update_item(TableName=self.name, Key=self.key(key), UpdateExpression="SET #n = :v", ExpressionAttributeNames={"#n": name}, ExpressionAttributeValues={":v": value})

    def remove(self, key, name):
        self.client.update_item(TableName=self.name, Key=self.key(key), UpdateExpression="REMOVE #n", ExpressionAttributeNames={"#n": name})

    def get(self, key):
        return self.client.get_item(TableName=self.name, Key=self.key(key), ConsistentRead=True).get("Item")

    @staticmethod
    def key(key):
        return {"pk": {"S": key[0]}, "sk": {"B": key[1]}}


def kind(key):
    for name, (pk, sk) in KINDS.items():
        if key[0].startswith(pk) and re.fullmatch(sk.encode(), key[1], re.S):
            return name
    return None


class Both:
    """The service in two versions: the first edge of each kind is old, the second new, and both versions' functions take from the same queue."""

    def __init__(self, work, versions):
        self.versions, seed = versions, lib.write_seed(os.path.join(work, "seed.toml"), TENANTS)
        self.all, self.edges = [], {"smtp": [], "imap": [], "http": []}
        for number, version in ((1, "old"), (2, "new")):
            own = os.path.join(work, version)
            os.makedirs(own)
            versions.use(version)
            for k in self.edges:
                self.edges[k].append(self.begin(Edge(k, number, own, seed=seed if (k, number) == ("smtp", 1) else None)))
            for host in (Host("deliver", own, "--instances", "2", "--visibility", str(HIDDEN)), Host("upkeep", own)):
                self.begin(host)

    def begin(self, process):
        self.all.append(process.start())
        return process

    def ports(self, k):
        return [e.port[k] for e in self.edges[k]]

    def check(self):
        for version in ("old", "new"):
            self.versions.use(version)
            said = cloud.clean()
        return said

    def stop(self):
        """What ended badly, or did something badly that nobody waited for."""
        bad = [f"{p.name}: {code}" for p in self.all if (code := p.stop())]
        upkeep = [p.summary for p in self.all if p.name == "upkeep"]
        return bad + [f"upkeep: {s}" for s in upkeep if not s or s["outcomes"].keys() != {"ok"}]

    def kill(self):
        for p in self.all:
            p.kill()


class Test:
    def __init__(self, options, both):
        self.options, self.both, self.table, self.book = options, both, Table(), Book()
        self.ports = {k: both.ports(k) for k in ("smtp", "imap")}
        self.audits = [Audit(self.book, PEOPLE, {"imap": p}) for p in self.ports["imap"]]
        self.audits[1].compared, self.audits[1].numbers = self.audits[0].compared, self.audits[0].numbers

    def round(self, number):
        """Load on both versions; then each shows what both wrote."""
        load = Roam(self.book, PEOPLE, self.ports, self.options.seed, f"r{number}", limit=25, **cloud.WORK).start()
        followers = [Follower(p, "INBOX", self.ports["imap"], turn=n).start() for n, p in enumerate(PEOPLE[:2])]
        load.finish(180)
        cloud.drained()
        for audit in self.audits:
            audit.run(60, whole=True)
        wrong = [w for n, f in enumerate(followers) for w in f.finish(self.ports["imap"][n])]
        assert not wrong, "\n  ".join(wrong)

    def unknown_attributes(self):
        """Every row has an attribute more, as if a later version had written it; it is there after both have worked on the rows."""
        for n, port in enumerate(self.ports["imap"]):
            c = lib.Imap("127.0.0.1", port, PEOPLE[n], PASSWORD)
            c.cmd('CREATE "Kept"')
            c.append("Kept", cloud.mail("kept"))
            c.append("Kept", cloud.mail("moved"))
            c.close()
        before = self.table.rows()
        marked = {key: row for key, row in before.items() if kind(key)}
        for key in marked:
            self.table.set(key, UNKNOWN, {"N": "7"})
        for n, version in enumerate(("old", "new")):
            self.both.versions.use(version)
            done = penfold("--cloud", "password", "set", PEOPLE[n], "--password", PASSWORD)
            assert done.returncode == 0, done.stderr
            self.flag_and_move(n)
        self.round("u")
        after, seen, lost = self.table.rows(), {}, []
        for key in marked:
            if key in after:
                written = {k: v for k, v in after[key].items() if k != UNKNOWN} != marked[key]
                seen.setdefault(kind(key), [0, 0])[written] += 1
                if UNKNOWN not in after[key]:
                    lost.append(key)
        assert not lost, f"what a later version wrote is gone from {len(lost)} rows: {sorted({(kind(k), k[1][:2]) for k in lost})}"
        written = {name: numbers[1] for name, numbers in seen.items()}
        assert all(written.get(name) for name in MUST_BE_WRITTEN), f"not all kinds were written: {written}"
        # A moved message's state is a row of another key, made anew: what it was is told, and not demanded.
        items = {key[1][2:] for key in marked if kind(key) == "content" and key in after and after[key].get("f") != marked[key].get("f")}
        moved = [row for key, row in after.items() if kind(key) == "state" and key not in before and key[1][-16:] in items]
        print(f"  of {len(moved)} states whose messages were moved {sum(UNKNOWN in row for row in moved)} have kept it", flush=True)
        return ", ".join(f"{n} {name}" for name, n in sorted(written.items()))

    def flag_and_move(self, edge):
        c = lib.Imap("127.0.0.1", self.ports["imap"][edge], PEOPLE[edge], PASSWORD)
        """By an edge of the other version than wrote it."""
        c = lib.Imap("127.0.0.1", self.ports["imap"][1 - edge], PEOPLE[edge], PASSWORD)
        c.select("Kept")
        kept, moved = c.search("ALL")
        c.cmd(f"UID STORE {kept} +FLAGS.SILENT ($Later)")
        c.cmd(f'UID MOVE {moved} "Archive"')
        c.close()

    def unreadable_rows(self):
        """A value of a kind that no version has yet: refused in one sentence, by both, and untouched."""
        for port in self.ports["imap"]:
            c = lib.Imap("127.0.0.1", port, LATER, PASSWORD)
            c.append("INBOX", cloud.mail("before"))
            c.close()
        tenant = {pk: key for key in self.table.rows() for pk in [key[0]] if pk.startswith("a#") and key[1] == b"h"}
        heads = list(tenant.values())
        mine = self.head_of_later(heads)
        self.table.set(mine, UNKNOWN, {"BOOL": True})
        planted, refused = self.table.get(mine), []
        rows = {k: v for k, v in self.table.rows().items() if k[0] == mine[0]}
        for n, version in enumerate(("old", "new")):
            self.both.edges["imap"][n].stop()
            self.both.versions.use(version)
            self.both.edges["imap"][n].start()  # knows nothing from before
            try:
                c = lib.Imap("127.0.0.1", self.ports["imap"][n], LATER, PASSWORD)
                c.append("INBOX", cloud.mail("must not get in"))
            except (lib.ImapError, EOFError) as e:
                refused.append(f"{version}: {e}")
            done = penfold("--cloud", "check", "--address", LATER)
            assert done.returncode and "Traceback" not in done.stdout + done.stderr, f"check by {version} did not notice: {done.stdout}"
            refused.append(f"{version} check: {(done.stdout.strip() or done.stderr.strip()).splitlines()[0]}")
            lib.Imap("127.0.0.1", self.ports["imap"][n], PEOPLE[0], PASSWORD).close()  # the others go on
        assert self.table.get(mine) == planted and {k: v for k, v in self.table.rows().items() if k[0] == mine[0]} == rows, "a row that could not be read was written"
        assert len(refused) == 4, refused
        self.table.remove(mine, UNKNOWN)
        assert cloud.subjects(self.ports["imap"][0], LATER) == ["before", "before"]
        return refused

    def head_of_later(self, heads):
        """The head that moves when something comes into the mailbox."""
        before = {key: self.table.get(key) for key in heads}
        c = lib.Imap("127.0.0.1", self.ports["imap"][0], LATER, PASSWORD)
        c.cmd('CREATE "Moves"')
        c.close()
        moved = [key for key in heads if self.table.get(key) != before[key]]
        assert len(moved) == 1, moved
        return moved[0]


def run(options, versions):
    work = tempfile.mkdtemp(prefix="penfold-upgrade-")
    both = None
    try:
        both = Both(work, versions)
        test = Test(options, both)
        for number in range(options.rounds):
            test.round(number)
        said = both.check()
        written = test.unknown_attributes()
        both.check()
        refused = test.unreadable_rows()
        both.check()
        bad = both.stop()
        assert not bad, bad
        for line in refused:
            print(f"  refused by {line}", flush=True)
        acks = ", ".join(f"{v} {k}" for k, v in sorted(test.book.acks.items()))
        return (f"{options.rounds + 1} rounds, old and new side by side: 0 lost, 0 doubled, 0 changed of {acks}; unknown attributes survived the writing of {written}; {said}")
    finally:
        if both:
            both.kill()
        if options.keep:
            print(f"logs are in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
