#!/usr/bin/env python3
"""A calendar of many events: filled by PUT over several connections, then listed, asked for a month and synchronised. Prints seconds, and the
server's memory before and after each; asserts only that nothing is left out.

usage: large.py [--events N] [--connections N]
"""
import argparse
import concurrent.futures
import datetime
import sys
import time

from place import Place
from penfold_dav import event

FIRST = datetime.datetime(2020, 1, 1, 8)
A_MONTH = 100


def resident(pid):
    """MiB now, and the most there ever was."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        found = dict(line.split(":", 1) for line in f)
    return tuple(int(found[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def start_of(number):
    return FIRST + datetime.timedelta(minutes=number * 30 * 24 * 60 // A_MONTH)


def text_of(number):
    start = start_of(number)
    return event(f"large-{number}", f"Meeting {number}", f"{start:%Y%m%dT%H%M%SZ}", f"{start + datetime.timedelta(minutes=30):%Y%m%dT%H%M%SZ}", "DESCRIPTION:" + "agenda " * 40)


def fill(place, user, path, events, connections):
    def part(first):
        dav = place.client(user)
        for number in range(first, events, connections):
            dav.put(f"{path}large-{number}.ics", text_of(number), 201)
        dav.close()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        list(pool.map(part, range(connections)))


def sync(dav, path):
    """From nothing, in as many pieces as the server makes of it."""
    names, token, pieces = set(), "", 0
    while True:
        found, _, token = dav.sync(path, token)
        pieces += 1
        fresh = set(found) - {path} - names
        names |= fresh
        if not fresh:
            return names, pieces


def measured(place, what, act):
    before, at = resident(place.server.pid)[0], time.perf_counter()
    got = act()
    seconds, (after, most) = time.perf_counter() - at, resident(place.server.pid)
    print(f"{what:32} {seconds:7.2f} s   {before:6.0f} -> {after:4.0f} MiB resident, at most {most:4.0f} so far", flush=True)
    return got


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--events", type=int, default=20_000)
    args.add_argument("--connections", type=int, default=8)
    args = args.parse_args()
    place, failed = Place("large"), ["it was not finished"]
    try:
        user = place.person()
        dav = place.client(user, timeout=600)
        path, month = dav.collection("VEVENT"), args.events // A_MONTH // 2
        start, end = (start_of(A_MONTH * n) for n in (month, month + 1))
        measured(place, f"{args.events} PUT by {args.connections}", lambda: fill(place, user, path, args.events, args.connections))
        every = {f"{path}large-{number}.ics" for number in range(args.events)}
        for again in ("", " again"):
            listed = measured(place, "PROPFIND Depth 1" + again, lambda: dav.propfind(path, "d:getetag", depth=1))
            assert set(listed) - {path} == every, f"PROPFIND lists {len(listed)}"
            # Half an hour each, none across midnight of the first: what begins in the month is what lies in it.
            found = measured(place, "a month with all data" + again, lambda: dav.query(path, "VEVENT", f"{start:%Y%m%dT%H%M%SZ}", f"{end:%Y%m%dT%H%M%SZ}"))
            assert len(found) == A_MONTH and set(found) <= every, f"{len(found)} in a month"
            names, pieces = measured(place, "sync from nothing" + again, lambda: sync(dav, path))
            assert names == every, f"sync-collection tells of {len(names)} in {pieces} pieces"
        failed = []
    finally:
        place.finish(failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
