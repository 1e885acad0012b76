#!/usr/bin/env python3
"""`make bench-dav`: Penfold beside Radicale in one run, the same client asking both in turn.

usage: dav.py [--quick] [--sizes N,N,...] [--peer-up-to N] [--repeat N] [--write]
One calendar grows to each size; about a hundred of its events lie in any month. At each size: PUT of new events one by one, a month by
calendar-query with all data, sync-collection of one change, and the first sync. Radicale takes part up to --peer-up-to events (1,000): it needs
minutes for more. --write puts the table into docs/benchmarks.md between its markers for calendars.
"""
import argparse
import concurrent.futures
import datetime
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, ".venv", "bin", "python")
if os.path.exists(VENV) and not sys.prefix.startswith(os.path.join(ROOT, ".venv")):
    os.execv(VENV, [VENV, *sys.argv])
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lib")]
import sides  # noqa: E402
from penfold_dav import Dav, calendar, component  # noqa: E402
from penfold_radicale import Radicale  # noqa: E402
from sides import lib  # noqa: E402

USER = "u0@bench.test"
FIRST = datetime.datetime(2020, 1, 1, 8)
A_MONTH = 100
PUTS, FILLERS = 200, 8
BEGIN, END = "<!-- bench-dav:begin -->", "<!-- bench-dav:end -->"


