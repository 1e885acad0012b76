"""A small client of WebDAV, CalDAV and CardDAV, and things to put there. Standard library only.

It knows the standards and no server: whoever signs in finds their collections by asking (RFC 5397, RFC 4791 §6.2.1, RFC 6352 §7.1.1).
"""
import base64
import http.client
import socket
import time
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

D, C, CARD, CS, ICAL = "DAV:", "urn:ietf:params:xml:ns:caldav", "urn:ietf:params:xml:ns:carddav", "http://calendarserver.org/ns/", "http://apple.com/ns/ical/"
PREFIXES = {"d": D, "c": C, "card": CARD, "cs": CS, "ical": ICAL}
DECLARED = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in PREFIXES.items())
XML = "application/xml; charset=utf-8"
ICS, VCF = "text/calendar; charset=utf-8", "text/vcard; charset=utf-8"


def q(name):
    """"d:href" -> "{DAV:}href", as ElementTree names it"""
    prefix, _, local = name.rpartition(":")
    return f"{{{PREFIXES[prefix]}}}{local}" if prefix in PREFIXES else name


def short(tag):
    """The other way round."""
    space, _, local = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
    return next((f"{prefix}:{local}" for prefix, name in PREFIXES.items() if name == space), tag)


def body(root, inner):
    return f'<?xml version="1.0" encoding="utf-8"?><{root} {DECLARED}>{inner}</{root}>'


def props(*names):
    return "<d:prop>" + "".join(f"<{name}/>" for name in names) + "</d:prop>"


class Answer:
    def __init__(self, request, status, fields, content):
        self.request, self.status, self.content = request, status, content
        self.fields = {}
        for name, value in fields:
            name = name.lower()
            self.fields[name] = self.fields[name] + ", " + value if name in self.fields else value

    @property
    def text(self):
        return self.content.decode("utf-8", errors="replace")

    @property
    def xml(self):
        return ET.fromstring(self.content)

    @property
    def etag(self):
        return self.fields.get("etag")

    @property
    def precondition(self):
        """The elements within DAV:error (RFC 4918 §16), as short names."""
        try:
            root = self.xml
        except ET.ParseError:
            return []
        errors = [root] if root.tag == q("d:error") else root.iter(q("d:error"))
        return [short(one.tag) for error in errors for one in error]

    @property
    def responses(self):
        return {one.href: one for one in map(Response, self.xml.findall(q("d:response")))}

    @property
    def sync_token(self):
        return self.xml.findtext(q("d:sync-token"))

    def __repr__(self):
        fields = {name: value for name, value in self.fields.items() if name in ("etag", "location", "dav", "allow", "www-authenticate", "content-type")}
        return f"{self.request} -> {self.status} {fields} {self.text[:600]}"


class Response:
    """One response of a multistatus: its properties by status."""

    def __init__(self, element):
        self.hrefs = [one.text.strip() for one in element.findall(q("d:href"))]
        self.href = path_of(self.hrefs[0])
        status = element.findtext(q("d:status"))
        self.status = int(status.split()[1]) if status else None
        self.found, self.missing = {}, {}
        for propstat in element.findall(q("d:propstat")):
            code = int(propstat.findtext(q("d:status")).split()[1])
            for one in propstat.find(q("d:prop")):
                if code == 200:
                    self.found[short(one.tag)] = one
                else:
                    self.missing[short(one.tag)] = code

    def text(self, name):
        one = self.found.get(name)
        return None if one is None else (one.text or "")

    def href_in(self, name):
        one = self.found.get(name)
        return None if one is None else path_of((one.findtext(q("d:href")) or "").strip()) or None

    @property
    def kinds(self):
        """The resource's types as short names; nothing for what is no collection."""
        return {short(one.tag) for one in self.found.get("d:resourcetype", ())}

    @property
    def components(self):
        return {one.get("name") for one in self.found.get("c:supported-calendar-component-set", ())}


def path_of(href):
    return urllib.parse.urlsplit(href).path


