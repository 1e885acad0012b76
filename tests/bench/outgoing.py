#!/usr/bin/env python3
"""`make bench-sending`: mail out of Penfold beside Postfix, in one run, in a private network with a name server and a thousand destinations.

usage: outgoing.py [queue] [list] [--messages N] [--destinations N] [--members N] [--repeat N] [--only SIDE] [--cache MIB] [--no-write]
  queue  messages to destinations of which a third are dead (connection refused, packets lost, no banner, always 451), and the same without the dead
  list   one message to a list whose members are all elsewhere
Prints a table and puts it into docs/benchmarks.md between its two markers. Times are told, never asserted; that every live recipient got exactly one
copy, that the dead ones and nothing else are left in the queue, and that `penfold check` finds nothing, is asserted. Needs root.
"""
import argparse
import collections
import email.utils
import json
import multiprocessing
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
from abroad import LIST, PEOPLE, Memory, Penfold, Postfix, destinations, inside, lib  # noqa: E402
from measures import disk_rate  # noqa: E402
from sides import WORDS  # noqa: E402

SIDES = (Penfold, Postfix)
BEGIN, END = "<!-- outgoing:begin -->", "<!-- outgoing:end -->"
SIZE = 5000


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def message(number, sender, to):
    """About 5 KB, with the fields that a mail program writes."""
    rnd = random.Random(number)
    ids = [f"<{rnd.getrandbits(96):024x}@ours.test>" for _ in range(6)]
    fold = "\r\n "

    def words(count):
        return " ".join(rnd.choice(WORDS) for _ in range(count))
    head = (f"Message-ID: {ids[0]}\r\nDate: {email.utils.formatdate()}\r\nMIME-Version: 1.0\r\nUser-Agent: Mozilla Thunderbird\r\nContent-Language: en-US\r\nSubject: Re: {words(6)}\r\n"
            f"To: \"{words(2).title()}\" <{to}>\r\nReferences: {fold.join(ids[1:])}\r\nIn-Reply-To: {ids[-1]}\r\nFrom: Ann Example <{sender}>\r\n"
            f"Organization: Ours\r\nAutocrypt: addr={sender}; keydata=\r\n" + "".join(f" {rnd.getrandbits(288):072x}\r\n" for _ in range(6)) +
            f"Content-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\nX-Number: {number}\r\n\r\n")
    lines, length = [head], len(head)
    while length < SIZE:
        lines.append(words(9) + "\r\n")
        length += len(lines[-1])
    return "".join(lines).encode()


def hand_in(side, mails):
    """{number: when it was accepted} and (first command, last 250) of the mails [(number, recipient)], each person over a connection and in a process of their own."""
    context = multiprocessing.get_context("fork")
    ready, go = context.Barrier(len(PEOPLE) + 1), context.Event()

    def work(person, part, pipe):
        smtp = lib.Smtp(*side.address, tls=True, timeout=600)
        side.sign_in(smtp, person)
        built, out = [(number, to, message(number, person, to)) for number, to in part], []
        ready.wait()
        go.wait()
        begin = time.time()
        try:
            for number, to, data in built:
                smtp.send(person, [to], data)
                out.append((number, time.time()))
        except Exception as e:
            out = f"{to}: {e!r}"
        pipe.send((begin, out))
        pipe.close()
        os._exit(0)
    pipes = []
    for k, person in enumerate(PEOPLE):
        mine, theirs = context.Pipe(duplex=False)
        context.Process(target=work, args=(person, mails[k::len(PEOPLE)], theirs), daemon=True).start()
        theirs.close()
        pipes.append(mine)
    ready.wait(120)
    go.set()
    got = [pipe.recv() for pipe in pipes]
    for _, out in got:
        assert not isinstance(out, str), f"{side.name} did not take {out}"
    accepted = {number: at for _, out in got for number, at in out}
    return accepted, min(begin for begin, _ in got), max(accepted.values())


