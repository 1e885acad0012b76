"""Load on calendars and contacts whose every answer is written down, and the check that the server kept its word.

A `Client` has names and collections of its own, among those of others, and a picture of them: what it was told last. While it waits for an
answer there are two pictures, before and after; after a kill what is there is one of them, and nothing between. `Rivals` share names and
replace by entity tags: each version is replaced once. A `Follower` knows a person's collections by sync-collection alone.
"""
import copy
import datetime
import http.client
import random
import re
import threading
import time

from penfold_dav import ICS, VCF, Dav, body, card, event, props
from penfold_load import PASSWORD

ENDED = (OSError, http.client.HTTPException)
FIRST = datetime.datetime(2026, 1, 1)
MARK = "cs:x-mark"
VERSION = re.compile("Version .*")
REFUSED = (403, 409, 412)
STEADY = ("20270601T090000Z", "20270601T100000Z")
HOLDS = 14  # objects of one client


class Later(Exception):
    """The server asked to come again: whether it was done is not known."""


class Thing:
    """An object; `etag`: None where nobody told it yet."""
    __slots__ = ("content", "etag", "mark")

    def __init__(self, content, etag=None, mark=None):
        self.content, self.etag, self.mark = content, etag, mark

    def fits(self, seen):
        return self.content == seen.content and self.mark == seen.mark and self.etag in (None, seen.etag)

    def __repr__(self):
        return f"{self.etag} {uid_of(self.content)}:{len(self.content)} mark {self.mark}"


class Picture:
    """Collections as {path: (name, colour)}, objects as {path: Thing}."""

    def __init__(self, collections=None, things=None):
        self.collections, self.things = dict(collections or {}), dict(things or {})

    def copy(self):
        return Picture(self.collections, self.things)

    def differs(self, seen):
        """What is otherwise there, or nothing."""
        out = []
        for what, own, other, same in (("collection", self.collections, seen.collections, lambda a, b: a == b), ("object", self.things, seen.things, Thing.fits)):
            out += [f"{what} {path} is missing: {own[path]}" for path in own if path not in other]
            out += [f"{what} {path} should not be there: {other[path]}" for path in other if path not in own]
            out += [f"{what} {path} is {other[path]}, not {own[path]}" for path in own if path in other and not same(own[path], other[path])]
        return out


def uid_of(content):
    return re.search(r"^UID:(\S+)", content, re.M).group(1)


def folder_of(path):
    return path.rstrip("/").rsplit("/", 1)[0] + "/"


def segment_of(path):
    return path.rstrip("/").rsplit("/", 1)[1]


def stamp(at):
    return f"{at:%Y%m%dT%H%M%SZ}"


def instant(text):
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")


def content_of(kind, uid, number, rnd):
    """A version: of all lengths in time, some of them series, some too large for a row."""
    large = ["X" * 60] * (400 if rnd.random() < 0.05 else rnd.randrange(3))
    if kind == "VCARD":
        return card(uid, f"Version {number}", *(f"NOTE:{line}" for line in large))
    hours = rnd.choice((1, 1, 1, 26, 240, 2400, 17000))
    start = FIRST + datetime.timedelta(minutes=15 * rnd.randrange(400 * 96))
    series = [rnd.choice(("RRULE:FREQ=DAILY;COUNT=7", "RRULE:FREQ=WEEKLY"))] if hours == 1 and rnd.random() < 0.4 else []
    return event(uid, f"Version {number}", stamp(start), stamp(start + datetime.timedelta(hours=hours)), *series, *(f"COMMENT:{line}" for line in large))


