#!/usr/bin/env python3
"""What is wrong, too much or meant badly: each gets its status and the standard's precondition, and nothing of it is kept.

usage: bad.py [--radicale] [GROUP ...]          groups: xml depth events cards reports collections hrefs fields methods
"""
import re
import sys

from place import Place, run
from penfold_dav import BERLIN, VCF, body, calendar, card, component, event, props, todo

MEGABYTE = 1 << 20
FORBIDDEN = (400, 403, 404, 405, 409, 412, 413, 414, 415, 422, 431, 501, 507)


class Bad:
    """A person with one object of each kind; `snapshot` is all that they have."""

    def __init__(self, place):
        self.place, self.user = place, place.person()
        self.dav = place.client(self.user)
        self.principal, home = self.dav.home()["principal"], self.dav.home()
        self.calendars, self.books = home["calendars"], home["addressbooks"]
        self.events, self.tasks, self.cards = (self.dav.collection(kind) for kind in ("VEVENT", "VTODO", "VCARD"))
        self.files = None if place.radicale else "/dav/files/" + self.principal.rstrip("/").split("/")[-1] + "/"
        self.dav.put(self.events + "kept.ics", event("kept", "Kept"))
        self.dav.put(self.tasks + "kept.ics", todo("kept-task", "Kept"))
        self.dav.put(self.cards + "kept.vcf", card("kept-card", "Kept Card"))
        self.wrong = []

    def snapshot(self):
        found = {}
        for path in filter(None, (self.calendars, self.books, self.events, self.tasks, self.cards, self.files)):
            found |= {href: one.text("d:getetag") for href, one in self.dav.propfind(path, "d:getetag", "d:resourcetype", depth=1).items()}
        return found

    def expect(self, what, statuses, preconditions, method, path, content=None, depth=None, **fields):
        """`preconditions`: one of these is named where the status is 403, 409 or 507; `201` among the statuses may keep it, and it goes."""
        before = self.snapshot()
        answer = self.dav.ask(method, path, content, depth, **fields)
        answer.content = answer.content[:100_000]
        text = f"{what}: {answer.status} {answer.precondition if answer.status >= 400 else ''}"
        if answer.status not in statuses:
            self.wrong.append(f"{text}, not {statuses}")
        elif preconditions and answer.status in (403, 409, 507) and not set(answer.precondition) & set(preconditions):
            self.wrong.append(f"{text}, without {' or '.join(preconditions)}")
        if b"root:x:" in answer.content:
            self.wrong.append(f"{what}: a file of the host")
        after = self.snapshot()
        if after != before:
            if answer.status < 400 and not {201, 204} & set(statuses) or answer.status >= 400:
                self.wrong.append(f"{text}, and something was stored: {sorted(set(after.items()) ^ set(before.items()))}")
            for href in set(after) - set(before):
                self.dav.ask("DELETE", href)
        return answer

    def done(self):
        assert not self.wrong, "\n".join(self.wrong)


