#!/usr/bin/env python3
"""Two versions on one store: an earlier build and the present one take turns on a disk, and work side by side in the cloud.

usage: upgrade.py [--old DIRECTORY|BINARY] [--turns N] [--rounds N] [--seed N] [--keep] [disk|cloud]
OLD is the commit in tests/upgrade/base, built once into target/upgrade, or what --old names; NEW comes from $PENFOLD_CLOUD_BIN (target/debug). Each
must read what the other wrote, lose and change nothing of it, and leave what it does not know alone. The seed is printed, and fixes what is sent.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "cloud"), os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "localstack")]
import beside  # noqa: E402
import penfold_testlib as lib  # noqa: E402
import processes  # noqa: E402
from penfold_load import PASSWORD, Audit, Book, Load  # noqa: E402
from versions import Versions, build_base, directory  # noqa: E402

PEOPLE = ["c0@crash.test", "c1@crash.test", "c2@crash.test", "d0@other.test"]
TENANTS = [("Crash", ["crash.test"], [(p, PASSWORD, p) for p in PEOPLE[:3]]), ("Other", ["other.test"], [(PEOPLE[3], PASSWORD, "D")])]


def checked(versions, data):
    """Both find the store whole."""
    for version in ("old", "new"):
        versions.use(version)
        code, text = lib.check(data, 300)
        assert code == 0, f"check by {version}: exit {code}\n{text[-3000:]}"
    return text.strip().splitlines()[-1]


def administer(data, *arguments):
    done = subprocess.run([lib.binary(), "--data", data, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout


class Accounts:
    """People, passwords and app passwords that one version made, for the other to know."""

    def __init__(self, data):
        self.data, self.typed, self.made, self.gone = data, [], [], []

    def make(self, label):
        who = f"{label}@crash.test"
        administer(self.data, "person", "add", who, "--password", f"of {label}")
        administer(self.data, "person", "alias", "add", who, f"{label}-too@crash.test")
        self.made.append((who, app_password(administer(self.data, "password", "--json", "app", "add", who, label))))
        if self.typed:  # the other version's
            old, secret = self.typed.pop()
            administer(self.data, "password", "set", old, "--password", f"{secret} again")
            self.typed.insert(0, (old, f"{secret} again"))
            self.gone.append((old, secret))
        self.typed.append((who, f"of {label}"))

    @property
    def known(self):
        return self.typed + self.made

    def signed_in(self, port):
        for who, secret in self.known:
            lib.Imap("127.0.0.1", port, who, secret).close()
        for who, secret in self.gone:
            try:
                lib.Imap("127.0.0.1", port, who, secret).close()
            except lib.ImapError:
                continue
            raise AssertionError(f"{who}: a password that was changed still signs in")


def app_password(told):
    values = [v for line in told.splitlines() for v in json.loads(line).values() if isinstance(v, str)]
    return max(values, key=len)


def probe(server, label):
    """By the alias that the other version made."""
    out = lib.Smtp("127.0.0.1", server.port["smtp"])
    out.send("a@elsewhere.test", [f"{label}-too@crash.test"], b"Subject: probe\r\nX-Probe: 1\r\n\r\nx\r\n")
    out.close()
    c = lib.Imap("127.0.0.1", server.port["imap"], f"{label}@crash.test", f"of {label}")
    lib.wait_until(lambda: c.select("INBOX")["exists"], 30, 0.05, f"mail to {label}'s alias")
    c.close()


def disk(options, versions):
    """Old and new take turns on one directory; every second turn ends by SIGKILL, so that the other one recovers it."""
    work = lib.scratch("upgrade")
    data, book = os.path.join(work, "data"), Book()
    server = lib.Server(data, lib.write_seed(os.path.join(work, "seed.toml"), TENANTS))
    audit, accounts, rnd = Audit(book, PEOPLE, server.port), Accounts(data), random.Random(options.seed)
    killed, made = 0, None
    try:
        for turn in range(options.turns):
            version = versions.use(("old", "new")[turn % 2])
            server.start()
            # What the other version left: first all of it is read, then it is written to.
            audit.run(whole=True)
            accounts.signed_in(server.port["imap"])
            if made:
                probe(server, made)
            made = f"{version}{turn}"
            accounts.make(made)
            load = Load(book, PEOPLE, server.port, options.seed, f"t{turn}", limit=30).start()
            load.wait_connected()
            if turn % 4 in (1, 2):
                time.sleep(rnd.uniform(0.3, 1.0))  # the random moment of the kill, not a wait for something
                server.kill()
                load.end()
                killed += 1
            else:
                load.finish(120)
                assert not load.broken, load.broken
                audit.run()
                assert server.stop(60) == 0
            if os.environ.get("VERBOSE"):
                print(f"  turn {turn}, {version}: {sum(book.acks.values())} acknowledged so far", flush=True)
            said = checked(versions, data)
        # The last word is the old version's: one can go back.
        for version in ("new", "old"):
            versions.use(version)
            server.start()
            audit.run(whole=True)
            accounts.signed_in(server.port["imap"])
            assert server.stop(60) == 0
        checked(versions, data)
    except BaseException:
        print(f"upgrade: turn {turn} with --seed {options.seed} failed; the log ends with:\n{server.tail()}", flush=True)
        raise
    finally:
        server.kill()
        if not options.keep:
            lib.remove(work)
    acks = ", ".join(f"{v} {k}" for k, v in sorted(book.acks.items()))
    return f"{options.turns} turns, {killed} ended by SIGKILL: 0 lost, 0 doubled, 0 changed of {acks}; {len(accounts.known)} passwords; {said}"


def cloud(options, versions):
    """In the local cloud; see side_by_side.py."""
    import side_by_side
    return side_by_side.run(options, versions)


def carry_out(options, versions, names):
    failed = 0
    for name in names:
        begin = time.monotonic()
        try:
            print(f"upgrade {name}: {globals()[name](options, versions)} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"--- {name}, --seed {options.seed}\n{traceback.format_exc(limit=-6)[-6000:]}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed", flush=True)
    return failed


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--old", help="directory of an earlier version's binaries, or one of them")
    p.add_argument("--turns", type=int, default=6, help="turns on the disk")
    p.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 2)), help="rounds in the cloud")
    p.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    p.add_argument("--keep", action="store_true", help="keep data and logs")
    p.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    p.add_argument("parts", nargs="*", metavar="disk|cloud")
    options = p.parse_args()
    begin, parts = time.monotonic(), options.parts or ["disk", "cloud"]
    if wrong := set(parts) - {"disk", "cloud"}:
        p.error(f"there is no {wrong.pop()}: disk, cloud")
    old = directory(options.old) if options.old else build_base()
    versions = Versions(old, processes.BIN)
    if options.inside:
        return 1 if carry_out(options, versions, ["cloud"]) else 0
    print(f"upgrade: --seed {options.seed}; old {old}, new {processes.BIN}", flush=True)
    failed = carry_out(options, versions, ["disk"]) if "disk" in parts else 0
    if "cloud" in parts:
        versions.use("new")
        failed += beside.the_cloud("upgrade cloud", os.path.abspath(__file__), "--old", old, "--rounds", str(options.rounds), "--seed", str(options.seed), *(["--keep"] if options.keep else []))
    print(f"upgrade: {time.monotonic() - begin:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