def happens(content, start, end):
    """Whether something of an event lies in the window (RFC 4791 §9.9)."""
    begin, stop = (instant(re.search(rf"^{name}:(\S+)", content, re.M).group(1)) for name in ("DTSTART", "DTEND"))
    rule = re.search(r"^RRULE:FREQ=(\w+)(?:;COUNT=(\d+))?", content, re.M)
    if not rule:
        return begin < end and stop > start
    step = datetime.timedelta(days=7 if rule.group(1) == "WEEKLY" else 1)
    first = max(0, (start - stop) // step + 1)
    return (not rule.group(2) or first < int(rule.group(2))) and begin + first * step < end


class Book:
    """What all have in common: counts, what was wrong, and that an entity tag names one content for ever. `done`: of what is unknown, what clients
    found done; `later`: 503."""

    def __init__(self):
        self.lock, self.wrong, self.tags, self.doubted, self.acks, self.requests, self.unknown, self.done, self.later = threading.Lock(), [], {}, set(), {}, 0, 0, 0, 0

    def saw(self, etag, content, where):
        with self.lock:
            old, told = self.tags.setdefault(etag, (content, where))
            if old != content and etag not in self.doubted:
                self.doubted.add(etag)
                self.wrong.append(f"{etag} has two contents: {VERSION.findall(old)} by {told}, {VERSION.findall(content)} by {where}")

    def count(self, kind):
        with self.lock:
            self.acks[kind] = self.acks.get(kind, 0) + 1

    def fail(self, text):
        with self.lock:
            self.wrong.append(text)


class Talker:
    """Somebody on a connection, who never sends anything twice."""

    def __init__(self, book, person, port, label, seed):
        self.book, self.person, self.port, self.label, self.rnd, self.dav, self.number = book, person, port, label, random.Random(f"{seed}/{label}"), None, 0

    def connect(self):
        self.dav = Dav("127.0.0.1", self.port, self.person, PASSWORD, timeout=30)
        self.dav.home()
        self.dav.again, self.broken = False, None

    def ask(self, *args, **fields):
        self.book.requests += 1
        answer = self.dav.ask(*args, **fields)
        if answer.status == 503:
            self.book.later += 1
            raise Later(str(answer))
        return answer

    def fresh(self):
        self.number += 1
        return self.number

    def put(self, path, content, **fields):
        answer = self.ask("PUT", path, content, Content_Type=VCF if path.endswith(".vcf") else ICS, **fields)
        if answer.status in (201, 204):
            assert answer.etag, f"without an entity tag: {answer}"
            self.book.saw(answer.etag, content, f"{self.label}: PUT {path}")
        return answer

    def turns(self, go):
        """Until `go` says no, or the connection ends."""
        try:
            while go():
                self.turn()
        except TimeoutError:
            self.book.fail(f"{self.label}: no answer within the deadline")
        except (*ENDED, Later) as e:
            self.broken = f"{self.label}: {type(e).__name__} {e}"
        except Exception as e:
            self.book.fail(f"{self.label}: {type(e).__name__} {e}")
        finally:
            self.dav.close()


class Client(Talker):
    def __init__(self, book, person, port, label, seed, kind, fixed):
        super().__init__(book, person, port, label, seed)
        self.kind, self.fixed, self.end, self.states, self.freed = kind, fixed, ".vcf" if kind == "VCARD" else ".ics", [Picture()], []

    def owns(self, path):
        return segment_of(path).startswith(self.label + "-")

    @property
    def now(self):
        return self.states[0]

    def do(self, kind, after, *request, may=True, **fields):
        """One request: what becomes of it is `after`, or, where it may not be, nothing. The answer, where it was done."""
        self.states = [self.now, after]
        try:
            answer = self.put(*request, **fields) if kind in ("put", "replace", "conflict") else self.ask(*request, **fields)
        except (*ENDED, Later):
            self.book.unknown += 1
            raise
        done = answer.status in (200, 201, 204) or answer.status == 207 and not next(iter(answer.responses.values())).missing
        if done == may and (done or answer.status in REFUSED):
            self.states = [after if done else self.now]
            self.book.count(kind if done else "refused")
            return answer if done else None
        raise AssertionError(f"{kind} should be {'done' if may else 'refused'}: {answer}")

    def turn(self):
        things = self.now.things
        if len(things) < 4 or len(things) < HOLDS and self.rnd.random() < 0.2:
            return self.new()
        act = self.rnd.choices((self.replace, self.delete, self.move, self.copy, self.mark, self.conflict, self.stale, self.make, self.rename, self.drop),
                               (6, 3, 6, 4, 3, 1, 1, 2, 2, 1))[0]
        act()

    def some(self):
        path = self.rnd.choice(sorted(self.now.things))
        return path, self.now.things[path]

    def somewhere(self):
        return self.rnd.choice(sorted(self.now.collections) + self.fixed)

    def named_in(self, folder, content):
        """Under which name this UID is in a collection."""
        return next((path for path, thing in self.now.things.items() if folder_of(path) == folder and uid_of(thing.content) == uid_of(content)), None)

    def new(self):
        n = self.fresh()
        path = f"{self.somewhere()}{self.label}-{n}{self.end}"
        # Names and UIDs of what was deleted are free again.
        if self.freed and self.rnd.random() < 0.4:
            old, uid = self.freed.pop()
            if self.rnd.random() < 0.5 and old not in self.now.things and folder_of(old) in [*self.now.collections, *self.fixed]:
                path = old
        else:
            uid = f"{self.label}-{n}"
        content = content_of(self.kind, uid, n, self.rnd)
        after = self.now.copy()
        thing = after.things[path] = Thing(content)
        taken = self.named_in(folder_of(path), content)
        answer = self.do("put", after, path, content, may=not taken, If_None_Match=self.rnd.choice(("*", None)))
        if answer:
            thing.etag = answer.etag

    def replace(self):
        path, old = self.some()
        content, after = content_of(self.kind, uid_of(old.content), self.fresh(), self.rnd), self.now.copy()
        thing = after.things[path] = Thing(content, None, old.mark)
        answer = self.do("replace", after, path, content, If_Match=old.etag)
        if answer:
            thing.etag = answer.etag

    def stale(self):
        path, old = self.some()
        self.do("replace", self.now.copy(), path, content_of(self.kind, uid_of(old.content), self.fresh(), self.rnd), may=False, If_Match='"0123456789abcdef"')

    def conflict(self):
        path, old = self.some()
        other = f"{folder_of(path)}{self.label}-c{self.fresh()}{self.end}"
        self.do("conflict", self.now.copy(), other, content_of(self.kind, uid_of(old.content), self.number, self.rnd), may=False)

    def delete(self):
        path, old = self.some()
        after = self.now.copy()
        del after.things[path]
        self.do("delete", after, "DELETE", path, If_Match=self.rnd.choice((old.etag, None)))
        self.freed.append((path, uid_of(old.content)))

    def target(self, path):
        """Somewhere else, now and then where something is already."""
        if self.rnd.random() < 0.3:
            return self.rnd.choice(sorted(self.now.things))
        return f"{self.somewhere()}{self.rnd.choice((segment_of(path), f'{self.label}-{self.fresh()}{self.end}'))}"

    def move(self):
        path, thing = self.some()
        to = self.target(path)
        if to == path:
            return
        after, taken, overwrite = self.now.copy(), self.named_in(folder_of(to), thing.content), self.rnd.random() < 0.7
        del after.things[path]
        after.things[to] = thing
        may = (overwrite or to not in self.now.things) and (folder_of(to) == folder_of(path) or taken in (None, to))
        self.do("move", after, "MOVE", path, may=may, Destination=to, Overwrite="T" if overwrite else "F")

    def copy(self):
        path, thing = self.some()
        to = self.target(path)
        if to == path:
            return
        after, taken, there = self.now.copy(), self.named_in(folder_of(to), thing.content), self.now.things.get(to)
        after.things[to] = Thing(thing.content, None, thing.mark)
        # RFC 4791 §5.3.2.1: one UID is there once, and what is replaced keeps its own.
        may = taken in (None, to) and (there is None or taken == to)
        self.do("copy", after, "COPY", path, may=may, Destination=to)

    def mark(self):
        path, old = self.some()
        after, mark = self.now.copy(), self.rnd.choice((f"m{self.fresh()}", None))
        after.things[path] = Thing(old.content, old.etag, mark)
        self.do("proppatch", after, "PROPPATCH", path, patch({MARK: mark}))

    def named(self):
        n = self.fresh()
        return f"Name {n}", f"#{n % 0xFFFFFF:06x}"

    def make(self):
        free = [path for path in (f"{folder_of(self.fixed[0])}{self.label}-{word}/" for word in "ab") if path not in self.now.collections]
        if not free:
            return
        path, after, (name, colour) = self.rnd.choice(free), self.now.copy(), self.named()
        after.collections[path] = (name, colour)
        inner = f"<d:displayname>{name}</d:displayname><ical:calendar-color>{colour}</ical:calendar-color>"
        if self.kind == "VCARD":
            inner += "<d:resourcetype><d:collection/><card:addressbook/></d:resourcetype>"
        method, root = ("MKCOL", "d:mkcol") if self.kind == "VCARD" else ("MKCALENDAR", "c:mkcalendar")
        self.do("make", after, method, path, body(root, f"<d:set><d:prop>{inner}</d:prop></d:set>"))

    def rename(self):
        if self.now.collections:
            path, after, (name, colour) = self.rnd.choice(sorted(self.now.collections)), self.now.copy(), self.named()
            after.collections[path] = (name, colour)
            self.do("rename", after, "PROPPATCH", path, patch({"d:displayname": name, "ical:calendar-color": colour}))

    def drop(self):
        if self.now.collections:
            path, after = self.rnd.choice(sorted(self.now.collections)), self.now.copy()
            del after.collections[path]
            after.things = {href: thing for href, thing in after.things.items() if folder_of(href) != path}
            self.do("drop", after, "DELETE", path)

    def settle(self, seen, gentle=False):
        """What is there is what was told last, or what one request without an answer makes of it. Whoever ends of itself answers what it does."""
        if gentle:
            self.states = [self.now]
        differences = [state.differs(seen) for state in self.states]
        if differences[0] and not differences[-1]:
            self.book.done += 1
        if all(differences):
            self.book.fail(f"{self.label}: " + "\n  or, had the last request been done: ".join("; ".join(one) for one in differences))
        self.states = [seen]


def patch(values):
    inner = "".join(f"<d:remove>{props(name)}</d:remove>" if value is None else f"<d:set><d:prop><{name}>{value}</{name}></d:prop></d:set>" for name, value in values.items())
    return body("d:propertyupdate", inner)


class Race:
    """Versions of one name by whoever was answered, which of them were replaced, and what nobody knows."""

    def __init__(self):
        self.versions, self.replaced, self.open, self.won, self.late = {}, set(), [], 0, 0

    def settle(self, seen, steady):
        left = set(self.versions) - self.replaced - {seen.etag if seen else None}
        lost = left - {etag for etag, _ in self.open}
        wrong = [f"{etag} was acknowledged and is lost" for etag in lost]
        if seen and seen.etag in self.replaced:
            wrong.append(f"{seen.etag} was replaced and is there again")
        elif seen and seen.etag not in self.versions and seen.content not in [content for _, content in self.open]:
            wrong.append(f"{seen} was never put")
        if steady and self.versions and not seen:
            wrong.append("it was never deleted, and is gone")
        self.versions, self.replaced, self.open = {seen.etag: seen.content} if seen else {}, set(), []
        return wrong


class Rival(Talker):
    """One of some who replace the same few objects, each by the entity tag that it read."""

    def __init__(self, book, person, port, label, seed, folder, races):
        super().__init__(book, person, port, label, seed)
        self.folder, self.races = folder, races

    def turn(self):
        path = self.rnd.choice(sorted(self.races))
        race, steady, answer = self.races[path], "steady" in path, self.ask("GET", path)
        assert answer.status in (200, 404), str(answer)
        etag = answer.etag if answer.status == 200 else None
        if etag:
            self.book.saw(etag, answer.text, f"{self.label}: GET {path}")
        elif steady and race.versions:
            raise AssertionError(f"GET of what is never deleted: {answer}")
        if etag and not steady and self.rnd.random() < 0.3:
            return self.tell(race, etag, None, lambda: self.ask("DELETE", path, If_Match=etag))
        uid = segment_of(path)[:-4]
        label = f"Version {self.fresh()} of {self.label}"
        content = event(uid, label, *STEADY) if steady else content_of("VEVENT", uid, self.number, self.rnd).replace(f"Version {self.number}", label)
        condition = {"If_Match": etag} if etag else {"If_None_Match": "*"}
        self.tell(race, etag, content, lambda: self.put(path, content, **condition))

    def tell(self, race, etag, content, request):
        own = (etag, content)
        with self.book.lock:
            race.open.append(own)
        try:
            answer = request()
        except (*ENDED, Later):
            self.book.unknown += 1
            raise
        assert answer.status in (201, 204, 404, 412), str(answer)
        with self.book.lock:
            race.open.remove(own)
            if answer.status in (404, 412):
                race.late += 1
                return
            race.won += 1
            if etag in race.replaced:
                self.book.wrong.append(f"{self.label}: {etag} was replaced twice")
            if etag:
                race.replaced.add(etag)
            if content:
                race.versions[answer.etag] = content


class Bringer(Talker):
    """Who attaches files to the same few events, replaces them and takes them off (RFC 8607)."""

    def __init__(self, book, person, port, label, seed, folder):
        super().__init__(book, person, port, label, seed)
        # Of each event: what is attached, {id: content}; and what was asked for and not answered.
        self.events, self.open = {f"{folder}{label}-{n}.ics": {} for n in range(3)}, {}

    def turn(self):
        path = self.rnd.choice(sorted(self.events))
        known, content = self.events[path], f"File {self.fresh()} of {self.label} " + "x" * self.rnd.choice((0, 100, 30_000))
        old = self.rnd.choice([None, *sorted(known)]) if len(known) < 6 else self.rnd.choice(sorted(known))
        act = "add" if old is None else self.rnd.choice(("update", "remove"))
        self.open[path] = (act, old, content)
        try:
            answer = self.ask("POST", f"{path}?action=attachment-{act}" + (f"&managed-id={old}" if old else ""), content if act != "remove" else None,
                Content_Type="text/plain", Content_Disposition="attachment; filename=f.txt")
        except (*ENDED, Later):
            self.book.unknown += 1
            raise
        assert answer.status in (201, 204), str(answer)
        del self.open[path]
        self.book.count(act + " attachment")
        known.pop(old, None)
        if act != "remove":
            known[answer.fields["cal-managed-id"]] = content

    def settle(self, dav):
        for path, known in self.events.items():
            found = {}
            for line in dav.get(path).text.replace("\r\n ", "").splitlines():
                if line.startswith("ATTACH;"):
                    answer = dav.get("/dav/attachments/" + line.split("/dav/attachments/")[1])
                    found[re.search("MANAGED-ID=([^;:]+)", line)[1]] = answer.text
            act, old, content = self.open.pop(path, (None, None, None))
            new = {one: text for one, text in found.items() if one not in known}
            after = {one: text for one, text in known.items() if one != old} | new
            if found != known and not (act and found == after and list(new.values()) == ([] if act == "remove" else [content])):
                self.book.fail(f"{path} has {sorted(found)}, and should have {sorted(known)}, with {act} of {old} under way")
            self.book.done += found != known
            self.events[path] = found


class Follower(Talker):
    """All that a person has, by what sync-collection says; also, whether what is never deleted can be read all the time."""

    def __init__(self, book, person, port, label, seed, paths, steady=None):
        super().__init__(book, person, port, label, seed)
        self.paths, self.steady, self.known, self.tokens = paths, steady, {}, {}

    def turn(self):
        self.follow(self.rnd.choice(self.paths), self.rnd.choice((None, None, 3)))
        if self.steady and self.steady[1].versions:
            self.read(self.steady[0])
        time.sleep(0.002)

    def follow(self, path, limit=None, token_must_hold=False):
        """Asks until nothing more comes. A token that is refused, or a collection that is gone, means from nothing."""
        while True:
            token = self.tokens.get(path, "")
            inner = f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>" + (f"<d:limit><d:nresults>{limit}</d:nresults></d:limit>" if limit else "") + props("d:getetag")
            answer = self.ask("REPORT", path, body("d:sync-collection", inner), 0)
            if answer.status == 403 and "d:valid-sync-token" in answer.precondition and token and not token_must_hold:
                self.forget(path)
                continue
            if answer.status == 404:
                return self.forget(path)
            assert answer.status == 207, f"{self.label}: token {token!r}: {answer}"
            known = self.known.setdefault(path, {})
            more = False
            for href, one in answer.responses.items():
                if href == path:
                    more = one.status == 507
                elif one.status == 404:
                    known.pop(href, None)
                else:
                    known[href] = one.text("d:getetag")
            self.tokens[path] = answer.sync_token
            if not more:
                return None

    def forget(self, path):
        self.known.pop(path, None)
        self.tokens.pop(path, None)

    def read(self, path):
        """By one of the ways that there are."""
        asked, window = "<d:prop><d:getetag/><c:calendar-data/></d:prop>", f'<c:time-range start="{STEADY[0]}" end="{STEADY[1]}"/>'
        what, root, inner, depth = self.rnd.choice((
            ("calendar-query by time", "c:calendar-query", asked + filtered(window), 1), ("calendar-query", "c:calendar-query", asked + filtered(""), 1),
            ("multiget", "c:calendar-multiget", asked + f"<d:href>{path}</d:href>", 1),
            ("sync-collection with data", "d:sync-collection", "<d:sync-token/><d:sync-level>1</d:sync-level>" + asked, 0)))
        answer = self.ask("REPORT", folder_of(path), body(root, inner), depth)
        one = answer.responses.get(path) if answer.status == 207 else None
        if one is None or one.status or "c:calendar-data" not in one.found:
            return self.book.fail(f"{what} leaves out {path}, which is never deleted: {answer.status}{'' if one is None else f', with {one.status}'}")
        return self.book.saw(one.text("d:getetag"), one.text("c:calendar-data"), f"{what} of {path}")


def filtered(inner):
    return f'<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">{inner}</c:comp-filter></c:comp-filter></c:filter>'


class Load:
    """All talkers at once, until the server ends or `end()`."""

    def __init__(self, talkers):
        self.ending, self.talkers = threading.Event(), talkers
        for one in talkers:
            one.connect()
        self.threads = [threading.Thread(target=one.turns, args=(lambda: not self.ending.is_set(),), daemon=True) for one in talkers]

    def start(self):
        for one in self.threads:
            one.start()
        return self

    def end(self, book, seconds=60):
        self.ending.set()
        for one in self.threads:
            one.join(seconds)
            if one.is_alive():
                book.fail("a client did not end: the server holds an answer back")


def pictures(seen, client):
    """What is there of what a client owns."""
    collections = {path: value for path, value in seen.collections.items() if client.owns(path)}
    things = {path: copy.copy(thing) for path, thing in seen.things.items() if client.owns(path) or folder_of(path) in collections}
    return Picture(collections, things)