def xml(bad):
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1 or str()};" * 10}">' for i in range(1, 10))
    laughs = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">{entities}]><d:propfind xmlns:d="DAV:"><d:prop>&a9;</d:prop></d:propfind>'
    outside = ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><d:propertyupdate xmlns:d="DAV:"><d:set><d:prop>'
               "<d:displayname>&e;</d:displayname></d:prop></d:set></d:propertyupdate>")
    refused = (400, 403, 413)
    for what, text in {
        "a billion laughs": laughs, "elements ten thousand deep": "<d:propfind xmlns:d='DAV:'>" + "<d:prop>" * 10000 + "</d:prop>" * 10000 + "</d:propfind>",
        "two hundred thousand properties": body("d:propfind", "<d:prop>" + "".join(f"<x{i}/>" for i in range(200_000)) + "</d:prop>"),
        "ten thousand attributes": "<d:propfind xmlns:d='DAV:' " + " ".join(f"a{i}='x'" for i in range(10_000)) + "><d:allprop/></d:propfind>",
        "an open element": "<d:propfind xmlns:d='DAV:'><d:prop>", "an undeclared prefix": "<d:propfind><d:allprop/></d:propfind>", "two roots": "<a/><b/>", "no XML": "propfind",
        "wrong UTF-8": b"<?xml version='1.0' encoding='utf-8'?><d:propfind xmlns:d='DAV:'><d:prop><d:\xff\xfe/></d:prop></d:propfind>",
        "a character that is none": "<d:propfind xmlns:d='DAV:'><d:prop>&#0;</d:prop></d:propfind>", "UTF-7": "<?xml version='1.0' encoding='UTF-7'?><d:propfind xmlns:d='DAV:'/>",
        "an empty namespace for a prefix": "<x:propfind xmlns:x=''><x:allprop/></x:propfind>", "ten megabytes": body("d:propfind", "<!--" + "x" * 10 * MEGABYTE + "-->" + props("d:getetag")),
        "another root": body("d:propertyupdate", "<d:set><d:prop/></d:set>"),
    }.items():
        bad.expect(f"PROPFIND with {what}", refused + (422,), (), "PROPFIND", bad.events, text, 0)
    bad.expect("PROPPATCH with a file of the host", refused, (), "PROPPATCH", bad.events, outside)
    bad.expect("PROPPATCH without a body", (400, 422), (), "PROPPATCH", bad.events, b"")
    bad.expect("REPORT without a body", (400, 422), (), "REPORT", bad.events, b"")
    huge = bad.expect("a property of two megabytes", (207, 400, 403, 413, 507), (), "PROPPATCH", bad.events,
        body("d:propertyupdate", "<d:set><d:prop><x:y xmlns:x='urn:x'>" + "z" * 2 * MEGABYTE + "</x:y></d:prop></d:set>"))
    if huge.status == 207 and next(iter(huge.responses.values())).found:
        bad.wrong.append("a property of two megabytes was kept")
    # RFC 4918 §9.2: all or nothing, and what is protected is named (§16).
    answer = bad.expect("a protected property beside another", (207,), (), "PROPPATCH", bad.events,
                        body("d:propertyupdate", "<d:set><d:prop><d:displayname>Changed</d:displayname></d:prop></d:set><d:set><d:prop><d:getetag>x</d:getetag></d:prop></d:set>"))
    if answer.status == 207:
        one = next(iter(answer.responses.values()))
        if one.missing != {"d:displayname": 424, "d:getetag": 403} or "d:cannot-modify-protected-property" not in answer.precondition:
            bad.wrong.append(f"a protected property beside another: {answer}")
        if bad.dav.prop(bad.events, "d:displayname") == "Changed":
            bad.wrong.append("half of a PROPPATCH was done")


def depth(bad):
    for path in (bad.calendars, bad.books, bad.events):
        bad.expect(f"PROPFIND without end of {path}", (403,), ("d:propfind-finite-depth",), "PROPFIND", path, body("d:propfind", props("d:getetag")), "infinity")
        bad.expect(f"PROPFIND of no depth of {path}", (403, 207), ("d:propfind-finite-depth",), "PROPFIND", path, body("d:propfind", props("d:getetag")))
    for wrong in ("2", "-1", "one", "0, 1", ""):
        bad.expect(f"depth {wrong!r}", (400,), (), "PROPFIND", bad.events, body("d:propfind", props("d:getetag")), wrong)
    bad.expect("DELETE of a collection with depth 0", (400,), (), "DELETE", bad.events, None, 0)
    # RFC 6578 §3.3: where nothing lies deeper, all levels are one.
    bad.expect("a sync-level without end", (207, 400, 403), ("d:sync-traversal-supported",), "REPORT", bad.events,
        body("d:sync-collection", "<d:sync-token/><d:sync-level>infinite</d:sync-level>" + props("d:getetag")), 0)
    bad.expect("a sync-level of seven", (400, 403), (), "REPORT", bad.events, body("d:sync-collection", "<d:sync-token/><d:sync-level>7</d:sync-level>" + props("d:getetag")), 0)


