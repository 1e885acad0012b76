#!/usr/bin/env python3
"""Two other readers of calendars beside ours: objects by chance and those of the repository, put and asked for over CalDAV.

usage: readers.py [--objects N] [--queries N] [--seed N]       in .venv/apart, where icalendar and recurring-ical-events are

read      what a calendar-query gives back of each object, whole and cut to its properties, is to `icalendar` what was put: components,
          properties, parameters, values
times     what `expand` makes of each is when recurring-ical-events, by dateutil's rules, says that it takes place
values    text-match and param-filter find the objects of which `icalendar` says that a property or a parameter holds the text
"""
import argparse
import collections
import concurrent.futures
import datetime
import glob
import os
import random
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "dav"), os.path.join(ROOT, "tests", "dav", "standards"), os.path.join(ROOT, "tests", "lib")]
import icalendar  # noqa: E402
import recurring_ical_events  # noqa: E402
from data import HOLES  # noqa: E402
from objects import UTC, Maker  # noqa: E402
from penfold_dav import body, escape  # noqa: E402
from place import Place, run  # noqa: E402

KINDS = {"VEVENT": "events", "VTODO": "todos"}
# Everything that is made lies within.
FIRST, LAST = datetime.datetime(1999, 1, 1, tzinfo=UTC), datetime.datetime(2100, 1, 1, tzinfo=UTC)
CUT = '<c:calendar-data><c:comp name="VCALENDAR"><c:allprop/><c:allcomp/></c:comp></c:calendar-data>'


def of_repository():
    """Objects that stand in the repository as plain text."""
    out = {name: text for name, text in HOLES.items() if name.endswith(".ics")}
    paths = [path for where in ("shared/*/src/**/*.rs", "shared/*/tests/**/*.rs", "functions/*/src/**/*.rs", "tests/dav/**/*.txt") for path in glob.glob(os.path.join(ROOT, where), recursive=True)]
    for path in sorted(paths):
        with open(path, encoding="utf-8") as f:
            text = f.read().replace("\nC: ", "\n")
        for number, found in enumerate(re.findall(r"BEGIN:VCALENDAR\n.*?END:VCALENDAR", text, re.S)):
            if "{" not in found and "&amp;" not in found:
                out[f"{os.path.basename(path)}-{number}.ics"] = re.sub(r"\n[ ]+(?=[A-Z-]+[:;])", "\n", found) + "\n"
    return {name: text.replace("\r\n", "\n").replace("\n", "\r\n") for name, text in out.items()}


# What `icalendar` reads.

def component(one):
    """(name, its properties as a counter, the components in it)"""
    own = collections.Counter()
    for name, value in one.property_items(recursive=False):
        if name not in ("BEGIN", "END"):
            own[(name.upper(), parameters(value), plain(value))] += 1
    inner = sorted((component(sub) for sub in one.subcomponents), key=repr)
    return one.name, sorted(own.items()), inner


def parameters(value):
    return tuple(sorted((name.upper(), tuple(got) if isinstance(got, list) else str(got)) for name, got in getattr(value, "params", {}).items()))


def plain(value):
    if isinstance(value, icalendar.vRecur):
        return repr(sorted((name, str(part)) for name, part in value.items()))
    if hasattr(value, "dts"):
        return repr([moment(one.dt) for one in value.dts])
    if hasattr(value, "dt"):
        return repr(moment(value.dt))
    if isinstance(value, icalendar.vCategory):
        return repr([str(one) for one in value.cats])
    return str(value) if isinstance(value, str) else repr(value.to_ical())


def moment(value):
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return f"{value.replace(tzinfo=None)} {value.utcoffset()}"
    return str(value)


def instances(text):
    """(start, end) of each, in UTC; times without a zone are taken for UTC, as they are where a calendar has none."""
    out = []
    for one in recurring_ical_events.of(icalendar.Calendar.from_ical(text), keep_recurrence_attributes=True).between(FIRST, LAST):
        out.append(span(one))
    return sorted(out)


def expanded(text):
    out = []
    for one in icalendar.Calendar.from_ical(text).walk("VEVENT"):
        # RFC 4791 §9.6.5: times of a zone are in UTC then, and what belongs to none stays so.
        assert "TZID" not in one["DTSTART"].params, text
        out.append(span(one))
    return sorted(out)


def span(event):
    """(start, end, summary); RFC 5545 §3.6.1 says how long one is that does not say so."""
    begin = event["DTSTART"].dt
    short = datetime.timedelta(0 if isinstance(begin, datetime.datetime) else 1)
    end = event["DTEND"].dt if "DTEND" in event else begin + (event["DURATION"].dt if "DURATION" in event else short)
    return absolute(begin), absolute(end), str(event.get("SUMMARY", ""))


def absolute(value):
    if not isinstance(value, datetime.datetime):
        return value.strftime("%Y%m%d")
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def reads_alike(put, got):
    return 1, None if component(icalendar.Calendar.from_ical(put)) == component(icalendar.Calendar.from_ical(got)) else f"put:\n{put}\ngot:\n{got}"


def happens_alike(put, got):
    if endless(put):
        return 0, None
    ours, theirs = expanded(got), instances(put)
    return len(theirs), None if ours == theirs else f"{put}\nonly ours: {sorted(set(ours) - set(theirs))[:4]}\nonly theirs: {sorted(set(theirs) - set(ours))[:4]}"


