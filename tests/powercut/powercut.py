#!/usr/bin/env python3
"""Power-cut test: records what the server writes and syncs, rebuilds the directory from what was safe at a cut point (torn and garbage tails
included), starts a server on it and looks for everything that was acknowledged before the cut.

usage: powercut.py [--cuts N] [--seed N] [--keep]
SIGKILL leaves the page cache in place, so this finds what the crash loop cannot: a missing sync of a file or of a directory.
Parts: a self-test of shim and model on SQLite; strace counts the changing system calls, so that none goes past the shim; cuts; and a negative
control that forgets the syncs and must find a loss.
"""
import argparse
import concurrent.futures
import os
import random
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import penfold_testlib as lib  # noqa: E402
import selftest  # noqa: E402
from disk import NAMES, Disk  # noqa: E402
from penfold_load import PASSWORD, Audit, Book, Load  # noqa: E402

PEOPLE = ["p0@cut.test", "p1@cut.test", "q0@other.test"]
TENANTS = [("Cut", ["cut.test"], [(p, PASSWORD, p) for p in PEOPLE[:2]]), ("Other", ["other.test"], [(PEOPLE[2], PASSWORD, "Q")])]
GENERATIONS = 3  # starts of the server in one trace, so that recovery is cut too
CUTS_EACH = 50  # cut points in one trace


def build_shim(work):
    shim = os.path.join(work, "shim.so")
    subprocess.run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", shim, os.path.join(HERE, "shim.c")], check=True)
    return shim


