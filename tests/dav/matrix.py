#!/usr/bin/env python3
"""Who may do what in somebody else's collections, over HTTP: every method by every right, in one's own tenant and from another.

usage: matrix.py [TEST ...]        tests: rights roles unshared tenants private availability groups taken directory
What somebody may not know of answers as what never was does: same status, same fields, same body.
"""
import os
import sys

from place import ROOT, run

sys.path.insert(0, os.path.join(ROOT, "tests", "api"))
from penfold_api import expect  # noqa: E402
from office import (  # noqa: E402
    ADMINISTER, ALL, CHANGE, NEW, READ, REMOVE, SET, Office, acl, ask, expect_dav, multiget, nobody, query, requests, sync, told)
from penfold_dav import ICS, Dav, body, card, event, props, short  # noqa: E402
from world import PERSON, World  # noqa: E402

RIGHT = PERSON + "/folders/{folder}/rights/{address}"
MEMBERS = "/v1/tenants/{tenant}/groups/{group}/members"
# What each grant of DAV (RFC 3744) comes to.
GRANTS = {
    (): set(), ("c:read-free-busy",): set(), ("d:read",): {READ}, ("d:read", "d:write-content"): {READ, CHANGE, SET}, ("d:read", "d:bind"): {READ, NEW},
    ("d:read", "d:unbind"): {READ, REMOVE}, ("d:read", "d:write"): {READ, NEW, CHANGE, REMOVE, SET}, ("d:all",): ALL,
}
ROLES = {
    "availability-only": set(), "limited-details": {READ}, "reviewer": {READ}, "author": {READ, NEW}, "publishing-author": {READ, NEW}, "editor": {READ, NEW, CHANGE, REMOVE, SET},
    "publishing-editor": {READ, NEW, CHANGE, REMOVE, SET}, "owner": ALL,
}


def alike(office, client, collection, nowhere, wrong, who):
    """Each request to `collection` is answered as the same to `nowhere`, where nothing ever was."""
    before = office.contents()
    principal = client.home()["principal"]
    ours, theirs = requests(collection, client, principal), requests(nowhere, client, principal)
    for name, one in ours.items():
        client.put(client.collection("VEVENT") + "mine.ics", event("mine", "Mine"), 201, 204)
        here, there = ask(client, one), ask(client, theirs[name])
        if here.status < 400 and name not in ("OPTIONS",):
            wrong.append(f"{who}: {name}: {here}")
        elif told(here, collection, collection) != told(there, collection, nowhere):
            wrong.append(f"{who} tells apart by {name}: {here} {here.fields}\n   {there} {there.fields}")
    if office.contents() != before:
        wrong.append(f"{who} changed something")
    return len(ours)


def judge(office, client, may, who, wrong):
    """All requests by somebody who may do this much, by the owner's path and by the one in their own home. How many, and how many such paths."""
    if not may:
        return alike(office, client, office.shared, office.home + "never/", wrong, who), len(client.shared_by(office.ann.home()["principal"]))
    own = client.shared_by(office.ann.home()["principal"])
    number = sum(judge_at(office, client, path, may, who, wrong) for path in (office.shared, *own))
    if ADMINISTER in may:
        # Who gives rights keeps the right to, where they give it to themselves.
        for path in (office.shared, *own):
            answers = [ask(client, requests(path, client, client.home()["principal"])[name]) for name in ("ACL", "PROPFIND")]
            if any(answer.status >= 400 for answer in answers):
                wrong.append(f"{who}: ACL: {answers}")
                break
    return number, len(own)