class Dav:
    """Somebody who asks, over one connection that is kept. `again`: what was sent on one that is gone is sent once more."""

    def __init__(self, host, port, user=None, password=None, timeout=60, agent="penfold-tests", again=True):
        self.host, self.port, self.user, self.password, self.timeout, self.agent, self.line = host, port, user, password, timeout, agent, None
        self._home, self.again, self.cut = None, again, False

    def ask(self, method, path, content=None, depth=None, **fields):
        """Underscores in a field's name become hyphens."""
        head = {name.replace("_", "-"): value for name, value in fields.items() if value is not None}
        head.setdefault("User-Agent", self.agent)
        if self.user is not None and "Authorization" not in head:
            head["Authorization"] = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if depth is not None:
            head["Depth"] = str(depth)
        if isinstance(content, str):
            content = content.encode()
        if content and not any(name.lower() == "content-type" for name in head):
            head["Content-Type"] = XML
        for last in (False, True):
            fresh = self.line is None
            try:
                if fresh:
                    self.line = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
                    self.line.connect()
                    self.line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                begin = time.perf_counter()
                try:
                    self.line.request(method, path, content, head)
                except (BrokenPipeError, ConnectionResetError):
                    # Refused before all of it was read; the answer says why.
                    pass
                got = self.line.getresponse()
                answer = Answer(f"{method} {path}", got.status, got.getheaders(), got.read())
                # From the question to the last octet of the answer: what a client makes of it is its own.
                self.seconds = time.perf_counter() - begin
                if got.will_close:
                    self.close()
                return answer
            except (http.client.HTTPException, OSError):
                # A connection that was kept may be gone; a new one says what is the matter.
                self.close()
                if last or fresh or not self.again:
                    raise

    def close(self):
        if self.line:
            self.line.close()
        self.line = None

    def propfind(self, path, *names, depth=0, status=207):
        """{path: Response}"""
        answer = expect(self.ask("PROPFIND", path, body("d:propfind", props(*names)) if names else None, depth), status)
        return answer.responses

    def prop(self, path, name):
        """The text of one property of one resource, or None."""
        return next(iter(self.propfind(path, name).values())).text(name)

    def proppatch(self, path, **values):
        """`ical__calendar_color="#ff0000"` sets a property, None removes it."""
        inner = ""
        for name, value in values.items():
            name = name.replace("__", ":").replace("_", "-")
            inner += f"<d:remove>{props(name)}</d:remove>" if value is None else f"<d:set><d:prop><{name}>{escape(value)}</{name}></d:prop></d:set>"
        return self.ask("PROPPATCH", path, body("d:propertyupdate", inner))

    def report(self, path, root, inner, depth=1, status=207):
        return expect(self.ask("REPORT", path, body(root, inner), depth), status)

    def sync(self, path, token="", *names):
        """RFC 6578: (what is there or changed: {path: Response}, paths that are gone, the new token)"""
        answer = self.report(path, "d:sync-collection", f"<d:sync-token>{escape(token)}</d:sync-token><d:sync-level>1</d:sync-level>{props('d:getetag', *names)}", depth=0)
        every = answer.responses
        # Whether there is more, which comes by the new token (§3.6).
        self.cut = any(one.status == 507 for one in every.values())
        return ({href: one for href, one in every.items() if one.status is None}, sorted(href for href, one in every.items() if one.status == 404), answer.sync_token)

    def query(self, path, component, start=None, end=None, data="<c:calendar-data/>", inner=""):
        """calendar-query of one kind of component, within a time where it is given: {path: Response}"""
        time = f'<c:time-range start="{start}"' + (f' end="{end}"/>' if end else "/>") if start else ""
        asked = (f"<d:prop><d:getetag/>{data}</d:prop><c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"{component}\">{time}{inner}"
                 "</c:comp-filter></c:comp-filter></c:filter>")
        return self.report(path, "c:calendar-query", asked).responses

    def put(self, path, content, *statuses, kind=None, **fields):
        kind = kind or (VCF if path.endswith(".vcf") else ICS if path.endswith(".ics") else "application/octet-stream")
        return expect(self.ask("PUT", path, content, Content_Type=kind, **fields), *(statuses or (200, 201, 204)))

    def get(self, path, *statuses):
        return expect(self.ask("GET", path), *(statuses or (200,)))

    def delete(self, path, *statuses, **fields):
        return expect(self.ask("DELETE", path, **fields), *(statuses or (200, 204)))

    # What belongs to whoever signed in.

    def home(self):
        """{"principal", "calendars", "addressbooks"}: paths, found as clients find them."""
        if self._home is None:
            principal, at = None, "/"
            for at in ("/.well-known/caldav", "/dav/", "/"):
                answer = self.ask("PROPFIND", at, body("d:propfind", props("d:current-user-principal")), 0)
                if answer.status in (301, 302, 307, 308):
                    at = path_of(answer.fields["location"])
                    answer = self.ask("PROPFIND", at, body("d:propfind", props("d:current-user-principal")), 0)
                if answer.status == 207:
                    principal = next(iter(answer.responses.values())).href_in("d:current-user-principal")
                    if principal:
                        break
            assert principal, f"no principal for {self.user}: {answer}"
            one = next(iter(self.propfind(principal, "c:calendar-home-set", "card:addressbook-home-set").values()))
            self._home = {"principal": principal, "calendars": one.href_in("c:calendar-home-set"), "addressbooks": one.href_in("card:addressbook-home-set")}
        return self._home

    def collections(self, which="calendars"):
        """{path: Response} of the collections in a home."""
        home = self.home()[which]
        found = self.propfind(home, "d:resourcetype", "d:displayname", "c:supported-calendar-component-set", "d:sync-token", "cs:getctag", "d:owner", "d:current-user-privilege-set", depth=1)
        return {href: one for href, one in found.items() if one.kinds & {"c:calendar", "card:addressbook"}}

    def collection(self, kind):
        """The path of one's own first one that takes VEVENT, VTODO, VJOURNAL or VCARD."""
        which, type_ = ("addressbooks", "card:addressbook") if kind == "VCARD" else ("calendars", "c:calendar")
        own = [href for href, one in self.collections(which).items() if type_ in one.kinds and (kind == "VCARD" or kind in one.components)
               and one.href_in("d:owner") in (None, self.home()["principal"]) and not href.endswith("/directory/")]
        return min(own) if own else None

    def shared_by(self, principal, which="calendars"):
        """Paths, in one's own home, of what somebody else has opened."""
        return sorted(href for href, one in self.collections(which).items() if one.href_in("d:owner") == principal)


