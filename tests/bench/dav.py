#!/usr/bin/env python3
"""`make bench-dav`: Penfold beside Radicale in one run, the same client asking both in turn; then Penfold over DynamoDB and S3 of a local cloud.

usage: dav.py [--quick] [--sizes N,N,...] [--peer-up-to N] [--cloud-up-to N] [--repeat N] [--write]
One calendar grows to each size; about a hundred of its events lie in any month. At each size: PUT of new events one by one, a month by
calendar-query with all data, sync-collection of one change, and the first sync. Radicale takes part up to --peer-up-to events (1,000): it needs
minutes for more; the local cloud up to --cloud-up-to (10,000). Requests and request units are those of /metrics. --write puts the tables into docs/benchmarks.md between its markers for calendars.
"""
import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import re
import statistics
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, ".venv", "bin", "python")
if os.path.exists(VENV) and not sys.prefix.startswith(os.path.join(ROOT, ".venv")):
    os.execv(VENV, [VENV, *sys.argv])
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lib")]
import engines  # noqa: E402
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

    def __init__(self, name, server, password, metered=True):
        self.name, self.server, self.password, self.count, self.token = name, server, password, 0, ""
        self.metered, self.spent = metered, collections.Counter()
        self.dav = self.client()
        self.path = self.dav.home()["calendars"] + "bench/"
        assert self.dav.ask("MKCALENDAR", self.path).status == 201

    def client(self):
        return Dav("127.0.0.1", self.server.port["http"], USER, self.password, timeout=600)

    def put(self, number, revision=0, dav=None):
        (dav or self.dav).put(f"{self.path}bench-{number}.ics", event(number, revision))

    def meter(self):
        """Requests to the store, and units of each kind, since the start."""
        if not self.metered:
            return collections.Counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port['http']}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        out = collections.Counter()
        for kind, value in re.findall(r'^penfold_units_total\{.*kind="(\w+)"\} (\d+)', text, re.M):
            out[kind] += int(value)
        out["requests"] = sum(map(int, re.findall(r"^penfold_port_requests_total\{.*\} (\d+)", text, re.M)))
        return out

    def asked(self, ask):
        """What `ask` gives back; `spent` is what it cost."""
        before = self.meter()
        answer = ask()
        self.spent = self.meter() - before
        return answer

    def one_by_one(self, count):
        """Seconds of each PUT of a new event."""
        return self.asked(lambda: self._one_by_one(count))

    def _one_by_one(self, count):
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
        return self.asked(self._first_sync)

    def _first_sync(self):
        found, _, self.token = self.dav.sync(self.path)
        seconds = self.dav.seconds
        found = [path for path in found if path != self.path]
        # A server may cut a long answer short (RFC 6578 §3.6); what is left comes by the token.
        while self.dav.cut or len(found) < self.count:
            more, _, self.token = self.dav.sync(self.path, self.token)
            seconds += self.dav.seconds
            more = [path for path in more if path != self.path]
            assert more or self.dav.cut or len(found) == self.count, f"{self.name}: {len(found)} of {self.count} events"
            found += more
        return seconds

    def month(self):
        """One from the middle of what there is."""
        start = FIRST + datetime.timedelta(days=30 * (self.count // A_MONTH // 2))
        end = start + datetime.timedelta(days=30)
        found = self.asked(lambda: self.dav.query(self.path, "VEVENT", f"{start:%Y%m%dT%H%M%SZ}", f"{end:%Y%m%dT%H%M%SZ}"))
        seconds = self.dav.seconds
        assert 0.9 * A_MONTH <= len(found) <= 1.6 * A_MONTH, f"{self.name}: {len(found)} in a month"
        return seconds

    def one_change(self, revision):
        self.put(revision * 7 % self.count, revision)
        changed, gone, self.token = self.asked(lambda: self.dav.sync(self.path, self.token))
        seconds = self.dav.seconds
        assert len([path for path in changed if path != self.path]) == 1 and not gone, (changed, gone)
        return seconds


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def measure(running, size, repeat, puts):
    """Rows {"what", "ms": {side: median}, "units": {side: {kind: of one}}} of one size; the sides take turns."""
    got, spent = collections.defaultdict(lambda: collections.defaultdict(list)), collections.defaultdict(lambda: collections.defaultdict(list))

    def note(what, side, seconds):
        got[what][side.name] += seconds
        if side.metered:
            spent[what][side.name].append({kind: n / len(seconds) for kind, n in side.spent.items()})
    for side in running:
        side.fill(size - puts)
        note("PUT of a new event", side, side.one_by_one(size - side.count))
    for side in running:
        note("the first sync-collection", side, [side.first_sync()])
    for what, asks in (("a month by calendar-query, with all data", lambda side, i: side.month()), ("sync-collection of one change", lambda side, i: side.one_change(i + 1))):
        for i in range(repeat):
            for side in running:
                note(what, side, [asks(side, i)])
    order = ("PUT of a new event", "a month by calendar-query, with all data", "sync-collection of one change", "the first sync-collection")
    return [{"what": f"{size:,} events: {what}", "ms": {name: 1e3 * statistics.median(taken) for name, taken in got[what].items()},
             "units": {name: middle(each) for name, each in spent[what].items()}} for what in order]


def middle(each):
    """The median of each kind of unit."""
    kinds = {kind for one in each for kind in one}
    return {kind: statistics.median(one.get(kind, 0) for one in each) for kind in kinds}


def table(rows, memory):
    lines = ["| what | Penfold | Radicale | ratio |", "|---|---|---|---|"]
    for row in rows:
        ours, theirs = row["ms"].get("Penfold"), row["ms"].get("Radicale")
        lines.append(f"| {row['what']} | {number(ours) + ' ms' if ours else '-'} | {number(theirs) + ' ms' if theirs else '-'} | {f'{theirs / ours:.1f}x' if ours and theirs else '-'} |")
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
        whole = whole.rstrip("\n") + f"\n\n## Calendars, beside Radicale and on both engines\n`make bench-dav` writes this.\n\n{block}\n"
    with open(path, "w", encoding="utf-8") as f:
        f.write(whole)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--quick", action="store_true", help="1,000 events, few repeats")
    args.add_argument("--sizes", default="1000,10000,100000")
    args.add_argument("--peer-up-to", type=int, default=1000)
    args.add_argument("--cloud-up-to", type=int, default=10_000)
    args.add_argument("--inside", metavar="FILE", help="in the local cloud, as `localstack/with-aws` runs it: rows go to this file")
    args.add_argument("--repeat", type=int, default=15)
    args.add_argument("--only", choices=("penfold", "radicale", "cloud"), help="one side alone")
    args.add_argument("--write", action="store_true")
    args = args.parse_args()
    sizes, repeat = ([1000], 5) if args.quick else (sorted(map(int, args.sizes.split(","))), args.repeat)
    if args.inside:
        with engines.Cloud(USER) as cloud:
            rows = grow([Side(engines.CLOUD, cloud, cloud.password)], sizes, repeat, 0)
        with open(args.inside, "w", encoding="utf-8") as f:
            json.dump(rows, f)
        return
    rows, text = [], []
    around = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}; clients and servers share the machine. Medians of {repeat} (PUT: of {PUTS}), but one first sync at each size."
    if args.only != "cloud":
        rows, memory = beside(args.only, sizes, repeat, args.peer_up_to)
        text.append(f"{around}\n\n{table(rows, memory)}")
        print(text[0], flush=True)
    if args.only in (None, "cloud"):
        inside = engines.measured([size for size in sizes if size <= args.cloud_up_to], repeat)
        if inside:
            text.append(engines.table(rows, inside))
            print("\n" + text[-1])
    if args.write and args.only is None:
        write("\n\n".join(text))


def grow(running, sizes, repeat, peer_up_to):
    rows = []
    for size in sizes:
        begin = time.monotonic()
        some = [side for side in running if side.metered or size <= peer_up_to]
        if some:
            rows += measure(some, size, repeat, min(PUTS, size))
        print(f"[{time.strftime('%H:%M:%S')}] {size:,} events: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return rows


def beside(only, sizes, repeat, peer_up_to):
    """(rows, {side: MiB in the end}) of the embedded store and the peer."""
    work, servers, running = lib.scratch("bench-dav"), [], []
    try:
        if only != "radicale":
            penfold = sides.Penfold(work, [USER])
            servers.append(penfold)
            penfold.start()
            penfold.app_passwords([USER])
            running.append(Side("Penfold", penfold, penfold.secrets[USER]))
        if only != "penfold":
            radicale = Radicale(work, [USER], "secret")
            servers.append(radicale)
            radicale.start()
            running.append(Side("Radicale", radicale, "secret", metered=False))
        rows = grow(running, sizes, repeat, peer_up_to)
        return rows, {side.name: lib.memory_kib(side.server.pids() if side.metered else [side.server.pid]) / 1024 for side in running}
    finally:
        for one in servers:
            one.kill()
        lib.remove(work)


if __name__ == "__main__":
    main()
