#!/usr/bin/env python3
"""`make bench`: Penfold beside Postfix + Dovecot, in one run on this machine, driven by the same clients, the sides taking turns.

usage: bench.py [SECTION ...] [--repeat N] [--quick] [--connections N] [--no-peers] [--no-write]
Sections: smtp idle folder select start fair memory deep many (default: all). Prints a table and puts it into docs/benchmarks.md between its two markers.
--connections: those of the section `many` (default 20,000, as far as the limit of open files goes); its INBOXes are filled one by one, which takes a while.
"""
import argparse
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import measures  # noqa: E402
from sides import Peers, Penfold, lib  # noqa: E402

SECTIONS = ("smtp", "idle", "folder", "select", "start", "fair", "memory", "deep", "many")
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
rows = []


def person(i):
    return f"u{i}@bench.test"


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def in_turn(sides, repeat, measure):
    """Runs `measure(side)` for each side in turn, `repeat` times; {side name: [value, ...]}."""
    got = {side.name: [] for side in sides}
    for _ in range(repeat):
        for side in sides:
            got[side.name].append(measure(side))
    return got


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def row(what, unit, got, asked="", more_is_better=False):
    """One line of the table from {side name: [numbers]}."""
    middle = {name: statistics.median(values) for name, values in got.items() if values}
    ours, theirs = middle.get("Penfold"), middle.get("Postfix + Dovecot")
    ratio = ""
    if ours is not None and theirs is not None:
        better = (ours / theirs if more_is_better else theirs / ours) if ours and theirs else float("inf")
        ratio = f"{better:.1f}x" if better < 1e6 else "-"
    spread = f" ({number(min(got['Penfold']))} to {number(max(got['Penfold']))})" if len(got.get("Penfold", ())) > 1 else ""
    cells = [what, "-" if ours is None else f"{number(ours)} {unit}{spread}", "-" if theirs is None else f"{number(theirs)} {unit}", ratio, asked]
    rows.append(cells)
    say(" | ".join(cells))


def smtp(sides, work, args):
    for boxes, messages in ((10, 3000), (1, 2000), (100, 3000)):
        people = [person(i) for i in range(boxes)]
        got = {side.name: [] for side in sides}
        for side in sides:
            measures.smtp_rate(side, work, people, 20, len(people) * 20)  # mailboxes exist, connections and code are warm
        for _ in range(args.repeat):
            for side in sides:
                n = messages // (10 if args.quick else 1) // (1 if side.name == "Penfold" else 2)
                got[side.name].append(measures.smtp_rate(side, work, people, 20, n))
        where = f"4 KB mail, 20 sessions, {boxes} mailbox{'es' if boxes > 1 else ''}"
        row(f"{where}: accepted", "/s", {k: [a for a, _ in v] for k, v in got.items()}, "", True)
        row(f"{where}: accepted and visible", "/s", {k: [b for _, b in v] for k, v in got.items()}, "10x" if boxes == 10 else "", True)


def idle(sides, work, args):
    row("IDLE notice after the 250 (median of 40)", "ms", in_turn(sides, args.repeat, lambda s: measures.idle_notice(s, person(0))), "< 5 ms")


def folder(sides, work, args):
    for side in sides:
        say(f"filling a folder of 10,000 on {side.name}")
        side.ensure(person(0), "Bench10000", 10000, 4096, needle_every=1000)
        measures.folder_of_10000(side, person(0), "Bench10000", 20)  # both warm
    got = in_turn(sides, args.repeat, lambda s: measures.folder_of_10000(s, person(0), "Bench10000", 60 if args.quick else 300))
    for key, what, unit, asked, more in (
            ("envelope", "10,000: FETCH UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE", "ms", "2x", False), ("flags", "10,000: FETCH FLAGS", "ms", "1x", False),
            ("select", "10,000: SELECT, new connection", "ms", "1x", False), ("select_again", "10,000: SELECT again", "ms", "< 2 ms", False), ("store", "10,000: STORE 1:1000 +FLAGS.SILENT", "ms", "1x", False),
            ("search", "10,000: SEARCH TEXT", "ms", "3x", False), ("bodies", "10,000: FETCH of all bodies (40 MB)", "ms", "", False), ("append", "durable APPEND of 4 KB, one connection", "/s", "1x", True)):
        row(what, unit, {k: [v[key] for v in values] for k, values in got.items()}, asked, more)


def select(sides, work, args):
    count, both = 10000 if args.quick else 100000, {}
    for side in sides:
        say(f"filling a folder of {count:,} on {side.name}")
        side.ensure(person(1), f"Bench{count}", count, 400)
        got = []
        for _ in range(args.repeat):
            side.stop()
            side.start()
            got.append(measures.select_times(side, person(1), f"Bench{count}"))
        both[side.name] = got
    row(f"{count:,}: SELECT, cached", "ms", {k: [b for _, b in v] for k, v in both.items()}, "< 20 ms")
    row(f"{count:,}: SELECT, evicted (the first after a start)", "ms", {k: [a for a, _ in v] for k, v in both.items()}, "< 150 ms")


def idle_people(n):
    return [f"i{i}@bench.test" for i in range(n)]


def memory_rows(what, got, asked):
    row(f"memory per idle connection, {what}", "KiB", {k: [a for a, _ in v] for k, v in got.items()}, asked)
    row("the whole server with them, caches full", "MiB", {k: [b for _, b in v] for k, v in got.items()})


# Lists that are cached have a budget of their own; what a connection costs beside them shows once that is full.
LITTLE_CACHE = ("--cache", "16")