def events(bad):
    at = bad.events + "new.ics"
    good = event("new", "New")
    data, whole = ("c:valid-calendar-data",), ("c:valid-calendar-data", "c:valid-calendar-object-resource")
    start = "DTSTART:20261201T090000Z"

    def put(what, text, statuses=(403,), preconditions=whole, **fields):
        fields.setdefault("Content_Type", "text/calendar; charset=utf-8")
        return bad.expect(f"PUT of {what}", statuses, preconditions, "PUT", at, text, **fields)
    put("no calendar", "hello", preconditions=data)
    put("nothing", b"", (400, 403))
    put("a card", card("c", "A Card"), preconditions=data)
    put("an open component", good.replace("END:VEVENT\r\n", ""), preconditions=data)
    put("wrong UTF-8", good.encode().replace(b"New", b"N\xe9w\xff"), preconditions=data)
    put("a NUL", good.replace("New", "N\0w"), preconditions=data)
    put("an event without UID", good.replace("UID:new\r\n", ""))
    put("an event without DTSTART", good.replace("DTSTART:20261201T090000Z\r\n", ""))
    put("two DTSTARTs", calendar(component("VEVENT", "new", start, start)))
    put("two UIDs", calendar(component("VEVENT", "new", start), component("VEVENT", "other", start)))
    put("two series of one UID", calendar(component("VEVENT", "new", start), component("VEVENT", "new", start)))
    put("an event and a task", calendar(component("VEVENT", "new", start), component("VTODO", "new", "SUMMARY:x")))
    put("no component at all", calendar(BERLIN))
    put("a METHOD", good.replace("VERSION:2.0\r\n", "VERSION:2.0\r\nMETHOD:REQUEST\r\n"))
    put("VERSION 1.0", good.replace("VERSION:2.0", "VERSION:1.0"))
    put("a date that is none", good.replace("20261201T090000Z", "20261341T996199Z"))
    put("an end before the start", good.replace("DTEND:20261201T100000Z", "DTEND:20251201T100000Z"), (201, 403))
    put("a rule that is none", calendar(component("VEVENT", "new", start, "RRULE:FREQ=SOMETIMES")))
    put("a task among events", todo("new", "Task"), preconditions=("c:supported-calendar-component",))
    put("a UID that is there", event("kept", "Again"), (403, 409), ("c:no-uid-conflict",))
    put("another kind of content", good, (201, 403, 415), ("c:supported-calendar-data",), Content_Type="application/octet-stream")
    put("jCal", "[]", (403, 415), ("c:supported-calendar-data", "c:valid-calendar-data"), Content_Type="application/calendar+json")
    put("ten megabytes", calendar(component("VEVENT", "new", start, "DESCRIPTION:" + "x" * 10 * MEGABYTE)), (403, 413), ("c:max-resource-size",))
    put("a hundred thousand lines", calendar(component("VEVENT", "new", start, *(f"X-LINE:{i}" for i in range(100_000)))), (403, 413), ("c:max-resource-size", *whole))
    put("five thousand attendees", calendar(component("VEVENT", "new", start, "ORGANIZER:mailto:me@dav.test", *(f"ATTENDEE:mailto:a{i}@elsewhere.test" for i in range(5000)))), (403,),
        ("c:max-attendees-per-instance",))
    put("components a thousand deep", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + "BEGIN:VEVENT\r\n" * 1000 + "END:VEVENT\r\n" * 1000 + "END:VCALENDAR\r\n")
    put("twenty thousand instances changed", calendar(component("VEVENT", "new", start, "RRULE:FREQ=DAILY"),
        *(component("VEVENT", "new", f"RECURRENCE-ID:2026{1 + i // 2000:02}{1 + i % 28:02}T{i % 24:02}{i % 60:02}00Z", start) for i in range(20_000))),
        (403, 413), ("c:max-instances", "c:max-resource-size", *whole))
    put("part of an object", good, (400, 403, 501), (), Content_Range="bytes 0-9/100")
    # These may be kept or not; asked for, they may not take the server with them.
    for what, lines in {
        "each second since 1970": ["DTSTART:19700101T000000Z", "RRULE:FREQ=SECONDLY"], "a billion": ["DTSTART:19700101T000000Z", "RRULE:FREQ=SECONDLY;COUNT=1000000000"],
        "30 February for ever": [start, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
            "each second of some": ["DTSTART:19700101T000000Z",
                "RRULE:FREQ=YEARLY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))) + ";BYSECOND=" + ",".join(map(str, range(60)))],
        "an interval too large": [start, "RRULE:FREQ=DAILY;INTERVAL=4294967295"], "the last of each minute": ["DTSTART:19700101T000000Z", "RRULE:FREQ=MINUTELY;BYSETPOS=-366;BYSECOND=1,2,3"],
        "fifty thousand dates": [start, "RDATE:" + ",".join(f"2027{1 + i % 12:02}{1 + i % 28:02}T{i % 24:02}{i % 60:02}{i // 1000:02}Z" for i in range(50_000))],
    }.items():
        text = calendar(component("VEVENT", "new", *lines))
        answer = put(f"a series, {what}", text, (201, 403), ("c:max-instances", *whole))
        if answer.status == 201:
            bad.dav.put(at, text)
            window = '<c:calendar-data><c:expand start="19700101T000000Z" end="21000101T000000Z"/></c:calendar-data>'
            for data_asked in ("<c:calendar-data/>", window):
                asked = (f'<d:prop>{data_asked}</d:prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
                         '<c:time-range start="20600101T000000Z" end="20610101T000000Z"/></c:comp-filter></c:comp-filter></c:filter>')
                bad.expect(f"a query of a series, {what}", (207, 403, 507), ("c:max-instances", "d:number-of-matches-within-limits", "c:supported-filter"), "REPORT", bad.events,
                    body("c:calendar-query", asked), 1)
            bad.expect(f"free and busy of a series, {what}", (200, 403, 507), ("c:max-instances", "d:number-of-matches-within-limits"), "REPORT", bad.events,
                body("c:free-busy-query", '<c:time-range start="20600101T000000Z" end="20610101T000000Z"/>'), 1)
            bad.dav.delete(at)
    # Zones: without a definition, with a wrong one, with one that never ends.
    zoned = ["DTSTART;TZID=Nowhere/Land:20261201T090000", "DTEND;TZID=Nowhere/Land:20261201T100000"]
    put("a zone that nobody knows", calendar(component("VEVENT", "new", *zoned)), (201, 403))
    zone = BERLIN.replace("Europe/Berlin", "Nowhere/Land")
    put("a zone with an offset of 99 hours", calendar(zone.replace("+0200", "+9999"), component("VEVENT", "new", *zoned)), (201, 403))
    put("a zone that changes each second", calendar(zone.replace("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=SECONDLY"), component("VEVENT", "new", *zoned)), (201, 403))
    put("a zone without rules", calendar("BEGIN:VTIMEZONE\nTZID:Nowhere/Land\nEND:VTIMEZONE\n", component("VEVENT", "new", *zoned)), (201, 403))
    put("a zone's name of ten thousand letters", calendar(component("VEVENT", "new", f"DTSTART;TZID={'x' * 10_000}:20261201T090000")), (201, 403))


def cards(bad):
    at = bad.cards + "new.vcf"
    good = card("new", "New Card")
    data = ("card:valid-address-data",)

    def put(what, text, statuses=(403,), preconditions=data, **fields):
        fields.setdefault("Content_Type", VCF)
        return bad.expect(f"PUT of {what}", statuses, preconditions, "PUT", at, text, **fields)
    put("no card", "hello")
    put("nothing", b"", (400, 403))
    put("an event", event("e", "Event"))
    put("a card without end", good.replace("END:VCARD\r\n", ""))
    put("two cards", good + card("other", "Other"))
    put("wrong UTF-8", good.encode().replace(b"New", b"N\xe9w\xff"))
    put("version 2.1", good.replace("VERSION:3.0", "VERSION:2.1"), preconditions=("card:supported-address-data", *data))
    put("version 9", good.replace("VERSION:3.0", "VERSION:9.0"), preconditions=("card:supported-address-data", *data))
    put("a UID that is there", card("kept-card", "Again"), (403, 409), ("card:no-uid-conflict",))
    put("another kind of content", good, (201, 403, 415), ("card:supported-address-data",), Content_Type="application/octet-stream")
    put("a photo of eleven megabytes", card("new", "New", "PHOTO;ENCODING=b;TYPE=JPEG:" + "QUJD" * (11 * MEGABYTE // 4)), (403, 413), ("card:max-resource-size",))


def reports(bad):
    etag = props("d:getetag")
    filters = ("c:valid-filter", "c:supported-filter")

    def query(what, inner, statuses=(400, 403, 422), preconditions=filters, prop=etag):
        bad.expect(f"calendar-query with {what}", statuses, preconditions, "REPORT", bad.events, body("c:calendar-query", prop + inner), 1)

    def time_range(attributes):
        return f'<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range {attributes}/></c:comp-filter></c:comp-filter></c:filter>'
    all_events = '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"/></c:comp-filter></c:filter>'
    query("no filter", "")
    query("an empty filter", "<c:filter/>")
    query("a filter of something else", '<c:filter><c:comp-filter name="VCARD"/></c:filter>', (207, 400, 403, 422))
    query("a time that is none", time_range('start="yesterday"'))
    query("a local time", time_range('start="20261201T000000"'))
    query("an end before its start", time_range('start="20261201T000000Z" end="20251201T000000Z"'))
    query("a time range without times", time_range(""))
    text = ('<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:prop-filter name="SUMMARY"><c:text-match collation="{}">x</c:text-match></c:prop-filter>'
            "</c:comp-filter></c:comp-filter></c:filter>")
    query("a collation that nobody knows", text.format("i;klingon"), (403,), ("c:supported-collation",))
    deep = '<c:filter><c:comp-filter name="VCALENDAR">' + '<c:comp-filter name="VEVENT">' * 500 + "</c:comp-filter>" * 500 + "</c:comp-filter></c:filter>"
    query("five hundred filters in each other", deep, (400, 403, 413, 422), ())
    many = '<c:prop-filter name="SUMMARY"><c:text-match>x</c:text-match></c:prop-filter>' * 10_000
    query("ten thousand filters", f'<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">{many}</c:comp-filter></c:comp-filter></c:filter>', (207, 400, 403, 413, 422))
    for attributes in ('start="20261201T000000Z"', 'start="20261201T000000Z" end="20251201T000000Z"', 'start="x" end="y"', ""):
        query(f"expand {attributes or 'of nothing'}", all_events, (400, 403, 422), (), f"<d:prop><c:calendar-data><c:expand {attributes}/></c:calendar-data></d:prop>")
    bad.expect("a report that nobody knows", (403,), ("d:supported-report",), "REPORT", bad.events, body("x:frob", "").replace("<x:frob", '<x:frob xmlns:x="urn:x"'), 1)
    bad.expect("addressbook-query of a calendar", (403,), ("d:supported-report",), "REPORT", bad.events,
        body("card:addressbook-query", etag + '<card:filter><card:prop-filter name="FN"/></card:filter>'), 1)
    bad.expect("calendar-query of an address book", (403,), ("d:supported-report",), "REPORT", bad.cards, body("c:calendar-query", etag + all_events), 1)
    bad.expect("addressbook-query without a filter", (400, 403, 422), ("card:supported-filter",), "REPORT", bad.cards, body("card:addressbook-query", etag), 1)
    bad.expect("addressbook-query with a collation that nobody knows", (403,), ("card:supported-collation",), "REPORT", bad.cards,
               body("card:addressbook-query", etag + '<card:filter><card:prop-filter name="FN"><card:text-match collation="i;klingon">x</card:text-match></card:prop-filter></card:filter>'), 1)
    for token in ("nonsense", "http://elsewhere.test/token/1", "data:,99999999999999999999", "x" * 10_000, "urn:x:" + "\u20ac"):
        bad.expect(f"sync-collection with the token {token[:30]!r}", (400, 403), ("d:valid-sync-token",), "REPORT", bad.events,
            body("d:sync-collection", f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>{etag}"), 0)
    other = bad.dav.sync(bad.tasks)[2]
    bad.expect("sync-collection with another collection's token", (403, 207), ("d:valid-sync-token",), "REPORT", bad.events,
        body("d:sync-collection", f"<d:sync-token>{other}</d:sync-token><d:sync-level>1</d:sync-level>{etag}"), 0)
    for limit in ("0", "-1", "many", "99999999999999999999"):
        bad.expect(f"sync-collection with the limit {limit}", (207, 400, 403, 422, 507), (), "REPORT", bad.events,
                   body("d:sync-collection", f"<d:sync-token/><d:sync-level>1</d:sync-level><d:limit><d:nresults>{limit}</d:nresults></d:limit>{etag}"), 0)
    bad.expect("multiget of a hundred thousand", (207, 400, 403, 413, 507), (), "REPORT", bad.events,
        body("c:calendar-multiget", etag + "".join(f"<d:href>{bad.events}{i}.ics</d:href>" for i in range(100_000))), 0)
    bad.expect("multiget of nothing", (207, 400, 403, 422), (), "REPORT", bad.events, body("c:calendar-multiget", etag), 0)
    for href in ("http://elsewhere.test/x.ics", "../../../../etc/passwd", "/etc/passwd", "//", "", "%", "%00", bad.cards + "kept.vcf", "x" * 20_000, "javascript:alert(1)"):
        answer = bad.expect(f"multiget of {href[:40]!r}", (207, 400, 403, 422), (), "REPORT", bad.events,
            body("c:calendar-multiget", f"<d:prop><d:getetag/><c:calendar-data/></d:prop><d:href>{href}</d:href>"), 0)
        if answer.status == 207 and b"BEGIN:" in answer.content:
            bad.wrong.append(f"multiget of {href[:40]!r} gave something: {answer}")
    bad.expect("free-busy-query without a time", (400, 403, 422), (), "REPORT", bad.events, body("c:free-busy-query", ""), 1)
    bad.expect("free-busy-query of a thousand years", (200, 400, 403, 507), (), "REPORT", bad.events, body("c:free-busy-query", '<c:time-range start="15000101T000000Z" end="25000101T000000Z"/>'), 1)
    nested = "<d:property name='current-user-principal' namespace='DAV:'>"
    bad.expect("expand-property without end", (207, 400, 403, 413), (), "REPORT", bad.principal, body("d:expand-property", nested * 50 + "</d:property>" * 50), 0)


def collections(bad):
    new = bad.calendars + "new/"

    def made(*kinds):
        return "<d:set><d:prop><c:supported-calendar-component-set>" + "".join(f'<c:comp name="{kind}"/>' for kind in kinds) + "</c:supported-calendar-component-set></d:prop></d:set>"
    bad.expect("MKCALENDAR where one is", (403, 405, 409), ("d:resource-must-be-null",), "MKCALENDAR", bad.events, body("c:mkcalendar", made("VEVENT")))
    bad.expect("MKCALENDAR in a calendar", (403, 405, 409), ("c:calendar-collection-location-ok",), "MKCALENDAR", bad.events + "in/", body("c:mkcalendar", made("VEVENT")))
    bad.expect("MKCALENDAR in nothing", (409,), (), "MKCALENDAR", bad.calendars + "no/thing/", body("c:mkcalendar", made("VEVENT")))
    if not bad.place.radicale:
        bad.expect("MKCALENDAR among address books", (403, 409), ("c:calendar-collection-location-ok",), "MKCALENDAR", bad.books + "new/", body("c:mkcalendar", made("VEVENT")))
    bad.expect("MKCALENDAR of what nobody knows", (403,), ("c:supported-calendar-component", "c:supported-calendar-component-set"), "MKCALENDAR", new, body("c:mkcalendar", made("VFROB")))
    bad.expect("MKCALENDAR with another root", (400, 403, 415, 422), (), "MKCALENDAR", new, body("d:propfind", "<d:allprop/>"))
    zone = "<d:set><d:prop><c:calendar-timezone>{}</c:calendar-timezone></d:prop></d:set>"
    bad.expect("MKCALENDAR with a zone that is none", (403, 207), ("c:valid-calendar-data",), "MKCALENDAR", new, body("c:mkcalendar", zone.format("hello")))
    both = bad.dav.ask("MKCALENDAR", new, body("c:mkcalendar", made("VEVENT", "VTODO")))
    if both.status == 201:
        kinds = next(iter(bad.dav.propfind(new, "c:supported-calendar-component-set").values())).components
        if {"VEVENT", "VTODO"} <= kinds and not bad.place.radicale:
            bad.wrong.append(f"events and tasks in one calendar: {kinds}")
        bad.dav.delete(new)
    kind = "<d:set><d:prop><d:resourcetype><d:collection/>{}</d:resourcetype></d:prop></d:set>"
    bad.expect("MKCOL of a kind that nobody knows", (403,), ("d:valid-resourcetype",), "MKCOL", new, body("d:mkcol", kind.format("<x:y xmlns:x='urn:x'/>")))
    bad.expect("MKCOL of both kinds", (403,), ("d:valid-resourcetype",), "MKCOL", new, body("d:mkcol", kind.format("<c:calendar/><card:addressbook/>")))
    bad.expect("MKCOL with a body that is none", (400, 415), (), "MKCOL", new, "hello", Content_Type="text/plain")
    for path in (bad.principal, bad.calendars, bad.books, "/dav/", "/"):
        bad.expect(f"DELETE of {path}", (403, 404, 405, 409), (), "DELETE", path)
        bad.expect(f"PUT on {path}", (403, 404, 405, 409, 415), (), "PUT", path, event("x", "X"), Content_Type="text/calendar")
        bad.expect(f"MOVE of {path}", (400, 403, 404, 405, 409, 502), (), "MOVE", path, Destination=bad.calendars + "moved/")
    bad.expect("PUT into the home", (403, 405, 409), (), "PUT", bad.calendars + "loose.ics", event("x", "X"), Content_Type="text/calendar")
    bad.expect("PUT below an object", (403, 404, 405, 409), (), "PUT", bad.events + "kept.ics/x.ics", event("x", "X"), Content_Type="text/calendar")
    bad.expect("a collection into itself", (403, 409), (), "COPY", bad.events, Destination=bad.events + "self/")
    bad.expect("an event among cards", (403, 409), ("card:supported-address-data", "card:valid-address-data"), "COPY", bad.events + "kept.ics", Destination=bad.cards + "kept.ics")
    bad.expect("a UID twice by COPY", (403, 409), ("c:no-uid-conflict",), "COPY", bad.events + "kept.ics", Destination=bad.events + "again.ics")
    if not bad.place.radicale:
        directory = bad.books + "directory/"
        bad.expect("PUT into the organisation's directory", (403, 404, 405), (), "PUT", directory + "x.vcf", card("x", "X Y"), Content_Type=VCF)
        bad.expect("DELETE of the organisation's directory", (403, 404, 405), (), "DELETE", directory)


def hrefs(bad):
    good = event("new", "New")
    for name in ("..", ".", "%2e%2e", "%2e%2e%2f%2e%2e%2fx.ics", "a%2fb.ics", "%00.ics", "a%0d%0ab.ics", "%ff%fe.ics", "%c0%ae%c0%ae", "%zz.ics", "%", "x" * 5000 + ".ics", "a/../../b.ics",
        "%7f.ics", "a%2"):
        bad.expect(f"PUT at {name[:40]!r}", FORBIDDEN, (), "PUT", bad.events + name, good, Content_Type="text/calendar")
        bad.expect(f"GET of {name[:40]!r}", (200, 207) + FORBIDDEN if name in (".", "..", "%2e%2e") else FORBIDDEN, (), "GET", bad.events + name)
    # Strange, and names all the same: what was put is listed and comes back.
    for name in ("a%20b.ics", "%C3%BC.ics", "%F0%9F%8E%89.ics", "a&b'c\"d%3Ce%3E.ics".replace('"', "%22"), "no-ending", "a;b=c,d@e!.ics", "a%25b.ics", "a%3Fb%23c.ics", "CON.ics", "/x.ics",
        "x" * 200 + ".ics"):
        before = bad.snapshot()
        answer = bad.dav.ask("PUT", bad.events + name, event("strange", "Strange"), Content_Type="text/calendar")
        new = set(bad.snapshot()) - set(before)
        if answer.status != 201 or len(new) != 1 or bad.dav.ask("GET", next(iter(new))).status != 200 or "Strange" not in bad.dav.ask("GET", bad.events + name).text:
            bad.wrong.append(f"the name {name!r}: {answer.status}, listed as {new}")
        if bad.dav.ask("DELETE", bad.events + name).status not in (200, 204):
            bad.wrong.append(f"the name {name!r} cannot be deleted")
    for path in ("/dav/../etc/passwd", "/dav/%2e%2e/%2e%2e/etc/passwd", "/dav//", "/dav/calendars", "/dav/calendars/", "/dav/calendars/nobody/", "/dav/principals/", "/dav/principals/nobody/",
        "/dav/frob/", "/dav/calendars/" + "x" * 3000 + "/"):
        for method in ("GET", "PUT", "DELETE", "MKCOL"):
            bad.expect(f"{method} {path[:40]}", (200, 207, 301, 302, 303, 307, 308) + FORBIDDEN if method == "GET" else (301, 302, 307, 308) + FORBIDDEN, (), method, path,
                good if method == "PUT" else None)


def fields(bad):
    kept = bad.events + "kept.ics"
    for destination, statuses in ((None, (400,)), ("", (400, 403, 409)), ("nonsense", (400, 403, 404, 409, 502)), ("http://elsewhere.test/x.ics", (403, 502)), ("ftp://x/y", (400, 403, 502)),
        (bad.events + "../../../x", FORBIDDEN), ("/", (403, 404, 405, 409)),
                                  ("/dav/calendars/nobody/calendar/x.ics", (403, 404, 409)), (kept, (403,)), ("/" + "x" * 6000, FORBIDDEN)):
        for method in ("COPY", "MOVE"):
            bad.expect(f"{method} to {str(destination)[:40]}", statuses, (), method, kept, Destination=destination)
    bad.expect("Overwrite: X", (400,), (), "COPY", kept, Destination=bad.events + "copy.ics", Overwrite="X")
    new = bad.events + "new.ics"
    changed = event("kept", "Changed")
    for name, value, statuses in (("If_Match", '"nothing"', (412,)), ("If_Match", "nonsense", (400, 412)), ("If_None_Match", "*", (412,)), ("If", "(<nonsense>", (400, 412)),
        ("If", '(["nothing"])', (412,)),
                                  ("If", "()" * 5000, (400, 412, 431)), ("If", "(<opaquelocktoken:0>)", (412, 400, 423))):
        bad.expect(f"PUT with {name}: {value[:30]}", statuses, (), "PUT", kept, changed, Content_Type="text/calendar", **{name: value})
    bad.expect("If-Match: * where nothing is", (412,), (), "PUT", new, event("new", "New"), Content_Type="text/calendar", If_Match="*")
    bad.expect("DELETE with another tag", (412,), (), "DELETE", kept, If_Match='"nothing"')
    bad.expect("a content that is encoded in a way of its own", (400, 403, 415), (), "PUT", new, event("new", "New"), Content_Type="text/calendar", Content_Encoding="frob")
    # RFC 9110 §11.6: no sign-in is no crash, and tells nothing.
    for value in ("Basic", "Basic !!!", "Basic OjpA", "Basic " + "QUJD" * 5000, "Bearer nonsense", "Negotiate abc", "Basic YQ==", "Basic /w=="):
        bad.expect(f"Authorization: {value[:24]}", (400, 401, 431), (), "PROPFIND", "/dav/", None, 0, Authorization=value)


def methods(bad):
    for method in ("LOCK", "UNLOCK", "FROB", "PATCH", "TRACE", "CONNECT", "ACL", "BIND", "MKREDIRECTREF", "VERSION-CONTROL", "SEARCH"):
        answer = bad.expect(f"{method} of an event", (400, 403, 404, 405, 415, 501), (), method, bad.events + "kept.ics")
        if answer.status == 405 and not answer.fields.get("allow"):
            bad.wrong.append(f"{method}: 405 without Allow")
    # RFC 6764 §5: a client may begin with any method, and goes where it is sent; without signing in it may be asked to first.
    for place in () if bad.place.radicale else ("/.well-known/caldav", "/.well-known/carddav"):
        for method in ("GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "POST"):
            for client in (bad.dav, bad.place.client()):
                answer = client.ask(method, place)
                sent = answer.fields.get("location", "")
                if not (answer.status in (301, 302, 307, 308) and sent.endswith("/dav/") or answer.status == 401 and client.user is None):
                    bad.wrong.append(f"{method} {place} by {client.user}: {answer.status} {sent}")
    answer = bad.dav.ask("OPTIONS", bad.events)
    offered = {one.strip() for one in answer.fields.get("dav", "").split(",")}
    if not bad.place.radicale and ("2" in offered or not {"1", "3", "access-control", "calendar-access", "addressbook", "extended-mkcol"} <= offered):
        bad.wrong.append(f"OPTIONS offers {offered}")
    if re.search(r"\b(UN)?LOCK\b", answer.fields.get("allow", "")) and not bad.place.radicale:
        bad.wrong.append("OPTIONS offers locks")


GROUPS = (xml, depth, events, cards, reports, collections, hrefs, fields, methods)


def main():
    words = [word for word in sys.argv[1:] if word != "--radicale"]
    chosen = [group for group in GROUPS if not words or group.__name__ in words]
    place = Place("bad", "--radicale" in sys.argv)

    def test(group):
        bad = Bad(place)
        group(bad)
        bad.done()
    return run("dav bad", [(group.__name__, lambda group=group: test(group)) for group in chosen], place)


if __name__ == "__main__":
    sys.exit(main())
