"""khal shows what another client wrote, in one's own time, and writes what others then see; vdirsyncer carries it."""
import os
import sys

import suite_vdirsyncer
from penfold_dav import calendar, component, event

PROGRAM = os.path.join(os.path.dirname(sys.executable), "khal")


class Khal(suite_vdirsyncer.Pair):
    """khal on the folders that vdirsyncer keeps, for somebody who lives in Europe/Berlin."""

    def __init__(self, t):
        super().__init__(t, "calendars")
        self.discover()
        self.sync()
        name = t.dav().collection("VEVENT").rstrip("/").split("/")[-1]
        self.settings = t.file("khal.conf", f"""[calendars]
[[mine]]
path = {self.here}/{name}/
[locale]
local_timezone = Europe/Berlin
default_timezone = Europe/Berlin
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[default]
default_calendar = mine
[sqlite]
path = {t.dir}/khal.db
""")

    def khal(self, *words):
        return self.t.run(PROGRAM, "-c", self.settings, "--no-color", *words, env={"LC_ALL": "C.UTF-8", "HOME": self.t.dir, "TZ": "Europe/Berlin"})

    def agenda(self, start, end):
        """Lines `DAY TIME SUMMARY` of what khal shows."""
        out = self.khal("list", "--format", "{start-date} {start-time} {title}", "--day-format", "", start, end)
        return [line.strip() for line in out.splitlines() if line.strip()]


def test_shows(t):
    """Zones, days, series over the end of summer time, moved and cancelled instances."""
    dav = t.dav()
    collection = dav.collection("VEVENT")
    dav.put(collection + "utc.ics", event("utc", "In UTC", "20261020T070000Z", "20261020T080000Z"))
    dav.put(collection + "day.ics", event("day", "Whole day", "VALUE=DATE:20261021", "VALUE=DATE:20261022"))
    dav.put(collection + "daily.ics", event("daily", "Grüße", "TZID=Europe/Berlin:20261023T090000", "TZID=Europe/Berlin:20261023T100000", "RRULE:FREQ=DAILY;COUNT=5",
                                            "EXDATE;TZID=Europe/Berlin:20261024T090000"))
    tokyo = "BEGIN:VTIMEZONE\nTZID:Asia/Tokyo\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nTZNAME:JST\nEND:STANDARD\nEND:VTIMEZONE\n"
    dav.put(collection + "tokyo.ics", calendar(
        tokyo, component("VEVENT", "tokyo", "DTSTART;TZID=Asia/Tokyo:20261021T170000", "DTEND;TZID=Asia/Tokyo:20261021T180000", "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:Tokyo"),
        component("VEVENT", "tokyo", "RECURRENCE-ID;TZID=Asia/Tokyo:20261028T170000", "DTSTART;TZID=Asia/Tokyo:20261029T170000", "DTEND;TZID=Asia/Tokyo:20261029T180000", "SUMMARY:Tokyo moved")))
    khal = Khal(t)
    # Tokyo is seven hours ahead of Berlin, and eight from 25 October on.
    assert khal.agenda("2026-10-20", "2026-10-30") == [
        "2026-10-20 09:00 In UTC", "2026-10-21  Whole day", "2026-10-21 10:00 Tokyo", "2026-10-23 09:00 Grüße", "2026-10-25 09:00 Grüße", "2026-10-26 09:00 Grüße",
        "2026-10-27 09:00 Grüße", "2026-10-29 09:00 Tokyo moved"], khal.agenda("2026-10-20", "2026-10-30")
    # What is changed and deleted there goes here too.
    dav.put(collection + "utc.ics", event("utc", "Later", "20261020T100000Z", "20261020T110000Z"))
    dav.delete(collection + "day.ics")
    khal.sync()
    assert khal.agenda("2026-10-20", "2026-10-21") == ["2026-10-20 12:00 Later", "2026-10-21 10:00 Tokyo"]


def test_writes(t):
    """What khal makes is on the server, at its time, and its instances with it."""
    khal = Khal(t)
    khal.khal("new", "2026-12-03", "10:00", "11:30", "Europe/Berlin", "Zahnarzt", "::", "bring the card")
    khal.khal("new", "2026-12-01", "08:00", "08:15", "-r", "weekly", "-u", "2026-12-20", "Stand-up")
    khal.khal("new", "2026-12-24", "2026-12-26", "Weihnachten")
    khal.sync()
    dav = t.dav()
    collection = dav.collection("VEVENT")

    def summaries(start, end):
        return sorted(line.removeprefix("SUMMARY:") for one in dav.query(collection, "VEVENT", start, end).values() for line in one.text("c:calendar-data").splitlines() if line.startswith("SUMMARY:"))
    every = [one.text("c:calendar-data") for one in dav.query(collection, "VEVENT").values()]
    assert len(every) == 3 and summaries("20261203T093000Z", "20261203T094500Z") == ["Zahnarzt"], every
    assert summaries("20261215T000000Z", "20261216T000000Z") == ["Stand-up"] and summaries("20261222T000000Z", "20261223T000000Z") == []
    assert summaries("20261225T000000Z", "20261226T000000Z") == ["Weihnachten"]
    # A second client of the same person sees it at the same time.
    t.file("other/keep", "")
    here, t.dir = t.dir, os.path.join(t.dir, "other")
    try:
        assert Khal(t).agenda("2026-12-03", "2026-12-03") == ["2026-12-03 10:00 Zahnarzt"]
    finally:
        t.dir = here
