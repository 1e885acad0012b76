"""What the scripts of this folder have in common: a server of their own, people on it, and how a script reports."""
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
from penfold_dav import Dav  # noqa: E402
from penfold_radicale import Radicale  # noqa: E402

PASSWORD = "secret"
PEOPLE = [f"p{i}@dav.test" for i in range(40)]


class Place:
    """Penfold, or Radicale where the command line asks for it: to try a script on another server."""

    def __init__(self, name, radicale=False):
        self.work, self.radicale, self.given = lib.scratch(name), radicale, 0
        if radicale:
            self.server = Radicale(self.work, PEOPLE, PASSWORD)
        else:
            seed = lib.write_seed(os.path.join(self.work, "seed.toml"), self.seed())
            self.server = lib.Server(os.path.join(self.work, "data"), seed)
        self.host, self.port = "127.0.0.1", self.server.port["http"]
        self.server.start()

    def seed(self):
        """Who is there from the start."""
        return [("Dav", ["dav.test"], [(one, PASSWORD, f"Person {one.split('@')[0]}") for one in PEOPLE])]

    def person(self):
        """The address of somebody whom nothing else has used."""
        self.given += 1
        if self.radicale:
            self.server.settle(PEOPLE[self.given - 1])
        return PEOPLE[self.given - 1]

    def client(self, user=None, **more):
        return Dav(self.host, self.port, user, PASSWORD if user else None, **more)

    def finish(self, failed):
        """Stops the server; what it kept is whole."""
        try:
            if not self.server.alive():
                failed.append("the server ended")
            elif not self.radicale and not failed:
                self.server.stop(60)
                code, text = self.server.check()
                if code:
                    failed.append(f"penfold check: exit {code}\n{text}")
            if failed:
                print(f"the server's log ends with:\n{self.server.tail()}")
        finally:
            self.server.kill()
            lib.remove(self.work)


def run(name, tests, place):
    """`tests`: [(name, callable)]. Prints what failed and the seconds; the exit code."""
    begin, failed = time.monotonic(), []
    for label, test in tests:
        try:
            test()
        except Exception:
            failed.append(label)
            print(f"--- {label}\n{traceback.format_exc()}", flush=True)
            if not place.server.alive():
                print(f"the server ended; its log:\n{place.server.tail()}")
                place.server.start()
    bad = list(failed)
    place.finish(bad)
    if bad:
        print("failed: " + "\n".join(bad))
    print(f"{name}: {len(tests) - len(failed)} passed, {len(bad)} failed ({time.monotonic() - begin:.1f} s)")
    return 1 if bad or not tests else 0