def memory(sides, work, args):
    count = 100 if args.quick else 1000
    for side in sides:
        if side.name == "Penfold":
            side.server.extra = list(LITTLE_CACHE)
        say(f"{count:,} INBOXes of 200 on {side.name}")
        side.fill_inboxes(idle_people(count), 200)
    for tls in (False, True):
        got = {}
        for side in sides:
            side.stop()
            side.start()
            got[side.name] = [measures.idle_memory(side, idle_people(count), tls)]
        memory_rows(f"{count:,} on as many INBOXes of 200, TLS {'on' if tls else 'off'}", got, "" if tls else "< 20 KiB")


def many_people(work, label, count, messages):
    """Penfold alone: the peers would need a process, half a megabyte and a Maildir of files for each."""
    people = idle_people(count)
    side = Penfold(work, people, label, extra=LITTLE_CACHE, password=None)
    say(f"{count:,} INBOXes of {messages:,}")
    side.start()
    try:
        side.app_passwords(people)
        begin = time.monotonic()
        for i in range(0, count, 2000):
            side.fill_inboxes(people[i:i + 2000], messages)
            say(f"{min(i + 2000, count):,} filled, {time.monotonic() - begin:.0f} s")
        side.server.stop(120)
        side.start()
        memory_rows(f"{count:,} on as many INBOXes of {messages:,}, TLS off", {"Penfold": [measures.idle_memory(side, people)]}, "< 20 KiB")
    finally:
        side.kill()


def deep(sides, work, args):
    many_people(work, "deep", 20 if args.quick else 300, 5000)


def many(sides, work, args):
    if not args.quick:
        many_people(work, "many", measures.most_connections(args.connections), 200)


def start(sides, work, args):
    got = {}
    for side in sides:
        if side.name == "Penfold":
            side = Penfold(work, [person(0), person(1)], "fresh")
            side.start().stop()
        else:
            side.stop()
        got[side.name] = []
        for _ in range(max(3, args.repeat)):
            got[side.name].append(measures.first_greeting(side))
            time.sleep(0.5)
            side.kill()
    row("start to first IMAP greeting", "ms", got, "< 150 ms")


def fair(sides, work, args):
    """Penfold alone: a quiet tenant's mail while another tenant mails to a list of 10,000."""
    members = 1000 if args.quick else 10000
    side = Penfold(work, [person(0)], "fair", [("Loud", ["loud.test"], [(f"m{i}@loud.test", None, f"m{i}") for i in range(members)])])
    say(f"signing up {members:,} people")
    side.start()
    try:
        group = "everybody@loud.test"
        side.command("group", "add", group, "--post", "anyone")
        side.command("group", "member", "add", group, "--from", "-", text="".join(f"m{i}@loud.test\n" for i in range(members)))
        measures.way_times(side, person(0), 50)
        measures.way_times(side, person(0), 20, group)  # the mailboxes exist
        quiet, loud = [], []
        for _ in range(args.repeat):
            quiet.append(measures.way_times(side, person(0), 300))
            loud.append(measures.way_times(side, person(0), 300, group))
        for at, which in ((0, "median"), (1, "99th percentile")):
            row(f"MAIL FROM to the notice at IDLE, one mail every 20 ms, alone: {which}", "ms", {"Penfold": [q[at] for q in quiet]})
            row(f"the same while another tenant mails to {members:,} members again and again: {which}", "ms", {"Penfold": [q[at] for q in loud]}, "at most twice" if at else "")
    finally:
        side.kill()


def table():
    return "\n".join(["| measure | Penfold: median (least to most) | Postfix + Dovecot | better by | asked |", "|---|---|---|---|---|"] + [f"| {' | '.join(cells)} |" for cells in rows])


def write_document(text):
    path = os.path.join(lib.ROOT, "docs", "benchmarks.md")
    old = open(path).read() if os.path.exists(path) else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    if BEGIN not in old:
        old += f"\n{BEGIN}\n{END}\n"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(old[:old.index(BEGIN) + len(BEGIN)] + "\n" + text + "\n" + old[old.index(END):])


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("sections", nargs="*", default=[])
    args.add_argument("--repeat", type=int, default=5)
    args.add_argument("--connections", type=int, default=20000)
    for flag in ("--quick", "--no-peers", "--no-penfold", "--no-write"):
        args.add_argument(flag, action="store_true")
    args = args.parse_args()
    sections = args.sections or SECTIONS
    measures.most_connections(0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    work = lib.scratch("bench")
    sides, load = [], os.getloadavg()[0]
    try:
        if not args.no_penfold:
            people = [person(i) for i in range(100)] + (idle_people(100 if args.quick else 1000) if "memory" in sections else [])
            say(f"signing up {len(people)} people")
            sides.append(Penfold(work, people).start())
        if not args.no_peers:
            sides.append(Peers(work).start())
        for name in SECTIONS:
            if name in sections:
                try:
                    globals()[name](sides, work, args)
                except Exception as e:
                    rows.append([f"{name}: FAILED, {e}"[:300], "-", "-", "", ""])
                    say(rows[-1][0])
                    for side in sides:
                        side.stop()
                        side.start()
        rate = measures.disk_rate(work)
    finally:
        for side in sides:
            side.kill()
        if os.environ.get("KEEP"):
            say(f"kept {work}")
        else:
            subprocess.run(["rm", "-rf", work])
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    text = (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({cpu}), load before {load:.1f}; client and servers share the machine. One durable 4 KB append after the other: {rate:.0f}/s.\n"
            f"Medians of {args.repeat}, the sides in turn.\n\n{table()}")
    print(text)
    if not args.no_write and not args.quick:
        write_document(text)
    return 1 if any("FAILED" in r[0] for r in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