class Recording:
    """Some generations of one server under load, all in one trace."""

    def __init__(self, work, shim, seed, name, limit):
        self.data, self.trace = os.path.join(work, f"data{name}"), os.path.join(work, f"trace{name}")
        self.seed_file = lib.write_seed(os.path.join(work, "seed.toml"), TENANTS)
        os.mkdir(self.data)
        open(self.trace, "wb").close()
        self.book = Book(lambda: os.stat(self.trace).st_size)
        rnd = random.Random(f"{seed}/{name}")
        server = lib.Server(self.data, self.seed_file, env={"LD_PRELOAD": shim, "POWERCUT_DIR": self.data, "POWERCUT_TRACE": self.trace})
        self.starts = []
        try:
            for generation in range(GENERATIONS):
                begin = self.book.position()
                server.start()
                self.starts.append((begin, self.book.position()))
                load = Load(self.book, PEOPLE, server.port, f"{seed}/{name}", f"g{generation}", limit=limit, smtp=2, append=2, move=1, store=1)
                load.start()
                if generation == GENERATIONS - 1:
                    load.finish(60)
                    server.stop()
                else:
                    load.wait_connected()
                    time.sleep(rnd.uniform(0.1, 0.5))  # the random moment of the kill
                    server.kill()
                    load.end(60)
        finally:
            server.kill()
        assert not self.book.wrong, self.book.wrong[:5]
        self._sharpen()

    def _sharpen(self):
        """The moment of an acknowledgement is when its answer went to the socket, which the trace holds."""
        answers = {}
        for end, kind, _, _, _, _, data in Disk(self.trace).records():
            if kind == "N":
                for line in data.split(b"\r\n"):
                    for proof in (line.partition(b" ")[0] + b" ", line[4:] if line.startswith(b"250 ") else None):
                        if proof:
                            answers.setdefault(proof, []).append(end)
        self.sharp = 0
        for op in self.book.ops:
            ends = answers.get(op.proof, ()) if op.acked else ()
            if len(ends) == 1 and ends[0] <= op.acked:
                op.acked, self.sharp = ends[0], self.sharp + 1

    def acked(self):
        return sorted(op.acked for op in self.book.ops if op.acked)

    def cut_points(self, n, rnd):
        """Most right behind an answer, some at any record, some in the starts."""
        acked, every = self.acked(), [r[0] for r in Disk(self.trace).records()]
        starts = [e for e in every if any(a <= e <= b for a, b in self.starts)]
        points = set(rnd.sample(acked, min(len(acked), n * 3 // 5)))
        points.update(rnd.sample(starts, min(len(starts), n // 5)))
        rest = [e for e in every if e not in points]
        points.update(rnd.sample(rest, min(len(rest), max(0, n - len(points)))))
        return sorted(points)


def verify(recording, data, cut, seconds):
    """Starts a server on a rebuilt directory; None, or what is wrong. `seconds`: how long accepted mail may take to its mailbox."""
    book = recording.book.at(cut)
    server = lib.Server(data, recording.seed_file)
    try:
        server.start(60)
        Audit(book, PEOPLE, server.port).run(seconds)
        server.kill()
        code, text = server.check()
        assert code == 0, f"penfold check: exit {code}\n{text[-1500:]}"
    except (AssertionError, TimeoutError, RuntimeError, OSError, EOFError, lib.ImapError) as e:
        return f"{type(e).__name__}: {e}\n{server.tail(1200)}"
    finally:
        server.kill()
    lib.remove(data)
    return None


def cuts(recording, points, work, seed, drop=None, until_failure=False):
    """Rebuilds and verifies each cut point, two at a time. Returns [(cut, names mode, what is wrong)]."""
    disk, bad, waiting = Disk(recording.trace), [], {}
    disk.drop_after = drop

    def take(done):
        names, cut = waiting.pop(done)
        if done.result():
            bad.append((cut, names, done.result()))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for i, cut in enumerate(points):
            rnd = random.Random(f"{seed}/{cut}")
            disk.replay(cut)
            names = "strict" if drop is not None else NAMES[i % len(NAMES)]
            to = os.path.join(work, f"cut-{cut}-{'control' if drop is not None else names}")
            disk.write_out(to, names, "none" if drop is not None else None, rnd)
            waiting[pool.submit(verify, recording, to, cut, 15 if drop is None else 1)] = (names, cut)
            while len(waiting) > 3:
                take(next(concurrent.futures.as_completed(list(waiting))))
            if until_failure and bad:
                break
        for done in list(waiting):
            concurrent.futures.wait([done])
            take(done)
    return bad


CHANGING = "write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,syncfs,sync,msync,mmap,copy_file_range,sendfile,splice," \
           "rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,mknod,mknodat,io_uring_setup,io_uring_enter"
KINDS = {"W": ("write", "pwrite64", "writev", "pwritev"), "T": ("ftruncate", "fallocate"), "S": ("fsync", "fdatasync"), "R": ("rename", "renameat", "renameat2"),
         "L": ("link", "linkat"), "U": ("unlink", "unlinkat", "rmdir"), "M": ("mkdir", "mkdirat")}


def nothing_goes_past(work, shim):
    """Counts the changing system calls below the data directory with strace and compares them with the shim's records."""
    data, trace, log = (os.path.join(work, n) for n in ("straced", "straced.trace", "strace.out"))
    os.mkdir(data)
    server = lib.Server(data, lib.write_seed(os.path.join(work, "seed.toml"), TENANTS), prefix=[
        "strace", "-f", "-y", "-qq", "-s", "0", "-e", "signal=none", "-e", "trace=" + CHANGING, "-o", log, "-E", f"LD_PRELOAD={shim}", "-E", f"POWERCUT_DIR={data}", "-E", f"POWERCUT_TRACE={trace}"])
    try:
        server.start(120)
        load = Load(Book(), PEOPLE, server.port, 1, "s", limit=8, smtp=1, append=1, move=1, store=1, sort=0).start()
        load.finish(120)
        for pid in lib.process_tree([server.pid])[1:]:
            os.kill(pid, signal.SIGTERM)
        server.process.wait(60)
    finally:
        for pid in reversed(lib.process_tree([server.pid])) if server.alive() else ():
            os.kill(pid, signal.SIGKILL)
    calls, unfinished = {}, {}
    with open(log, errors="replace") as f:
        for line in f:
            pid, _, text = line.partition(" ")
            text = text.strip()
            if text.endswith("<unfinished ...>"):
                unfinished[pid] = text[:-len("<unfinished ...>")]
                continue
            m = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
            text = unfinished.pop(pid, "") + m.group(1) if m else text
            name = text.partition("(")[0]
            if name.startswith("io_uring"):
                raise AssertionError("the server uses io_uring, which the shim cannot see")
            if data not in text or re.search(r"= -1 |= \?", text) or text.startswith(("+++", "---")):
                continue
            if name == "mmap" and not ("PROT_WRITE" in text and "MAP_SHARED" in text):
                continue
            calls[name] = calls.get(name, 0) + 1
    disk, kinds = Disk(trace), {}
    for record in disk.records():
        kinds[record[1]] = kinds.get(record[1], 0) + 1
        if record[1] == "X":
            raise AssertionError(f"the server made a call that the model does not know: {record[6]!r}")
    strange = set(calls) - {c for names in KINDS.values() for c in names}
    assert not strange, f"the server makes changing calls that the shim does not record: {strange}"
    for kind, names in KINDS.items():
        seen = sum(calls.get(n, 0) for n in names)
        assert seen == kinds.get(kind, 0), f"{'/'.join(names)}: {seen} below the data directory, {kinds.get(kind, 0)} recorded by the shim"
    print("powercut: strace agrees with the shim: " + ", ".join(f"{v} {k}" for k, v in sorted(calls.items())), flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--cuts", type=int, default=int(os.environ.get("CUTS", 100)))
    args.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    args.add_argument("--keep", action="store_true", help="keep the rebuilt directories of failures")
    args = args.parse_args()
    print(f"powercut: {args.cuts} cut points, --seed {args.seed}", flush=True)
    work, begin, passed, failed = lib.scratch("powercut"), time.monotonic(), 0, 0
    try:
        shim = build_shim(work)
        selftest.run(shim, work, args.seed)
        nothing_goes_past(work, shim)
        done, control = 0, False
        while done < args.cuts:
            n = min(CUTS_EACH, args.cuts - done)
            name = f"{done // CUTS_EACH}"
            recording = Recording(work, shim, args.seed, name, limit=25)
            points = recording.cut_points(n, random.Random(f"{args.seed}/points/{name}"))
            bad = cuts(recording, points, work, args.seed)
            for cut, names, text in bad[:3]:
                print(f"--- cut at {cut} of recording {name} ({names}), --seed {args.seed}\n{text}", flush=True)
            print(f"powercut: recording {name}: {os.path.getsize(recording.trace) >> 10} KiB of trace, {recording.book.acks} acknowledged, {recording.sharp} located exactly; "
                  f"{len(points)} cuts, {len(bad)} with a loss ({time.monotonic() - begin:.1f} s)", flush=True)
            passed, failed, done = passed + len(points) - len(bad), failed + len(bad), done + n
            if not control:
                late = recording.acked()[-200::20][::-1]
                lost = cuts(recording, late, work, args.seed, drop=recording.starts[0][1], until_failure=True)
                control = any("lost:" in text or "before `ready`" in text for _, _, text in lost)
                print(f"powercut: without the syncs after the start {'a loss is found' if control else 'NOTHING is lost: the suite would not notice a missing sync'}", flush=True)
                passed, failed = passed + control, failed + (not control)
            lib.remove(recording.data)
            os.unlink(recording.trace)
            if failed:
                break
        args.keep = args.keep and failed
    except (AssertionError, TimeoutError, RuntimeError) as e:
        failed += 1
        print(f"--- {e}", flush=True)
    finally:
        if args.keep:
            print(f"kept {work}")
        else:
            lib.remove(work)
    print(f"powercut: {time.monotonic() - begin:.1f} s\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