def expect(answer, *statuses):
    """The answer, which has one of these statuses."""
    assert answer.status in (statuses or (200, 201, 204, 207)), f"expected {statuses or '2xx'}: {answer}"
    return answer


# What is put there.

BERLIN = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""


def calendar(*components):
    """Whole text with CRLF out of components in lines."""
    lines = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Penfold//tests//EN\n" + "".join(one if one.endswith("\n") else one + "\n" for one in components) + "END:VCALENDAR\n"
    return lines.replace("\n", "\r\n")


def component(kind, uid, *lines):
    return f"BEGIN:{kind}\nUID:{uid}\nDTSTAMP:20261101T000000Z\n" + "".join(line + "\n" for line in lines) + f"END:{kind}\n"


def event(uid, summary, start="20261201T090000Z", end="20261201T100000Z", *lines):
    zone = [BERLIN] if any("TZID=Europe/Berlin" in text for text in (start, end or "", *lines)) else []

    def dated(name, value):
        return f"{name};{value}" if "=" in value else f"{name}:{value}"
    return calendar(*zone, component("VEVENT", uid, dated("DTSTART", start), *([dated("DTEND", end)] if end else []), f"SUMMARY:{summary}", *lines))


def todo(uid, summary, *lines):
    return calendar(component("VTODO", uid, f"SUMMARY:{summary}", *lines))


def card(uid, name, *lines, version="3.0"):
    family, given = name.split()[-1], name.split()[0]
    return "".join(line + "\r\n" for line in ("BEGIN:VCARD", f"VERSION:{version}", f"UID:{uid}", f"FN:{name}", f"N:{family};{given};;;", *lines, "END:VCARD"))
