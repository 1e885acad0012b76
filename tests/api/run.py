#!/usr/bin/env python3
"""The REST API from outside.

usage: run.py [SUITE | SUITE.test ...]
Every suite starts a server of its own, with a name server beside it. $API_EXAMPLES: requests for each operation in `conformance` (more for a soak). $API_TIMES: seconds of each test.
"""
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
from world import World  # noqa: E402

SUITES = ("signup", "account", "directory", "life", "requests", "folders", "transfers", "calendars", "subscriptions", "matrix", "examples", "conformance")


def run(suite, only):
    """(how many passed, the names of those that failed)"""
    module = importlib.import_module(f"suite_{suite}")
    tests = [(name.removeprefix("test_"), test) for name, test in vars(module).items() if name.startswith("test_")]
    tests = [(name, test) for name, test in tests if not only or suite in only or f"{suite}.{name}" in only]
    if not tests:
        return 0, []
    begin, passed, failed, world = time.monotonic(), 0, [], World(f"api-{suite}")
    try:
        for name, test in tests:
            at = time.monotonic()
            try:
                test(world)
                passed += 1
            except Exception:
                failed.append(f"{suite}.{name}")
                print(f"--- {suite}.{name}\n{traceback.format_exc()}", flush=True)
            if os.environ.get("API_TIMES"):
                print(f"api {suite}.{name}: {time.monotonic() - at:.1f} s", flush=True)
            if not world.server.alive():
                failed.append(f"{suite}: the server ended")
                break
        if not failed and not only:
            # What all this left behind is whole.
            world.server.stop(60)
            code, text = world.server.check()
            passed, failed = (passed + 1, []) if code == 0 else (passed, [f"{suite}: penfold check"])
            print(f"--- penfold check: exit {code}\n{text}" if code else "", end="")
        if failed:
            print(f"the server's log ends with:\n{world.server.tail()}")
    finally:
        world.close()
    print(f"api {suite}: {passed} passed, {len(failed)} failed ({time.monotonic() - begin:.1f} s)", flush=True)
    return passed, failed


def main():
    begin, only = time.monotonic(), sys.argv[1:]
    unknown = [name for name in only if name.split(".")[0] not in SUITES]
    if unknown:
        sys.exit(f"there is no suite {' '.join(unknown)}; there are {' '.join(SUITES)}")
    results = [run(suite, only) for suite in SUITES]
    passed, failed = sum(good for good, _ in results), [name for _, bad in results for name in bad]
    if failed:
        print("failed: " + " ".join(failed))
    print(f"api: {time.monotonic() - begin:.1f} s\n{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
