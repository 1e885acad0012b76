#!/usr/bin/env python3
"""Judges our answers to recurrence rules by dateutil: second.py [--cases N] [--seed N] [--patience SECONDS]

They come from target/debug/examples/recurrence, or what $RECURRENCE names. Needs python-dateutil (and tzdata where the system has no zones). Where dateutil is known to see things in another way, the
generator (shared/formats/tests/icalendar/generate.rs) asks so that both can agree. Ends with 1 at any difference.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STEPS = 50_000
# A long run says now and then how far it is.
TOLD = 10_000


class Impatient(Exception):
    pass


def impatient(*_):
    raise Impatient


def judge(case):
    zone = ZoneInfo(case["zone"])
    start = datetime.strptime(case["start"], "%Y%m%dT%H%M%S").replace(tzinfo=zone)

    def utc(time):
        # Python reads a time that the clock skips with the offset before it, and of two the first: as RFC 5545 section 3.3.5 does.
        return int(time.replace(fold=0).astimezone(timezone.utc).timestamp())

    # COUNT is of times by the clock, of which two can be one in UTC.
    times = [utc(start)]
    # The window's end is in UTC, and dateutil goes by the clock.
    last = datetime.fromtimestamp(case["to"], timezone.utc).replace(tzinfo=None) + timedelta(days=2)
    try:
        rule = rrulestr(case["theirs"], dtstart=start)
        for step, time in enumerate(rule):
            if time.replace(tzinfo=None) > last or (case["count"] and len(times) > case["count"]):
                break
            if step or time != start:
                times.append(utc(time))
            if step > STEPS:
                return None
    except ValueError as error:
        # It says beforehand that BYHOUR and the like are never met at such an interval.
        if "empty" not in str(error) and "Invalid rrule" not in str(error):
            raise
    theirs = sorted(set(times[: case["count"]]))
    return [time for time in theirs if case["from"] <= time < case["to"]]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--cases", type=int, default=1200)
    args.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    # After that much of the processor's time a series is left alone: dateutil walks all of it from the start.
    args.add_argument("--patience", type=float, default=0.02)
    args = args.parse_args()
    program = os.environ.get("RECURRENCE") or os.path.join(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "debug", "examples", "recurrence")
    if not os.access(program, os.X_OK):
        raise SystemExit(f"{program} is missing: run `make build-all`, or set RECURRENCE to the program")
    print(f"second: seed {args.seed}", flush=True)
    with subprocess.Popen([program, str(args.cases), str(args.seed)], stdout=subprocess.PIPE, text=True) as cases:
        same, left, different = compare(cases.stdout, args.patience)
    print(f"{same} the same, {left} too long for dateutil, {different} different")
    # Enough of them must have been judged for this to mean anything.
    return 1 if different or cases.returncode or same < args.cases // 2 else 0


def compare(lines, patience):
    same = left = different = 0
    signal.signal(signal.SIGVTALRM, impatient)
    for number, line in enumerate(lines):
        if number and number % TOLD == 0:
            print(f"after {number}: {same} the same, {left} too long for dateutil, {different} different", flush=True)
        case = json.loads(line)
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, patience)
            theirs = judge(case)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        except Impatient:
            theirs = None
        if theirs is None:
            left += 1
        elif theirs == case["ours"]:
            same += 1
        else:
            different += 1
            ours = case.pop("ours")
            print(json.dumps(case))
            print("  only ours:  ", sorted(set(ours) - set(theirs))[:5])
            print("  only theirs:", sorted(set(theirs) - set(ours))[:5])
    return same, left, different


if __name__ == "__main__":
    sys.exit(main())