def judge_at(office, client, collection, may, who, wrong):
    before, number = office.contents(), 0
    for name, one in requests(collection, client, client.home()["principal"]).items():
        own = client.collection("VEVENT")
        client.put(own + "mine.ics", event("mine", "Mine"), 201, 204)
        if name in ("ACL", "MOVE of the collection", "DELETE of the collection") and one[0] in may:
            continue  # once all else is tried
        answer, number = ask(client, one), number + 1
        after = office.contents()
        done = answer.status < 400 and not (answer.status == 207 and name == "PROPPATCH" and not next(iter(answer.responses.values())).found)
        if name == "PROPPATCH" and (after == before or SET in may):
            # What somebody sets for themselves alone is theirs to set.
            done = SET in may
        if name == "PUT of a change, with a tag" and one[0] in may:
            done = answer.status == 412
        if name == "GET of the collection" and answer.status in (403, 405):
            done = READ in may
        if done != (one[0] in may):
            wrong.append(f"{who} ({' '.join(sorted(may))}): {name}: {answer}")
        elif not done and after != before:
            wrong.append(f"{who}: {name} was refused and done: {sorted(set(after.items()) ^ set(before.items()), key=str)}")
        elif not done and answer.status not in (403, 405, 409) and name != "PROPPATCH":
            wrong.append(f"{who}: {name}, of what they see: {answer}")
        # As it was.
        office.ann.proppatch(office.shared, c__calendar_description="")
        for path in ("new.ics", "mine.ics"):
            office.ann.ask("DELETE", office.shared + path)
        for path in ("copied.ics", "moved.ics", "mine.ics"):
            client.ask("DELETE", own + path)
        office.ann.put(office.shared + "open.ics", event("open", "Open", "20261201T090000Z", "20261201T100000Z", "LOCATION:Here"), 201, 204)
        before = office.contents()
    # A colour is everybody's own.
    client.proppatch(collection, ical__calendar_color="#123456")
    if office.contents() != before:
        wrong.append(f"{who} changed ann's colour")
    return number


def rights(world):
    """Each grant of DAV, by each method."""
    office, wrong, tried = Office(world), [], 0
    for n, (privileges, may) in enumerate(GRANTS.items()):
        client, who = office.person(f"g{n}"), " ".join(privileges) or "nothing"
        office.grant(client, *privileges)
        if may:
            own = next(iter(client.propfind(office.shared, "d:current-user-privilege-set").values())).found["d:current-user-privilege-set"]
            said = {short(privilege.tag) for one in own for privilege in one}
            if not set(privileges) <= said or ("d:write" in said) != ({NEW, CHANGE, REMOVE} <= may):
                wrong.append(f"{who}: current-user-privilege-set says {sorted(said)}")
        number, listed = judge(office, client, may, who, wrong)
        tried += number
        if listed != (1 if may else 0):
            wrong.append(f"{who}: {listed} of ann's calendars in their home")
    print(f"dav matrix: {tried} requests under {len(GRANTS)} grants, {len(wrong)} not as they should be")
    assert not wrong, "\n".join(wrong)


def roles(world):
    """The roles that the API gives are the same rights."""
    office, wrong, tried = Office(world), [], 0
    place = office.folder()
    for role, may in ROLES.items():
        client = office.person(role)
        expect(office.boss.put(RIGHT, {"role": role}, address=office.of(role), **place), 204)
        tried += judge(office, client, may, role, wrong)[0]
        expect(office.boss.delete(RIGHT, address=office.of(role), **place), 204)
        tried += alike(office, client, office.shared, office.home + "never/", wrong, f"{role}, taken away")
    print(f"dav matrix: {tried} requests under {len(ROLES)} roles, {len(wrong)} not as they should be")
    assert not wrong, "\n".join(wrong)


def unshared(world):
    """Somebody of the same tenant, to whom one calendar is open: what else there is, is not there."""
    office, wrong = Office(world), []
    bob = office.person("bob")
    office.grant(bob, "d:read")
    tried = alike(office, bob, office.unshared, office.home + "never/", wrong, "bob")
    tried += alike(office, bob, office.ann.collection("VTODO"), office.home + "never/", wrong, "bob")
    book = office.ann.collection("VCARD")
    office.ann.put(book + "one.vcf", card("one", "Ann Contact"))
    for method, path in (("GET", "one.vcf"), ("PROPFIND", ""), ("PROPFIND", "one.vcf"), ("DELETE", "one.vcf"), ("PUT", "two.vcf")):
        here, there = (bob.ask(method, base + path, card("two", "Two Card") if method == "PUT" else None, 0 if method == "PROPFIND" else None, Content_Type="text/vcard" if method == "PUT" else None)
                       for base in (book, office.ann.home()["addressbooks"] + "never/"))
        tried += 1
        if here.status < 400 or told(here, book, book) != told(there, book, office.ann.home()["addressbooks"] + "never/"):
            wrong.append(f"bob: {method} {path}: {here}\n   {there}")
    # A multiget, a COPY and a sync token are no ways around.
    secret = office.unshared + "open.ics"
    answer = bob.ask("REPORT", office.shared, multiget(secret, office.home + "never/open.ics"), 1)
    if b"BEGIN:VEVENT" in answer.content or len({one.status for one in answer.responses.values()}) != 1:
        wrong.append(f"bob: multiget of another calendar: {answer}")
    own = bob.collection("VEVENT")
    here, there = (bob.ask("COPY", path, Destination=own + "x.ics") for path in (secret, office.home + "never/open.ics"))
    if here.status < 400 or here.status != there.status:
        wrong.append(f"bob: COPY of another calendar: {here} {there}")
    listed = bob.propfind(office.home, "d:displayname", depth=1) if bob.ask("PROPFIND", office.home, None, 0).status == 207 else {}
    if set(listed) - {office.home, office.shared}:
        wrong.append(f"bob sees in ann's home: {sorted(listed)}")
    print(f"dav matrix: {tried} requests to what is not shared, {len(wrong)} leaks")
    assert not wrong, "\n".join(wrong)


