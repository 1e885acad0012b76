#!/usr/bin/env python3
"""Calendars and contacts on the local cloud: how clients set themselves up, and one connection that puts, queries, synchronises and finds what is private.

usage: localstack/with-aws python3 tests/cloud/dav.py     DAV is served by the HTTP edge there, over DynamoDB and S3.
"""
import glob
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv", "bin", "python")
if os.path.exists(VENV) and not sys.prefix.startswith(os.path.join(ROOT, ".venv")):
    os.execv(VENV, [VENV, *sys.argv])
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(ROOT, "tests", "dav"), os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "localstack")]
import penfold_testlib as lib  # noqa: E402
import processes  # noqa: E402
from dialogs import Dialog  # noqa: E402
from penfold_dav import Dav, event  # noqa: E402
from place import PASSWORD, PEOPLE, run  # noqa: E402


class CloudPlace:
    """What the scripts of tests/dav ask of a place."""
    radicale = False

    def __init__(self):
        self.work, self.given = lib.scratch("cloud-dav"), 0
        seed = lib.write_seed(os.path.join(self.work, "seed.toml"), [("Dav", ["dav.test"], [(one, PASSWORD, f"Person {one.split('@')[0]}") for one in PEOPLE])])
        self.server = processes.Service(self.work, seed=seed)
        self.server.alive = lambda: all(edge.alive() for edge in self.server.edges)
        self.server.tail = lambda: self.server.http[0].tail()
        self.host, self.port = "127.0.0.1", processes.LISTENERS["http"]["http"]
        self.server.start()
        lib.wait_until(lambda: self.client(PEOPLE[-1]).propfind("/dav/", "d:current-user-principal", depth=0), what="people of the seed")

    def person(self):
        self.given += 1
        return PEOPLE[self.given - 1]

    def client(self, user=None, **more):
        return Dav(self.host, self.port, user, PASSWORD if user else None, **more)

    def finish(self, failed):
        failed += self.server.stop()
        if failed:
            print(self.server.tail())
        lib.remove(self.work)


def follows(place):
    """What is put is found by time and by the log, replaced and gone."""
    dav = place.client(place.person())
    calendar = dav.collection("VEVENT")
    token = dav.sync(calendar)[2]
    for n in range(30):
        dav.put(f"{calendar}{n}.ics", event(f"e{n}", f"Event {n}"))
    # More than fits into a row.
    dav.put(calendar + "large.ics", event("large", "x" * 50_000))
    dav.delete(calendar + "3.ics")
    changed, gone, token = dav.sync(calendar, token)
    assert len([path for path in changed if path != calendar]) == 30, changed
    assert "x" * 500 in dav.get(calendar + "large.ics").text.replace("\r\n ", "")
    dav.put(calendar + "large.ics", event("large", "small"))
    changed, gone, _ = dav.sync(calendar, token)
    assert [path for path in changed if path != calendar] == [calendar + "large.ics"] and not gone


def main():
    place = CloudPlace()
    files = sorted(glob.glob(os.path.join(ROOT, "tests", "dav", "setup", "*.txt")))
    tests = [(os.path.basename(path), lambda path=path: Dialog(path, place).play()) for path in files]
    return run("cloud dav", [*tests, ("follows", lambda: follows(place))], place)


if __name__ == "__main__":
    sys.exit(main())