class Readers:
    def __init__(self, place, objects, queries, seed):
        self.place, self.queries, self.dice = place, queries, random.Random(seed)
        self.dav, self.put, self.refused = place.client(place.person()), {kind: {} for kind in KINDS}, []
        self.paths, maker = {}, Maker(seed)
        for kind, name in KINDS.items():
            self.paths[kind] = self.dav.home()["calendars"] + name + "/"
            inner = f'<d:set><d:prop><c:supported-calendar-component-set><c:comp name="{kind}"/></c:supported-calendar-component-set></d:prop></d:set>'
            assert self.dav.ask("MKCALENDAR", self.paths[kind], body("c:mkcalendar", inner)).status == 201
        for number in range(objects):
            kind = "VTODO" if number % 4 == 3 else "VEVENT"
            self.store(kind, f"object-{number}.ics", maker.object(kind, number), 201)
        # Several of the repository have one UID, and some are wrong on purpose.
        for name, text in of_repository().items():
            kind = "VTODO" if "BEGIN:VTODO" in text else "VEVENT"
            text = re.sub(r"\r\nUID:[^\r]*", f"\r\nUID:{name}", text)
            if not self.store(kind, name, text, 201, 400, 403, 409):
                self.refused.append(name)

    def store(self, kind, name, text, *statuses):
        done = self.dav.put(self.paths[kind] + name, text, *statuses).status == 201
        if done:
            self.put[kind][self.paths[kind] + name] = text
        return done

    def got(self, kind, data):
        """{path: text} of all of one kind."""
        found = self.dav.query(self.paths[kind], kind, data=data)
        assert set(found) == set(self.put[kind]), set(found) ^ set(self.put[kind])
        return {path: one.text("c:calendar-data") for path, one in found.items()}

    def read(self):
        for kind in KINDS:
            for data in ("<c:calendar-data/>", CUT):
                self.compare(kind, data, reads_alike)

    def times(self):
        data = f'<c:calendar-data><c:expand start="{FIRST:%Y%m%dT%H%M%SZ}" end="{LAST:%Y%m%dT%H%M%SZ}"/></c:calendar-data>'
        count = self.compare("VEVENT", data, happens_alike)
        print(f"readers: {count} instances")
        assert count > len(self.put["VEVENT"]), count

    def compare(self, kind, data, judge):
        """`judge` takes what was put and what was got; gives back (how much it compared, what differs)."""
        got, put = self.got(kind, data), self.put[kind]
        with concurrent.futures.ProcessPoolExecutor() as pool:
            found = list(pool.map(judge, [put[path] for path in got], got.values(), chunksize=50))
        different = [(path, why) for path, (_, why) in zip(got, found) if why]
        assert not different, f"{len(different)} different, the first: {different[0][0]}: {different[0][1]}"
        return sum(count for count, _ in found)

    def values(self):
        """Pieces of what `icalendar` makes of properties and parameters are what the server finds them by."""
        known = {path: top(text) for path, text in self.put["VEVENT"].items()}
        wrong = []
        for _ in range(self.queries):
            path = self.dice.choice(sorted(known))
            name, parameter, value = self.dice.choice([one for one in known[path] if one[2]])
            at = self.dice.randrange(len(value))
            piece = value[at:at + self.dice.randint(2, 12)]
            holds = {other for other, every in known.items() if any(one[:2] == (name, parameter) and piece in one[2] for one in every)}
            match = f'<c:text-match collation="i;octet">{escape(piece)}</c:text-match>'
            inner = f'<c:prop-filter name="{name}">' + (f'<c:param-filter name="{parameter}">{match}</c:param-filter>' if parameter else match) + "</c:prop-filter>"
            found = set(self.dav.query(self.paths["VEVENT"], "VEVENT", data="", inner=inner))
            if found != holds:
                wrong.append(f"{name};{parameter} holding {piece!r}: only ours {sorted(found - holds)[:2]}, only theirs {sorted(holds - found)[:2]}")
        assert not wrong, f"{len(wrong)} of {self.queries}:\n" + "\n".join(wrong[:12])


def top(text):
    """(property, parameter or None, text) of the events of an object."""
    out = []
    for event in icalendar.Calendar.from_ical(text).walk("VEVENT"):
        for name, value in event.property_items(recursive=False):
            # It leaves the escapes of X- properties as they are, which are text by default (RFC 5545 §3.8.8.2).
            if name in ("SUMMARY", "DESCRIPTION", "LOCATION"):
                out.append((name.upper(), None, str(value)))
            for parameter, got in getattr(value, "params", {}).items():
                if parameter in ("CN", "X-KIND", "ALTREP") and isinstance(got, str):
                    out.append((name.upper(), parameter.upper(), str(got)))
    return out


def endless(text):
    return any("COUNT" not in rule and "UNTIL" not in rule for rule in re.findall(r"RRULE[:;]([^\r]*)", text)) or "RANGE=THISANDFUTURE" in text


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--objects", type=int, default=1200)
    args.add_argument("--queries", type=int, default=60)
    args.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    args = args.parse_args()
    place = Place("readers")
    readers = Readers(place, args.objects, args.queries, args.seed)
    print(f"readers: seed {args.seed}, {args.objects} objects by chance, {sum(map(len, readers.put.values())) - args.objects} of the repository ({len(readers.refused)} are refused: {', '.join(readers.refused)})", flush=True)
    return run("readers", [(test.__name__, test) for test in (readers.read, readers.times, readers.values)], place)


if __name__ == "__main__":
    sys.exit(main())
