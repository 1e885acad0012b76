"""Calendars and address books from files and as files: each bad component reported with its line; equal again; killed in the middle; one's own alone."""
import os
import time

import penfold_testlib as lib
from company import CALENDAR, MAILBOXES, PEOPLE, calendar
from penfold_api import expect
from penfold_dav import Dav
from suite_folders import RIGHT
from world import PASSWORD

EVENTS = int(os.environ.get("API_EVENTS", "10000"))
CARDS = {"Content-Type": "text/vcard"}
# A line of an event, what makes it wrong, and the line of the component that is told then, from 0: the wrong one, or the first where it is about all of it.
WRONG = [("DTSTART:20260301T100000Z", "DTSTART:tomorrow", 3), ("SUMMARY:", "no line at all", 4), ("BEGIN:VEVENT", "BEGIN:VTODO", 0), ("RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=NEVER", 6),
    ("DURATION:PT1H", "DTSTART:20260301T110000Z", 0)]


def event(n):
    return ["BEGIN:VEVENT", f"UID:event{n}", "DTSTAMP:20260101T000000Z", "DTSTART:20260301T100000Z", f"SUMMARY:Event {n} for ä", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3", "END:VEVENT"]


def bad(n):
    old, new, _ = WRONG[n // 100 % len(WRONG)]
    lines = [new if line.startswith(old) else line for line in event(n)]
    return [line.replace("END:VEVENT", "END:VTODO") if lines[0] == "BEGIN:VTODO" else line for line in lines]


def file(count, every):
    """An iCalendar file in which each so many-th event is wrong, and the line on which each of those begins."""
    lines, wrong = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Penfold//Calendar//EN"], {}
    for n in range(count):
        if n % every == every - 1:
            wrong[n] = len(lines) + 1
        lines += bad(n) if n in wrong else event(n)
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode(), wrong


class Owner:
    def __init__(self, world, local="ann", tenant=None, domain=None):
        n = world.number()
        self.world, self.domain = world, domain or f"c{n}.test"
        self.tenant = tenant or world.tenant(f"Calendars {n}", self.domain)
        self.address = f"{local}@{self.domain}"
        world.person(self.tenant, self.address)
        self.sign_in()

    def sign_in(self):
        self.client = self.world.sign_in(self.address)
        self.dav = Dav("127.0.0.1", self.world.port["http"], self.address, PASSWORD)

    def order(self, content, collection=None, fields=CALENDAR, status=202, **how):
        one = expect(self.client.post("/v1/me/imports", {"collection": collection or calendar(self.client), **how}), 201)["id"]
        expect(self.client.put("/v1/me/imports/{import}/content", content, fields=fields, **{"import": one}), status)
        return one

    def ended(self, one, kind="imports"):
        seen = []

        def found():
            now = expect(self.client.get(f"/v1/me/{kind}/{one}"), 200)
            seen.append(now["done"] + now["failed"])
            return now if now["state"] not in ("uploading", "waiting", "running") else None
        now = lib.wait_until(found, 600, 0.1, f"the end of the {kind}")
        assert seen == sorted(seen), f"progress goes one way: {seen}"
        return now.body, len(set(seen))

    def problems(self, one):
        found, cursor = [], None
        while True:
            page = expect(self.client.get(f"/v1/me/imports/{one}/problems", query={"cursor": cursor} if cursor else None), 200)
            found += page["items"]
            cursor = page.body.get("next")
            if not cursor:
                return found

    def taken_out(self, collection=None):
        one = expect(self.client.post("/v1/me/exports", {"collection": collection or calendar(self.client)}), 202)["id"]
        now, _ = self.ended(one, "exports")
        assert (now["state"], now["failed"], now["done"]) == ("done", 0, now["total"]), now
        return one, expect(self.client.get(f"/v1/me/exports/{one}/content"), 200)


def components(text):
    return sorted("BEGIN:VEVENT" + part.split("END:VEVENT")[0] for part in text.split("BEGIN:VEVENT")[1:])


def test_a_large_calendar(world):
    """Every hundredth is wrong, in five ways: those are told with their lines; the others are there for a client, and come out equal."""
    owner = Owner(world)
    content, wrong = file(EVENTS, 100)
    begin = time.monotonic()
    one = owner.order(content)
    now, states = owner.ended(one)
    seconds = time.monotonic() - begin
    assert (now["state"], now["done"], now["failed"], now["total"]) == ("done", EVENTS - len(wrong), len(wrong), EVENTS), now
    found = sorted(problem["line"] for problem in owner.problems(one))
    assert found == [line + WRONG[n // 100 % len(WRONG)][2] for n, line in wrong.items()], (found[:10], list(wrong.items())[:10])
    there = owner.dav.query(owner.dav.collection("VEVENT"), "VEVENT", "20260301T000000Z", "20260302T000000Z", data="")
    assert len(there) == EVENTS - len(wrong)
    _, out = owner.taken_out()
    other = Owner(world, "bob", owner.tenant, owner.domain)
    again, _ = other.ended(other.order(out.text.encode(), existing="refuse"))
    assert (again["state"], again["done"], again["failed"]) == ("done", EVENTS - len(wrong), 0), again
    good = components("\r\n".join("\r\n".join(event(n)) for n in range(EVENTS) if n not in wrong))
    assert components(out.text) == good == components(other.taken_out()[1].text)
    print(f"api calendars: {EVENTS} events of which {len(wrong)} are wrong: {len(content) >> 10} KiB, all done after {seconds:.1f} s, {EVENTS / seconds:.0f} events/s, {states} different states seen on the way")


def test_killed_in_the_middle(world):
    owner, count, kills = Owner(world), 4000, 0
    content, wrong = file(count, 50)
    one = owner.order(content, existing="refuse")
    while kills < 4:
        before = expect(owner.client.get(f"/v1/me/imports/{one}"), 200)["done"]

        def moved():
            now = expect(owner.client.get(f"/v1/me/imports/{one}"), 200)
            return now["done"] > before or now["state"] == "done"
        lib.wait_until(moved, 120, 0.02, "the import goes on")
        world.server.kill()
        world.server.start()
        world.port = world.server.port
        owner.client.close()
        owner.client.port = world.port["http"]
        kills += 1
    now, _ = owner.ended(one)
    assert (now["state"], now["done"], now["failed"]) == ("done", count - len(wrong), len(wrong)), now
    assert len(owner.problems(one)) == len(wrong)
    owner.sign_in()
    assert len(owner.dav.query(owner.dav.collection("VEVENT"), "VEVENT", "20260301T000000Z", "20260302T000000Z", data="")) == count - len(wrong)
    print(f"api calendars: {count} events with {kills} kills in between, each taken in once")


def test_cards_and_what_is_none(world):
    owner = Owner(world)
    book = next(one["id"] for one in expect(owner.client.get("/v1/me/collections"), 200)["items"] if one["holds"] == "contacts")
    cards = "".join(f"BEGIN:VCARD\r\nVERSION:{'3.0' if n % 2 else '4.0'}\r\nUID:c{n}\r\nFN:Card {n}\r\nN:{n};Card;;;\r\nEND:VCARD\r\n" for n in range(50))
    now, _ = owner.ended(owner.order((cards + "BEGIN:VCARD\r\nVERSION:7\r\nFN:X\r\nEND:VCARD\r\n").encode(), book, CARDS))
    assert (now["done"], now["failed"]) == (50, 1), now
    _, out = owner.taken_out(book)
    assert sorted(out.text.split("END:VCARD\r\n")) == sorted(cards.split("END:VCARD\r\n")), out.text[:300]
    assert out.fields["content-type"].startswith("text/vcard")
    ranged = owner.client.get(f"/v1/me/exports/{owner.taken_out(book)[0]}/content", fields={"Range": "bytes=0-10"})
    assert (ranged.status, ranged.text) == (206, "BEGIN:VCARD"), ranged
    owner.order(b"address,name\r\n", book, CARDS, 422)
    owner.order(b"BEGIN:VCALENDAR\r\n", book, CALENDAR, 415)


def test_what_is_somebody_s_own_is_nobody_else_s(world):
    """Not a colleague's, and not an administrator's."""
    owner = Owner(world)
    bob = Owner(world, "bob", owner.tenant, owner.domain)
    boss = f"boss@{owner.domain}"
    world.person(owner.tenant, boss, "tenant-administrator")
    boss = world.sign_in(boss)
    taken, (out, _) = owner.order(file(3, 9)[0]), owner.taken_out()
    owner.ended(taken)
    expect(bob.client.post("/v1/me/imports", {"collection": calendar(owner.client)}), 422)
    for one, kind in ((taken, "imports"), (out, "exports")):
        assert [one["id"] for one in expect(owner.client.get(f"/v1/me/{kind}"), 200)["items"]] == [one]
        for client, path in ((bob.client, f"/v1/me/{kind}"), (boss, f"/v1/me/{kind}"), (boss, f"/v1/tenants/{owner.tenant}/{kind}")):
            assert not expect(client.get(path), 200)["items"], path
            for tail in ("", "/problems", *(["/content"] if kind == "exports" else [])):
                expect(client.get(f"{path}/{one}{tail}"), 404)
            expect(client.post(f"{path}/{one}/cancel"), 404)
            expect(client.delete(f"{path}/{one}"), 404)
        expect(owner.client.delete(f"/v1/me/{kind}/{one}"), 204)


def test_what_others_opened(world):
    """By every set of rights: what is listed, what may come in, and what may go out; in one's own lists it stands like one's own."""
    ann = Owner(world)
    bob, boss = Owner(world, "bob", ann.tenant, ann.domain), f"boss@{ann.domain}"
    world.person(ann.tenant, boss, "tenant-administrator")
    boss, work = world.sign_in(boss), calendar(ann.client)
    person = next(one["id"] for one in expect(boss.get(PEOPLE, tenant=ann.tenant), 200)["items"] if one["address"] == ann.address)
    place = {"tenant": ann.tenant, "person": person, "folder": work, "address": bob.address}
    theirs = {"collection": work, "owner": ann.address}
    own_list = lambda who, kind: [one["id"] for one in expect(who.client.get(f"/v1/me/{kind}"), 200)["items"]]  # noqa: E731
    for number, (letters, seen, taken) in enumerate([("", False, False), ("lr", True, False), ("li", True, False), ("lri", True, True), ("lrswipkxte", True, True), ("", False, False)]):
        if letters:
            expect(boss.put(RIGHT, {"rights": letters}, **place), 204)
        elif number:
            expect(boss.delete(RIGHT, **place), 204)
        listed = bob.client.get("/v1/me/collections", query={"owner": ann.address})
        assert (listed.status == 200 and [one["id"] for one in listed["items"]] == [work]) if seen else listed.status == 422, (letters, listed)
        expect(bob.client.post("/v1/me/exports", theirs), 422)
        said = bob.client.post("/v1/me/imports", theirs)
        assert said.status == (201 if taken else 422), (letters, said)
        if taken:
            one = said["id"]
            assert said["owner"] == ann.address
            content = file(5, 9)[0].replace(b"UID:event", f"UID:by {letters} ".encode())
            expect(bob.client.put(f"/v1/me/imports/{one}/content", content, fields=CALENDAR), 202)
            now, _ = bob.ended(one)
            assert (now["state"], now["done"], now["failed"], now["owner"]) == ("done", 5, 0, ann.address), now
            assert one in own_list(bob, "imports") and one not in own_list(ann, "imports")
            expect(ann.client.get(f"/v1/me/imports/{one}"), 404)
    # Opened when it was ordered, and closed before the file came.
    expect(boss.put(RIGHT, {"rights": "lri"}, **place), 204)
    one = expect(bob.client.post("/v1/me/imports", theirs), 201)["id"]
    expect(boss.delete(RIGHT, **place), 204)
    expect(bob.client.put(f"/v1/me/imports/{one}/content", file(2, 9)[0], fields=CALENDAR), 202)
    now, _ = bob.ended(one)
    assert (now["state"], now["done"]) == ("failed", 0), now
    assert expect(ann.client.get(f"/v1/me/exports/{ann.taken_out(work)[0]}"), 200)["total"] == 10
    # Of a shared mailbox its members see everything.
    sales = f"sales@{ann.domain}"
    mailbox = expect(boss.post(MAILBOXES, {"address": sales, "name": "Sales"}, tenant=ann.tenant), 201)["id"]
    expect(bob.client.get("/v1/me/collections", query={"owner": sales}), 422)
    expect(boss.post(MAILBOXES + "/{mailbox}/members", {"addresses": [bob.address]}, tenant=ann.tenant, mailbox=mailbox), 200)
    shared = {"collection": next(one["id"] for one in expect(bob.client.get("/v1/me/collections", query={"owner": sales}), 200)["items"] if one["holds"] == "events"), "owner": sales}
    one = expect(bob.client.post("/v1/me/imports", shared), 201)["id"]
    expect(bob.client.put(f"/v1/me/imports/{one}/content", file(5, 9)[0], fields=CALENDAR), 202)
    assert bob.ended(one)[0]["done"] == 5
    one = expect(bob.client.post("/v1/me/exports", shared), 202)["id"]
    now, _ = bob.ended(one, "exports")
    assert (now["state"], now["done"], now["owner"], own_list(bob, "exports")) == ("done", 5, sales, [one]), now
    assert len(components(expect(bob.client.get(f"/v1/me/exports/{one}/content"), 200).text)) == 5
    expect(ann.client.post("/v1/me/exports", shared), 422)