def tenants(world):
    """Another tenant's people, homes, principals and collections are not there, even where a calendar is open to everybody of it."""
    office, wrong, tried = Office(world), [], 0
    world.person(office.other, f"eve@{office.far}", "tenant-administrator")
    eve = office.client("eve", office.far)
    expect_dav(office.ann.ask("ACL", office.shared, body("d:acl", "<d:ace><d:principal><d:authenticated/></d:principal><d:grant><d:privilege><d:read/></d:privilege></d:grant></d:ace>")), 200, 204)
    carl = office.person("carl")
    assert "Open" in carl.get(office.shared + "open.ics").text, "everybody of the tenant sees it"
    for path in (office.shared, office.unshared):
        tried += alike(office, eve, path, nobody(path), wrong, "eve")
    for path in (office.ann.home()["principal"], office.home, office.ann.home()["addressbooks"], "/dav/files/" + office.home.split("/")[3] + "/"):
        for method in ("PROPFIND", "GET", "DELETE", "PROPPATCH", "MKCALENDAR", "MKCOL", "PUT", "OPTIONS", "REPORT"):
            contents = {"PROPPATCH": body("d:propertyupdate", "<d:set><d:prop><d:displayname>x</d:displayname></d:prop></d:set>"), "PUT": "x", "REPORT": sync()}
            here, there = (eve.ask(method, base, contents.get(method), 0 if method in ("PROPFIND", "REPORT") else None) for base in (path, nobody(path)))
            tried += 1
            if (here.status < 400 and method != "OPTIONS") or told(here, path, path) != told(there, path, nobody(path)):
                wrong.append(f"eve: {method} {path}: {here}\n   {there}")
    # Searches find one's own tenant only.
    search = body("d:principal-property-search", f"<d:property-search>{props('d:displayname')}<d:match>e</d:match></d:property-search>{props('d:displayname', 'c:calendar-user-address-set')}")
    answer = eve.ask("REPORT", "/dav/principals/", search, 0)
    if office.domain in answer.text or office.home.split("/")[3] in answer.text:
        wrong.append(f"eve finds who is elsewhere: {answer}")
    # Nor can she let them in, or be let in.
    for client, path, whom in ((office.ann, office.shared, eve.home()["principal"]), (eve, eve.collection("VEVENT"), office.ann.home()["principal"])):
        here, there = client.ask("ACL", path, acl(whom, "d:read")), client.ask("ACL", path, acl(nobody(whom), "d:read"))
        if here.status < 400 or told(here, whom, whom) != told(there, whom, nobody(whom)):
            wrong.append(f"a grant to another tenant: {here}\n   {there}")
    # Without signing in there is nothing at all.
    stranger = Dav("127.0.0.1", world.port["http"])
    for name, one in requests(office.shared, eve, eve.home()["principal"]).items():
        answer, gone = ask(stranger, one), ask(stranger, (one[0], one[1], nobody(one[2]), *one[3:]))
        tried += 1
        if (answer.status != 401 and one[1] != "OPTIONS") or told(answer, one[2], one[2]) != told(gone, one[2], nobody(one[2])):
            wrong.append(f"a stranger: {name}: {answer} {gone}")
    print(f"dav matrix: {tried} requests to another tenant, {len(wrong)} leaks")
    assert not wrong, "\n".join(wrong)


