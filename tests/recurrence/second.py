"""Judges our answers to recurrence rules by dateutil: cargo run --example recurrence | python second.py

Needs python-dateutil (and tzdata where the system has no zones). Where dateutil is known to see things in another way, the
generator (shared/formats/tests/icalendar/generate.rs) asks so that both can agree. Ends with 1 at any difference.
"""

import json
import signal
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

# After that many seconds a series is left alone: dateutil walks all of it from the start.
PATIENCE = 0.3
STEPS = 50_000


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
    same = left = 0
    different = []
    signal.signal(signal.SIGALRM, impatient)
    for line in sys.stdin:
        case = json.loads(line)
        try:
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
            theirs = judge(case)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Impatient:
            theirs = None
        if theirs is None:
            left += 1
        elif theirs == case["ours"]:
            same += 1
        else:
            different.append(case)
            ours = case.pop("ours")
            print(json.dumps(case))
            print("  only ours:  ", sorted(set(ours) - set(theirs))[:5])
            print("  only theirs:", sorted(set(theirs) - set(ours))[:5])
    print(f"{same} the same, {left} too long for dateutil, {len(different)} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
