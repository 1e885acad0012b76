"""Tries the shim and the disk on a program that is known to sync right: SQLite with a rollback journal and synchronous=EXTRA."""
import os
import random
import sqlite3
import subprocess
import sys

from disk import NAMES, Disk

WRITER = """
import os, socket, sqlite3, sys
a, b = socket.socketpair()
db = sqlite3.connect(sys.argv[1] + "/t.db", isolation_level=None)
db.execute("PRAGMA journal_mode=DELETE"); db.execute("PRAGMA synchronous=EXTRA")
db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB)")
b.send(b"row 0\\n")
for n in range(1, 10):
    db.execute("BEGIN"); db.execute("INSERT INTO t VALUES (?, ?)", (n, os.urandom(n * 300)))
    if n > 4: db.execute("DELETE FROM t WHERE n = ?", (n - 4,))
    db.execute("COMMIT")
    b.send(b"row %d\\n" % n)
    os.mkdir(sys.argv[1] + "/d%d" % n)
    with open(sys.argv[1] + "/d%d/f.tmp" % n, "wb") as f: f.write(b"x" * 5000); f.flush(); os.fsync(f.fileno())
    os.rename(sys.argv[1] + "/d%d/f.tmp" % n, sys.argv[1] + "/d%d/f" % n)
    for d in ("/d%d" % n, ""): fd = os.open(sys.argv[1] + d, os.O_RDONLY); os.fsync(fd); os.close(fd)
    b.send(b"file %d\\n" % n)
"""


def good(path, acked):
    """Whether all that was acknowledged is there."""
    rows = [int(a[4:]) for a in acked if a.startswith(b"row")]
    files = [int(a[5:]) for a in acked if a.startswith(b"file")]
    for n in files:
        if not os.path.exists(f"{path}/d{n}/f") or os.path.getsize(f"{path}/d{n}/f") != 5000:
            return False
    if not rows:
        return True
    try:
        db = sqlite3.connect(f"{path}/t.db")
        if db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return False
        top = db.execute("SELECT max(n) FROM t").fetchone()[0] or 0
        db.close()
    except sqlite3.DatabaseError:
        return False
    return top >= max(rows)


def run(shim, work, seed):
    rnd, data, trace = random.Random(seed), os.path.join(work, "self"), os.path.join(work, "self.trace")
    os.mkdir(data)
    subprocess.run([sys.executable, "-c", WRITER, data], env=dict(os.environ, LD_PRELOAD=shim, POWERCUT_DIR=data, POWERCUT_TRACE=trace), check=True)

    def failures(drop):
        disk, bad, acked = Disk(trace), 0, []
        disk.drop_after = drop
        ends = [(r[0], r[6]) for r in disk.records() if r[1] == "N"]
        others = rnd.sample([r[0] for r in disk.records()], 15)
        for cut in sorted([e for e, _ in ends] + others):
            disk.replay(cut)
            acked = [d for e, d in ends if e <= cut]
            to = os.path.join(work, f"self-{drop}-{cut}")
            disk.write_out(to, "strict" if drop else rnd.choice(NAMES), "none" if drop else None, rnd)
            bad += not good(to, acked)
        return bad
    assert failures(None) == 0, "the rebuilt disk lost what SQLite synced: the shim or the model is wrong"
    assert failures(1) > 0, "without its syncs SQLite lost nothing: the model keeps too much"