def private(world):
    """What is private shows as busy, and as nothing else, to all but its owner."""
    office, wrong = Office(world), []
    path = office.shared + "secret.ics"
    for n, (privileges, may) in enumerate(GRANTS.items()):
        if READ not in may:
            continue
        client, who = office.person(f"h{n}"), " ".join(privileges)
        office.grant(client, *privileges)
        asked = {"GET": client.ask("GET", path), "query": client.ask("REPORT", office.shared, query(), 1), "multiget": client.ask("REPORT", office.shared, multiget(path), 1),
                 "sync": client.ask("REPORT", office.shared, sync(), 0), "allprop": client.ask("PROPFIND", path, body("d:propfind", "<d:allprop/>"), 0)}
        for name, answer in asked.items():
            if "ecret thing" in answer.text or "Secret " in answer.text or "X-SECRET" in answer.text:
                wrong.append(f"{who}: {name} tells: {answer}")
            if name != "allprop" and ("20261202T090000Z" not in answer.text or "UID:secret" not in answer.text):
                wrong.append(f"{who}: {name} does not say when: {answer}")
        found = client.ask("REPORT", office.shared, query("Secret"), 1)
        if found.status != 207 or found.responses:
            wrong.append(f"{who}: a search by what it says finds it: {found}")
        before = office.contents()
        for method, content in (("PUT", event("secret", "Mine now")), ("DELETE", None), ("COPY", None), ("MOVE", None)):
            answer = client.ask(method, path, content, Content_Type=ICS if content else None, Destination=client.collection("VEVENT") + "got.ics" if method in ("COPY", "MOVE") else None)
            got = client.ask("GET", client.collection("VEVENT") + "got.ics")
            if office.contents() != before or "ecret thing" in got.text or answer.status < 400 and method != "COPY":
                wrong.append(f"{who}: {method}: {answer} {got}")
            client.ask("DELETE", client.collection("VEVENT") + "got.ics")
        busy = client.ask("REPORT", office.shared, body("c:free-busy-query", '<c:time-range start="20261202T000000Z" end="20261203T000000Z"/>'), 1)
        if busy.status != 200 or "20261202T090000Z" not in busy.text or "ecret" in busy.text.replace("secret.ics", ""):
            wrong.append(f"{who}: free and busy: {busy}")
    assert "Secret thing" in office.ann.get(path).text
    assert not wrong, "\n".join(wrong)


def availability(world):
    """Who may know when ann is busy learns that (RFC 4791 §7.10), and of nothing else that it is there; who may not learns nothing."""
    office, wrong = Office(world), []
    asked = body("c:free-busy-query", '<c:time-range start="20261201T000000Z" end="20261204T000000Z"/>')
    bob, never = office.person("bob"), office.home + "never/"
    here, there = bob.ask("REPORT", office.shared, asked, 1), bob.ask("REPORT", never, asked, 1)
    if here.status < 400 or told(here, office.shared, office.shared) != told(there, office.shared, never):
        wrong.append(f"without a right: {here} {there}")
    for privileges in (("c:read-free-busy",), ("d:read",)):
        office.grant(bob, *privileges)
        answer = bob.ask("REPORT", office.shared, asked, 1)
        busy = "".join(answer.text.replace("\r\n ", "").split())
        if answer.status != 200 or "20261201T090000Z/" not in busy or "20261202T090000Z/" not in busy:
            wrong.append(f"{privileges}: {answer}")
        elif any(word in answer.text for word in ("Open", "Here", "ecret", "SUMMARY", "LOCATION")):
            wrong.append(f"{privileges} tells more: {answer}")
    assert not wrong, "\n".join(wrong)


def groups(world):
    """Who comes into a group sees what it sees, and who leaves it no longer."""
    office, wrong = Office(world), []
    bob = office.person("bob")
    group = expect(office.boss.post("/v1/tenants/{tenant}/groups", {"address": office.of("crew"), "name": "Crew"}, tenant=office.tenant), 201)["id"]
    expect_dav(office.ann.ask("ACL", office.shared, acl(f"/dav/principals/{group}/", "d:read")), 200, 204)
    assert bob.ask("GET", office.shared + "open.ics").status == 404
    expect(office.boss.post(MEMBERS, {"addresses": [office.of("bob")]}, tenant=office.tenant, group=group), 200)
    assert "Open" in bob.get(office.shared + "open.ics").text
    expect(office.boss.delete(MEMBERS + "/{address}", tenant=office.tenant, group=group, address=office.of("bob")), 200, 204)
    alike(office, bob, office.shared, office.home + "never/", wrong, "who left the group")
    assert not wrong, "\n".join(wrong)


