#!/usr/bin/env python3
"""Real mail clients against one server.

usage: run.py [--peer HOST:SMTP:SUBMISSION:SUBMISSIONS:IMAP:IMAPS | --radicale] [SUITE | SUITE.test ...]
Without --peer a Penfold of its own is started on free ports. `--peer` tries the tests themselves on another server, on which any user of
bench.test has the password "secret" (tests/bench/peers): what only Penfold must do is then skipped. `--radicale` does that for the suites of calendars and contacts, with a Radicale that it starts.
"""
import argparse
import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, ".venv", "bin", "python")
if os.path.exists(VENV) and not sys.prefix.startswith(os.path.join(ROOT, ".venv")):
    os.execv(VENV, [VENV, *sys.argv])
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lib")]
import penfold_testlib as lib  # noqa: E402
from penfold_radicale import Radicale  # noqa: E402
from target import PASSWORD, Skip, Target  # noqa: E402

SUITES = ("swaks", "curl", "python", "imapclient", "mutt", "getmail", "fetchmail", "setup")
# These ask for nothing but DAV.
DAV = ("litmus", "vdirsyncer", "caldav", "cadaver", "khal", "khard", "davtester")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--peer")
    args.add_argument("--radicale", action="store_true")
    args.add_argument("only", nargs="*")
    args = args.parse_args()
    work = lib.scratch("interop")
    passed, failed, skipped, server, begin = 0, [], 0, None, time.monotonic()
    if args.peer:
        host, *ports = args.peer.split(":")
        target, suites = Target(host, dict(zip(("smtp", "submission", "submissions", "imap", "imaps"), map(int, ports))), work, peer=True), SUITES
    elif args.radicale:
        server = Radicale(work, Target.everybody(), PASSWORD).start()
        target, suites = Target(server.host, server.port, work, peer=True, radicale=server), DAV
    else:
        seed = lib.write_seed(os.path.join(work, "seed.toml"), Target.tenants())
        server = lib.Server(os.path.join(work, "data"), seed).start()
        target, suites = Target("127.0.0.1", server.port, work), SUITES + DAV
    try:
        for suite in suites:
            module = importlib.import_module("suite_" + suite)
            names = [n for n in vars(module) if n.startswith("test_")]
            if args.only:
                names = [n for n in names if suite in args.only or f"{suite}.{n.removeprefix('test_')}" in args.only]
            if not names:
                continue
            at, good, bad, left = time.monotonic(), 0, [], 0
            for name in names:
                try:
                    getattr(module, name)(target.fresh())
                    good += 1
                except Skip:
                    left += 1
                except Exception:
                    bad.append(name)
                    print(f"--- {suite}.{name.removeprefix('test_')}\n{traceback.format_exc()}", flush=True)
                if server and not server.alive():
                    print(f"the server ended; its log:\n{server.tail()}")
                    server.start()
            passed, skipped, failed = passed + good, skipped + left, failed + [f"{suite}.{n.removeprefix('test_')}" for n in bad]
            print(f"interop {suite}: {good} passed, {len(bad)} failed{f', {left} skipped' if left else ''} ({time.monotonic() - at:.1f} s)", flush=True)
        if server and not args.only and not args.radicale:
            server.stop()
            code, text = server.check()
            if code:
                failed.append("penfold check")
                print(f"--- penfold check: exit {code}\n{text}")
            else:
                lib.compare_usage(lib.command(["usage", "--now", "--json", "--data", server.data])[1], text)
                passed += 2
    finally:
        if server:
            server.kill()
            if failed:
                print(f"the server's log ends with:\n{server.tail()}")
        lib.remove(work)
    if failed:
        print("failed: " + " ".join(failed))
    print(f"interop: {time.monotonic() - begin:.1f} s\n{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
