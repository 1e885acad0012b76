#!/usr/bin/env python3
"""Power-cut test: records what the server writes and syncs, rebuilds the directory from what was safe at a cut point (torn and garbage tails
included), starts a server on it and looks for everything that was acknowledged before the cut.

usage: powercut.py [--cuts N] [--seed N] [--keep]
SIGKILL leaves the page cache in place, so this finds what the crash loop cannot: a missing sync of a file or of a directory.
Parts: a self-test of shim and model on SQLite; cuts; and two negative controls, in which the model forgets the syncs and in which the server
is told not to sync: both must find a loss. A changing system call that the model does not know fails the suite.
"""
import argparse
import concurrent.futures
import os
import random
import platform
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

    def __init__(self, work, shim, seed, name, limit, env=None):
        self.data, self.trace = os.path.join(work, f"data{name}"), os.path.join(work, f"trace{name}")
        self.seed_file = lib.write_seed(os.path.join(work, "seed.toml"), TENANTS)
        os.mkdir(self.data)
        open(self.trace, "wb").close()
        self.book = Book(lambda: os.stat(self.trace).st_size)
        rnd = random.Random(f"{seed}/{name}")
        server = lib.Server(self.data, self.seed_file, env={"LD_PRELOAD": shim, "POWERCUT_DIR": self.data, "POWERCUT_TRACE": self.trace} | (env or {}))
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
                    server.process.send_signal(signal.SIGUSR2)  # as sudden as SIGKILL, but never between a call and its record
                    server.process.wait(60)
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

    def remove(self):
        lib.remove(self.data)
        os.unlink(self.trace)

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


def cuts(recording, points, work, seed, drop=None, control=False):
    """Rebuilds and verifies each cut point, two at a time. `control`: nothing unsynced is kept, and the first loss is enough. Returns [(cut, names mode, what is wrong)]."""
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
            names = "strict" if control else NAMES[i % len(NAMES)]
            to = os.path.join(work, f"cut-{cut}-{'control' if control else names}")
            disk.write_out(to, names, "none" if control else None, rnd)
            waiting[pool.submit(verify, recording, to, cut, 1 if control else 15)] = (names, cut)
            while len(waiting) > 3:
                take(next(concurrent.futures.as_completed(list(waiting))))
            if control and bad:
                break
        for done in list(waiting):
            concurrent.futures.wait([done])
            take(done)
    return bad


def negative_controls(recording, work, shim, seed):
    """How many of two are right: the model that forgets the syncs after the start, and the server that is told not to sync, must both lose."""
    unsynced = Recording(work, shim, seed, "unsynced", limit=25, env={"PENFOLD_UNSAFE_NO_SYNC": "1"})
    found = 0
    for what, of, drop in (("the model forgets the syncs", recording, recording.starts[0][1]), ("the server does not sync", unsynced, None)):
        late = of.acked()[-200::20][::-1]
        lost = cuts(of, late, work, seed, drop=drop, control=True)
        noticed = any("lost:" in text or "before `ready`" in text for _, _, text in lost)
        print(f"powercut: control, {what}: {'a loss is found' if noticed else 'NOTHING is lost, so a missing sync would not be noticed'}", flush=True)
        found += noticed
    unsynced.remove()
    return found


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--cuts", type=int, default=int(os.environ.get("CUTS", 100)))
    args.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    args.add_argument("--keep", action="store_true", help="keep the rebuilt directories of failures")
    args = args.parse_args()
    print(f"powercut: {args.cuts} cut points, --seed {args.seed}", flush=True)
    if platform.machine() != "x86_64":
        print("powercut: the shim is for x86-64 only\n0 passed, 0 failed, 1 skipped")
        return 0
    work, begin, passed, failed = lib.scratch("powercut"), time.monotonic(), 0, 0
    try:
        shim = build_shim(work)
        selftest.run(shim, work, args.seed)
        done = 0
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
            if not done - n:
                ok = negative_controls(recording, work, shim, args.seed)
                passed, failed = passed + ok, failed + 2 - ok
            recording.remove()
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