def taken(world):
    """A right that is taken away is gone at once, with the tokens and tags that it gave."""
    office, wrong = Office(world), []
    bob = office.person("bob")
    office.grant(bob, "d:read", "d:write")
    token, tag = bob.sync(office.shared)[2], bob.get(office.shared + "open.ics").etag
    bob.put(office.shared + "theirs.ics", event("theirs", "Theirs"), 201)
    ways = [office.shared, *bob.shared_by(office.ann.home()["principal"])]
    office.grant(bob)
    for name, answer in {"sync": bob.ask("REPORT", office.shared, sync(token), 0), "If-None-Match": bob.ask("GET", office.shared + "open.ics", If_None_Match=tag),
                         "If-Match": bob.ask("DELETE", office.shared + "open.ics", If_Match=tag), "their own": bob.ask("GET", office.shared + "theirs.ics")}.items():
        if answer.status != 404:
            wrong.append(f"{name}: {answer}")
    for path in ways:
        # Beside a name that never was, and a way of the same shape to what never was.
        *home, last = path.rstrip("/").split("/")
        for never in {"/".join(home) + "/never/"} if "." not in last else {"/".join(home) + f"/{nobody(f'/{one}/')[1:-1]}.{other}/" for one, other in [last.split(".")]} | {
                "/".join(home) + f"/{one}.{nobody(f'/{other}/')[1:-1]}/" for one, other in [last.split(".")]}:
            alike(office, bob, path, never, wrong, "bob")
    if len(ways) != 2 or bob.shared_by(office.ann.home()["principal"]):
        wrong.append(f"it was at {ways}, and is still in bob's home")
    assert not wrong, "\n".join(wrong)


def directory(world):
    """The organisation's people, to read; nobody of another, and nobody from outside."""
    office, wrong = Office(world), []
    world.person(office.other, f"eve@{office.far}")
    eve, bob = office.client("eve", office.far), office.person("bob")
    found = {}
    for name, client in (("bob", bob), ("eve", eve)):
        path = client.home()["addressbooks"] + "directory/"
        everybody = client.ask("REPORT", path, body("card:addressbook-query", '<d:prop><d:getetag/><card:address-data/></d:prop><card:filter><card:prop-filter name="FN"/></card:filter>'), 1)
        found[name] = everybody.text
        expect_dav(everybody, 207)
        one = next((href for href in everybody.responses), None)
        for method, target, content in (("PUT", path + "new.vcf", card("new", "New One")), ("PUT", one, card("x", "X Y")), ("DELETE", one, None), ("DELETE", path, None),
            ("MKCOL", path + "in/", None)):
            answer = client.ask(method, target, content, Content_Type="text/vcard" if content else None)
            if answer.status not in (403, 405):
                wrong.append(f"{name}: {method} {target}: {answer}")
    for name, domain, other in (("bob", office.domain, office.far), ("eve", office.far, office.domain)):
        if domain not in found[name] or other in found[name]:
            wrong.append(f"{name}'s directory: {found[name][:2000]}")
    if office.of("ann") not in found["bob"]:
        wrong.append("ann is not in bob's directory")
    assert not wrong, "\n".join(wrong)


TESTS = (rights, roles, unshared, tenants, private, availability, groups, taken, directory)


class Standing:
    """The world, as what `run` wants of a place."""

    def __init__(self, world):
        self.server, self.world = world.server, world

    def finish(self, failed):
        try:
            if not failed:
                self.server.stop(60)
                code, text = self.server.check()
                if code:
                    failed.append(f"penfold check: exit {code}\n{text}")
            if failed:
                print(f"the server's log ends with:\n{self.server.tail()}")
        finally:
            self.world.close()


def main():
    chosen = [test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]]
    world = World("dav-matrix")
    return run("dav matrix", [(test.__name__, lambda test=test: test(world)) for test in chosen], Standing(world))


if __name__ == "__main__":
    sys.exit(main())
