#!/usr/bin/env python3
"""Crash loop: SIGKILL at random moments under SMTP, APPEND, MOVE, EXPUNGE and STORE load; what was acknowledged must be there, once, unchanged.

usage: crash.py [--rounds N] [--seed N] [--keep] [--peer SMTP_PORT:IMAP_PORT]
Each round: load, SIGKILL, (`penfold check`,) start, compare everything; in every second round also SIGTERM, `penfold check`, start. One data
directory lives for some rounds. The seed is printed, and fixes what is sent and when the kill comes. --peer tries the suite itself on another
server, which is not killed.
"""
import argparse
import os
import random
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import penfold_testlib as lib  # noqa: E402
from penfold_load import PASSWORD, Audit, Book, Load  # noqa: E402

PEOPLE = ["c0@crash.test", "c1@crash.test", "c2@crash.test", "d0@other.test"]
TENANTS = [("Crash", ["crash.test"], [(p, PASSWORD, p) for p in PEOPLE[:3]]), ("Other", ["other.test"], [(PEOPLE[3], PASSWORD, "D")])]
ROUNDS_EACH = 12  # rounds on one data directory, so that it grows but a round stays short


def clean(server):
    code, text = server.check()
    assert code == 0, f"penfold check: exit {code}\n{text[-3000:]}"


def die_early(server, rnd):
    """Now and then the recovery itself is killed."""
    try:
        server.start(seconds=rnd.uniform(0.01, 0.2))
    except TimeoutError:
        return
    server.kill()


def one_round(number, rnd, server, book, audit, seed, last):
    pause = rnd.uniform(0.02, 0.6)
    load = Load(book, PEOPLE, server.port, seed, f"r{number}", limit=300).start()
    load.wait_connected()
    time.sleep(pause)  # the random moment of the kill, not a wait for something
    broken = list(load.broken)
    assert not broken, f"connections ended before the kill: {broken}"
    server.kill()
    load.end()
    if rnd.random() < 0.2:
        die_early(server, rnd)
    if number % 2 == 0:
        clean(server)
    server.start()
    audit.run(whole=last)
    if number % 2 or last:
        code = server.stop()
        assert code == 0, f"SIGTERM: exit {code}"
        clean(server)
        if not last:
            server.start()
    return pause


def series(rounds, first, seed, work):
    """Some rounds on one data directory; returns the acknowledgements by kind."""
    rnd, book = random.Random(f"{seed}/{first}"), Book()
    data = os.path.join(work, f"data{first}")
    server = lib.Server(data, lib.write_seed(os.path.join(work, "seed.toml"), TENANTS))
    audit = Audit(book, PEOPLE, server.port)
    number = first
    try:
        server.start()
        for number in range(first, first + rounds):
            at = time.monotonic()
            pause = one_round(number, rnd, server, book, audit, seed, number == first + rounds - 1)
            if os.environ.get("VERBOSE"):
                print(f"  round {number}: {pause:.2f} s of load, {sum(book.acks.values())} acknowledged so far ({time.monotonic() - at:.1f} s)", flush=True)
    except BaseException as e:
        print(f"crash: round {number} with --seed {seed} failed; data in {data}\nthe log ends with:\n{server.tail()}", flush=True)
        raise
    finally:
        server.kill()
    lib.remove(data)
    return book.acks


def lose(c):
    c.select("INBOX")
    c.cmd("STORE 1 +FLAGS.SILENT (\\Deleted)")
    c.cmd("EXPUNGE")


def double(c):
    c.select("INBOX")
    c.cmd('COPY 1 "Trash"')


def reflag(c):
    c.select("Append0")
    c.cmd("STORE 1 FLAGS ($Odd)")


def alter(c):
    c.select("Append0")
    data = next(iter(c.fetch("1 (BODY.PEEK[])").values()))["BODY[]"]
    c.append("Append0", data[:-3] + b"!" + data[-2:])


def audit_notices(ports, people_of, seed):
    """The audit itself: with nothing killed it finds nothing; what is done behind its back it finds, and names."""
    for n, (word, act) in enumerate((("lost:", lose), ("doubled:", double), ("changed:", reflag), ("is not what was sent", alter))):
        book, people = Book(), people_of(n)
        load = Load(book, people, ports, seed, f"a{n}", limit=15, sort=0).start()
        load.finish()
        Audit(book, people, ports).run()
        c = lib.Imap("127.0.0.1", ports["imap"], people[0], PASSWORD)
        act(c)
        c.close()
        try:
            Audit(book, people, ports).run(seconds=0)
        except AssertionError as e:
            assert word in str(e), f"the audit should say '{word}': {e}"
        else:
            raise AssertionError(f"the audit did not notice: {word}")


def audit_selftest(work, seed):
    people = [f"a{i}@audit.test" for i in range(12)]
    data = os.path.join(work, "audit")
    with lib.Server(data, lib.write_seed(os.path.join(work, "audit.toml"), [("Audit", ["audit.test"], [(p, PASSWORD, p) for p in people])])) as server:
        audit_notices(server.port, lambda n: people[n * 3:n * 3 + 3], seed)
    lib.remove(data)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 60)))
    args.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    args.add_argument("--keep", action="store_true", help="keep the data directory of a failure")
    args.add_argument("--peer")
    args = args.parse_args()
    print(f"crash: {args.rounds} rounds, --seed {args.seed}", flush=True)
    if args.peer:
        ports, now = dict(zip(("smtp", "imap"), map(int, args.peer.split(":")))), int(time.time())
        audit_notices(ports, lambda n: [f"c{n}-{i}-{now}@bench.test" for i in range(3)], args.seed)
        print("1 passed, 0 failed")
        return 0
    work, begin, acks, done = lib.scratch("crash"), time.monotonic(), {}, 0
    try:
        audit_selftest(work, args.seed)
        while done < args.rounds:
            n = min(ROUNDS_EACH, args.rounds - done)
            for kind, count in series(n, done, args.seed, work).items():
                acks[kind] = acks.get(kind, 0) + count
            done += n
            if args.rounds > 100:
                print(f"  {done} rounds, {time.monotonic() - begin:.0f} s", flush=True)
        args.keep = False
    except (AssertionError, TimeoutError, RuntimeError) as e:
        print(f"--- {type(e).__name__}: {e}")
        print(f"crash: {time.monotonic() - begin:.1f} s\n{done} passed, 1 failed")
        return 1
    finally:
        if not args.keep:
            lib.remove(work)
    print("crash: 0 lost, 0 doubled, 0 changed of " + ", ".join(f"{v} {k}" for k, v in sorted(acks.items())) + " acknowledged")
    print(f"crash: {time.monotonic() - begin:.1f} s\n{done} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