def arrive(abroad, want, limit):
    """Waits until live hosts have `want` copies; gives back what came by then."""
    end, came = time.monotonic() + limit, 0
    while came < want and time.monotonic() < end:
        time.sleep(0.5)
        came += abroad.more()
    return list(abroad.copies())


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def queue_once(abroad, kind, label, args, dead):
    """One side, once, with or without the dead: what was measured."""
    abroad.clear()
    side = kind(abroad, label)
    to = destinations(args.destinations, dead)
    each = max(1, args.messages // args.destinations)
    mails = [f"u{k}@{one.domain}" for one in to for k in range(each)]
    random.Random(7).shuffle(mails)
    live = {one.domain for one in to if one.live}
    mails = list(enumerate(mails))
    wanted = {number: recipient for number, recipient in mails if recipient.split("@")[1] in live}
    memory = None
    try:
        side.pids()
        memory = Memory(side)
        accepted, begin, end = hand_in(side, mails)
        copies = arrive(abroad, len(wanted), args.limit)
        last = max((when for _, _, when in copies), default=end)
        say(f"{side.name}, {label}: accepted in {end - begin:.1f} s, {len(copies)} of {len(wanted)} live ones by {last - begin:.1f} s")
        if dead and args.linger:
            # The dead are tried again meanwhile.
            time.sleep(max(0, begin + args.linger - time.time()))
        memory.stop()
        say(f"{side.name}, {label}: memory every 30 s, MiB: {' '.join(f'{kib / 1024:.0f}' for _, kib in memory.samples[::30])}")
        check_copies(side, copies, wanted)
        left = settled_queue(side, [recipient for number, recipient in mails if number not in wanted])
        delays = [max(0.0, when - accepted[int(number)]) for number, _, when in copies]
        side.finish()
        return {"accepted": len(mails) / (end - begin), "last": last - begin, "median": quantile(delays, 0.5), "p99": quantile(delays, 0.99), "most": max(delays), "peak": memory.most(),
                "early": memory.at(begin + (last - begin) * 0.1), "middle": memory.at(last), "end": memory.samples[-1][1] / 1024, "span": memory.samples[-1][0] - begin, "live": len(wanted), "left": left}
    except Exception:
        say(side.tail())
        raise
    finally:
        if memory:
            memory.stop()
        side.kill()
        shutil.rmtree(side.data if kind is Penfold else side.place, ignore_errors=True)


def check_copies(side, copies, wanted):
    """Each exactly once, where it belongs."""
    count = collections.Counter((number, to) for number, to, _ in copies)
    want = {(str(number), to) for number, to in wanted.items()}
    lost, twice = want - set(count), [key for key, n in count.items() if n > 1]
    assert not lost, f"{side.name}: {len(lost)} of {len(want)} live recipients got nothing, such as {sorted(lost)[:3]}"
    assert not twice and not set(count) - want, f"{side.name}: twice {twice[:3]}, or nobody's {sorted(set(count) - want)[:3]}"


def settled_queue(side, dead):
    """What is left is what goes to the dead; how many that is."""
    want, end = collections.Counter(dead), time.monotonic() + 60
    while (left := side.left()) != want:
        assert time.monotonic() < end, f"the queue of {side.name} holds {sum(left.values())} messages, of which {sum((left - want).values())} should not be there; {sum((want - left).values())} are missing"
        time.sleep(1)
    return sum(left.values())


def queue(abroad, args):
    got = {(kind.name, dead): [] for kind in args.sides for dead in (True, False)}
    for turn in range(args.repeat):
        for dead in (True,) if args.no_live else (False, True):
            for kind in args.sides:
                got[kind.name, dead].append(queue_once(abroad, kind, f"{'dead' if dead else 'live'}-{turn}", args, dead))

    def middle(kind, dead, key):
        return statistics.median(one[key] for one in got[kind.name, dead]) if got[kind.name, dead] else None
    some = got[args.sides[0].name, True][0]
    rows = [f"{args.messages:,} messages of 5 KB to {args.destinations:,} destinations, of which {args.destinations - some['live'] * args.destinations // args.messages:,} are dead"]

    def row(what, show, unit):
        cells = [tuple(show(kind, dead) for dead in (False, True)) for kind in args.sides]
        text = [f"{number(a)} | {number(b)}" for a, b in cells]
        rows.append(f"| {what}, {unit} | {' | '.join(text)} |")
    row("accepted", lambda k, d: middle(k, d, "accepted"), "a second")
    row("from the first MAIL FROM to the last live one's arrival", lambda k, d: middle(k, d, "last"), "s")
    row("from `250` to the arrival of a live one: median", lambda k, d: middle(k, d, "median"), "s")
    row("the same: 99 of 100", lambda k, d: middle(k, d, "p99"), "s")
    row("the same: the last", lambda k, d: middle(k, d, "most"), "s")
    row("memory (PSS) when a tenth of that time was over", lambda k, d: middle(k, d, "early"), "MiB")
    row("memory when the last live one arrived", lambda k, d: middle(k, d, "middle"), "MiB")
    row(f"memory {args.linger} s after the first MAIL FROM, the dead being tried again", lambda k, d: middle(k, d, "end") if d else None, "MiB")
    row("memory at most", lambda k, d: middle(k, d, "peak"), "MiB")
    row("left in the queue, all to dead ones", lambda k, d: middle(k, d, "left"), "messages")
    if args.no_live:
        return [*rows, ""]
    slower = " and ".join(f"{middle(kind, True, 'last') / middle(kind, False, 'last'):.2f} times for {kind.name}" for kind in args.sides)
    later = " and ".join(f"{middle(kind, True, 'p99') / max(0.001, middle(kind, False, 'p99')):.2f} times for {kind.name}" for kind in args.sides)
    rows.append(f"The dead third makes the last live one's arrival {slower} as late (a half more messages are accepted meanwhile: 1.5 times is what that alone would be), and the 99th percentile of delays {later} as long.")
    return rows


def list_once(abroad, kind, label, args):
    abroad.clear()
    side = kind(abroad, label)
    to = destinations(args.destinations * 3 // 2 + 2, False)[:args.destinations]
    rnd = random.Random(11)
    # Local parts as people have them: members of one destination do not stand together.
    members = [f"{rnd.choice(WORDS)}.{rnd.choice(WORDS)}{n}@{to[n % len(to)].domain}" for n in range(args.members)]
    memory = None
    try:
        made = side.make_list(members)
        say(f"{side.name}: a list of {len(members):,} was made in {made:.1f} s")
        memory = Memory(side)
        _, begin, end = hand_in_one(side)
        copies = arrive(abroad, len(members), args.limit)
        last = max((when for _, _, when in copies), default=end)
        memory.stop()
        transactions = len(abroad.seen)
        say(f"{side.name}: {len(copies):,} copies in {transactions:,} transactions by {last - begin:.1f} s")
        count = collections.Counter(member for _, member, _ in copies)
        lost, twice = set(members) - set(count), [member for member, n in count.items() if n > 1]
        assert not lost and not twice and len(count) == len(members), f"{side.name}: {len(lost)} members got nothing, {len(twice)} more than one, of {len(members)}"
        settled_queue(side, [])
        side.finish()
        return {"made": made, "last": last - begin, "first": min(when for _, _, when in copies) - begin, "rate": len(members) / (last - begin), "before": memory.samples[0][1] / 1024, "peak": memory.most(),
                "early": memory.at(begin + (last - begin) * 0.1), "end": memory.at(last), "transactions": transactions}
    except Exception:
        say(side.tail())
        raise
    finally:
        if memory:
            memory.stop()
        side.kill()
        shutil.rmtree(side.data if kind is Penfold else side.place, ignore_errors=True)


def hand_in_one(side):
    smtp = lib.Smtp(*side.address, tls=True, timeout=600)
    side.sign_in(smtp, PEOPLE[0])
    begin = time.time()
    smtp.send(PEOPLE[0], [LIST], message(0, PEOPLE[0], LIST))
    end = time.time()
    smtp.close()
    return {0: end}, begin, end


def mailing(abroad, args):
    got = {kind.name: [] for kind in args.sides}
    for turn in range(args.repeat):
        for kind in args.sides:
            got[kind.name].append(list_once(abroad, kind, f"list-{turn}", args))
    rows = [f"One message of 5 KB to a list of {args.members:,} members at {args.destinations:,} destinations"]
    for key, what in (("last", "from MAIL FROM to the last member's copy, s"), ("rate", "members a second"), ("first", "the first member's copy, s"), ("transactions", "transactions with the members' hosts"),
                      ("before", "memory (PSS) before, MiB"), ("early", "memory when a tenth of the time was over, MiB"), ("end", "memory at the last copy, MiB"), ("peak", "memory at most, MiB"),
                      ("made", "making the list, s")):
        rows.append(f"| {what} | " + " | ".join(number(statistics.median(one[key] for one in got[kind.name])) for kind in args.sides) + " |")
    return rows


def number(x):
    if x is not None and x == int(x):
        return f"{int(x):,}"
    return "" if x is None else f"{x:,.0f}" if x >= 100 or x == 0 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def document(args, load, disk, found):
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    out = [f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({cpu}), load before {load:.1f}; client, name server, hosts and both sides share the machine. One durable 4 KB append after the other: {disk:.0f}/s. "
           f"Medians of {args.repeat}, the sides in turn."]
    if "queue" in found:
        title, *rows = found["queue"]
        heads = [f"{kind.name}, without the dead | with them" for kind in args.sides]
        out += ["", f"{title}:", "", f"| | {' | '.join(heads)} |", "|---|" + "---|---|" * len(heads), *rows[:-1], "", rows[-1]]
    if "list" in found:
        title, *rows = found["list"]
        out += ["", f"{title}:", "", "| | Penfold | Postfix |", "|---|---|---|", *rows]
    return "\n".join(out)


def write_document(text):
    path = os.path.join(lib.ROOT, "docs", "benchmarks.md")
    with open(path) as f:
        old = f.read()
    assert BEGIN in old, f"{path} has no {BEGIN}"
    with open(path, "w") as f:
        f.write(old[:old.index(BEGIN) + len(BEGIN)] + "\n" + text + "\n" + old[old.index(END):])


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("sections", nargs="*", choices=[[], "queue", "list"])
    for name, value in (("messages", 10000), ("destinations", 1000), ("members", 100000), ("repeat", 1), ("limit", 1200), ("linger", 120)):
        args.add_argument(f"--{name}", type=int, default=value)
    args.add_argument("--only", choices=[kind.name for kind in SIDES])
    args.add_argument("--cache", type=int, help="Penfold's, in MiB")
    args.add_argument("--no-live", action="store_true", help="not the runs without the dead")
    args.add_argument("--no-write", action="store_true")
    args = args.parse_args()
    if os.geteuid():
        print("MAIL OUT WAS NOT MEASURED: that needs root, for a private network")
        return 0
    Penfold.cache = args.cache
    args.sides = tuple(kind for kind in SIDES if args.only in (None, kind.name))
    sections, load, begin = args.sections or ["queue", "list"], os.getloadavg()[0], time.monotonic()
    disk = lib.scratch("outgoing")
    os.chmod(disk, 0o755)
    try:
        with tempfile.TemporaryDirectory(prefix="penfold-abroad-") as work:
            def job(abroad):
                found = {name: act(abroad, args) for name, act in (("queue", queue), ("list", mailing)) if name in sections}
                with open(os.path.join(disk, "found"), "w") as f:
                    json.dump(found, f)
                return 0
            rate = disk_rate(disk)
            code = inside(job, work, disk, args.destinations * 3 // 2 + 2)
        if code:
            return code
        with open(os.path.join(disk, "found")) as f:
            text = document(args, load, rate, json.load(f))
    finally:
        shutil.rmtree(disk, ignore_errors=True)
    print(text)
    if not args.no_write and not args.only:
        write_document(text)
    print(f"outgoing: {time.monotonic() - begin:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