def event(number, revision=0):
    """About 600 octets; every tenth is a series of five weeks."""
    start = FIRST + datetime.timedelta(minutes=number * 30 * 24 * 60 // A_MONTH)
    more = ["RRULE:FREQ=WEEKLY;COUNT=5"] if number % 10 == 0 else []
    return calendar(component("VEVENT", f"bench-{number}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{start + datetime.timedelta(minutes=30):%Y%m%dT%H%M%SZ}",
                              f"SUMMARY:Meeting {number} revision {revision}", f"LOCATION:Room {number % 7}", "DESCRIPTION:" + "agenda " * 40, *more))


class Side:
    """One server with one calendar, which holds the events 0 to `count`."""

    def __init__(self, name, server, password):
        self.name, self.server, self.password, self.count, self.token = name, server, password, 0, ""
        self.dav = self.client()
        self.path = self.dav.home()["calendars"] + "bench/"
        assert self.dav.ask("MKCALENDAR", self.path).status == 201

    def client(self):
        return Dav("127.0.0.1", self.server.port["http"], USER, self.password, timeout=600)

    def put(self, number, revision=0, dav=None):
        (dav or self.dav).put(f"{self.path}bench-{number}.ics", event(number, revision))

    def one_by_one(self, count):
        """Seconds of each PUT of a new event."""
        taken = []
        for number in range(self.count, self.count + count):
            begin = time.perf_counter()
            self.put(number)
            taken.append(time.perf_counter() - begin)
        self.count += count
        return taken

    def fill(self, size):
        """By several at a time."""
        if size <= self.count:
            return
        def part(first):
            dav = self.client()
            for number in range(first, size, FILLERS):
                self.put(number, dav=dav)
            dav.close()
        with concurrent.futures.ThreadPoolExecutor(FILLERS) as pool:
            list(pool.map(part, range(self.count, self.count + FILLERS)))
        self.count = size

    def first_sync(self):
        found, _, self.token = self.dav.sync(self.path)
        seconds = self.dav.seconds
        found = [path for path in found if path != self.path]
        # A server may cut a long answer short (RFC 6578 §3.6); what is left comes by the token.
        while len(found) < self.count:
            more, _, self.token = self.dav.sync(self.path, self.token)
            seconds += self.dav.seconds
            more = [path for path in more if path != self.path]
            assert more, f"{self.name}: {len(found)} of {self.count} events"
            found += more
        return seconds

    def month(self):
        """One from the middle of what there is."""
        start = FIRST + datetime.timedelta(days=30 * (self.count // A_MONTH // 2))
        end = start + datetime.timedelta(days=30)
        found = self.dav.query(self.path, "VEVENT", f"{start:%Y%m%dT%H%M%SZ}", f"{end:%Y%m%dT%H%M%SZ}")
        seconds = self.dav.seconds
        assert 0.9 * A_MONTH <= len(found) <= 1.6 * A_MONTH, f"{self.name}: {len(found)} in a month"
        return seconds

    def one_change(self, revision):
        self.put(revision * 7 % self.count, revision)
        changed, gone, self.token = self.dav.sync(self.path, self.token)
        seconds = self.dav.seconds
        assert len([path for path in changed if path != self.path]) == 1 and not gone, (changed, gone)
        return seconds


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def measure(running, size, repeat, puts):
    """Rows (what, {side: milliseconds}) of one size; the sides take turns."""
    got, first = {}, {}
    for side in running:
        side.fill(size - puts)
        got["PUT of a new event"] = got.get("PUT of a new event", {}) | {side.name: side.one_by_one(size - side.count)}
        first[side.name] = [side.first_sync()]
    for what, asks in (("a month by calendar-query, with all data", lambda side, i: side.month()), ("sync-collection of one change", lambda side, i: side.one_change(i + 1))):
        got[what] = {side.name: [] for side in running}
        for i in range(repeat):
            for side in running:
                got[what][side.name].append(asks(side, i))
    got["the first sync-collection"] = first
    return [(f"{size:,} events: {what}", {name: 1e3 * statistics.median(taken) for name, taken in by.items()}) for what, by in got.items()]


def table(rows, memory):
    lines = ["| what | Penfold | Radicale | ratio |", "|---|---|---|---|"]
    for what, by in rows:
        ours, theirs = by.get("Penfold"), by.get("Radicale")
        lines.append(f"| {what} | {number(ours) + ' ms' if ours else '-'} | {number(theirs) + ' ms' if theirs else '-'} | {f'{theirs / ours:.1f}x' if ours and theirs else '-'} |")
    lines.append("| memory in the end | " + " | ".join(f"{memory[name]:,.0f} MiB" if name in memory else "-" for name in ("Penfold", "Radicale")) + " | |")
    return "\n".join(lines)


def write(text):
    path = os.path.join(ROOT, "docs", "benchmarks.md")
    with open(path, encoding="utf-8") as f:
        whole = f.read()
    block = f"{BEGIN}\n{text}\n{END}"
    if BEGIN in whole:
        whole = whole[:whole.index(BEGIN)] + block + whole[whole.index(END) + len(END):]
    else:
        whole = whole.rstrip("\n") + f"\n\n## Calendars, beside Radicale\n`make bench-dav` writes this.\n\n{block}\n"
    with open(path, "w", encoding="utf-8") as f:
        f.write(whole)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--quick", action="store_true", help="1,000 events, few repeats")
    args.add_argument("--sizes", default="1000,10000,100000")
    args.add_argument("--peer-up-to", type=int, default=1000)
    args.add_argument("--repeat", type=int, default=15)
    args.add_argument("--only", choices=("penfold", "radicale"), help="one side alone")
    args.add_argument("--write", action="store_true")
    args = args.parse_args()
    sizes, repeat = ([1000], 5) if args.quick else (sorted(map(int, args.sizes.split(","))), args.repeat)
    work, servers, running, rows = lib.scratch("bench-dav"), [], [], []
    try:
        if args.only != "radicale":
            penfold = sides.Penfold(work, [USER])
            servers.append(penfold)
            penfold.start()
            penfold.app_passwords([USER])
            running.append(Side("Penfold", penfold, penfold.secrets[USER]))
        if args.only != "penfold":
            radicale = Radicale(work, [USER], "secret")
            servers.append(radicale)
            radicale.start()
            running.append(Side("Radicale", radicale, "secret"))
        for size in sizes:
            begin = time.monotonic()
            some = [side for side in running if side.name == "Penfold" or size <= args.peer_up_to]
            if some:
                rows += measure(some, size, repeat, min(PUTS, size))
            print(f"[{time.strftime('%H:%M:%S')}] {size:,} events: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        memory = {side.name: lib.memory_kib(side.server.pids() if side.name == "Penfold" else [side.server.pid]) / 1024 for side in running}
    finally:
        for one in servers:
            one.kill()
        lib.remove(work)
    text = table(rows, memory)
    print(text)
    if args.write:
        write(text)


if __name__ == "__main__":
    main()
