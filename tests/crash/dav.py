#!/usr/bin/env python3
"""Crash loop of calendars and contacts: SIGKILL at random moments under PUT, DELETE, MOVE, COPY, PROPPATCH, attachments and collections that come and go.

usage: dav.py [--rounds N] [--seed N] [--keep]
Each round: load, SIGKILL (or, one time in four, SIGTERM), (`penfold check`,) start, compare everything. What was acknowledged is there byte for byte
under its entity tag, nothing deleted is back, and of a request without an answer all is done or nothing (after SIGTERM: nothing). Whoever follows by sync-collection has what
PROPFIND tells; a query by time finds what is there, and no more; a UID has one name. One data directory lives for some rounds. The seed is
printed, and fixes what is sent and when the kill comes.
"""
import argparse
import datetime
import os
import random
import re
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import penfold_testlib as lib  # noqa: E402
from crash import clean, die_early  # noqa: E402
from penfold_dav import ICS, VCF, Dav, event, expect  # noqa: E402
from penfold_davload import FIRST, MARK, Book, Bringer, Client, Follower, Load, Picture, Race, Rival, Thing, content_of, folder_of, happens, instant, pictures, stamp, uid_of  # noqa: E402
from penfold_load import PASSWORD  # noqa: E402

PEOPLE = ["c0@crash.test", "c1@crash.test", "d0@other.test"]
TENANTS = [("Crash", ["crash.test"], [(p, PASSWORD, p) for p in PEOPLE[:2]]), ("Other", ["other.test"], [(PEOPLE[2], PASSWORD, "D")])]
ROUNDS_EACH = 8  # rounds on one data directory
RIVALS = 3
ALL = ("20000101T000000Z", "20990101T000000Z")


class Person:
    """Who writes, follows and is compared; all of it lives as long as the data directory."""

    def __init__(self, book, number, port, seed):
        self.book, self.user, self.port, self.rnd, self.read_tags = book, PEOPLE[number], port, random.Random(f"{seed}/audit{number}"), {}
        self.dav = Dav("127.0.0.1", port, self.user, PASSWORD)
        homes = self.dav.home()
        self.homes = [homes["calendars"], homes["addressbooks"]]
        self.calendar, self.contacts = self.dav.collection("VEVENT"), self.dav.collection("VCARD")
        second = homes["calendars"] + "second/"
        expect(self.dav.ask("MKCALENDAR", second), 201)
        self.clients = [Client(book, self.user, port, f"p{number}{letter}", seed, "VEVENT", [self.calendar, second]) for letter in "ab"]
        self.clients.append(Client(book, self.user, port, f"p{number}c", seed, "VCARD", [self.contacts]))
        self.races, self.rivals, steady = {}, [], None
        if number == 0:
            self.races = {f"{self.calendar}{word}.ics": Race() for word in ("race1", "race2", "steady")}
            steady = (f"{self.calendar}steady.ics", self.races[f"{self.calendar}steady.ics"])
            self.rivals = [Rival(book, self.user, port, f"rival{n}", seed, self.calendar, self.races) for n in range(RIVALS)]
        fixed = [self.calendar, second, self.contacts]
        own = [f"{folder_of(client.fixed[0])}{client.label}-{word}/" for client in self.clients for word in "ab"]
        attached = homes["calendars"] + "attached/"
        expect(self.dav.ask("MKCALENDAR", attached), 201)
        self.bringer = Bringer(book, self.user, port, f"bringer{number}", seed, attached)
        for path in self.bringer.events:
            self.dav.put(path, event(path.rsplit("/", 1)[1][:-4], "Attached"))
        self.follower = Follower(book, self.user, port, f"follower{number}", seed, fixed + own, steady)

    @property
    def talkers(self):
        return [*self.clients, *self.rivals, self.bringer, self.follower]

    def read(self, whole):
        """All that is there of events and cards, and the collections as {path: is a calendar}."""
        seen, kinds = Picture(), {}
        for home in self.homes:
            for path, one in self.dav.propfind(home, "d:resourcetype", "d:displayname", "ical:calendar-color", depth=1).items():
                if path in self.follower.paths:
                    seen.collections[path], kinds[path] = (one.text("d:displayname"), one.text("ical:calendar-color")), "c:calendar" in one.kinds
        for folder in kinds:
            for path, one in self.dav.propfind(folder, "d:getetag", MARK, depth=1).items():
                if path != folder:
                    seen.things[path] = Thing(self.content(path, one.text("d:getetag"), whole), one.text("d:getetag"), one.text(MARK))
        return seen, kinds

    def content(self, path, etag, whole):
        """Read again only where the version is new, or all is to be read."""
        if whole or etag not in self.read_tags:
            answer = self.dav.get(path)
            assert answer.etag == etag, f"PROPFIND tells {etag}: {answer}"
            self.read_tags[etag] = answer.content.decode()
            self.book.saw(etag, self.read_tags[etag], f"GET {path}")
        return self.read_tags[etag]

    def audit(self, whole=False, gentle=False):
        seen, kinds = self.read(whole)
        for client in self.clients:
            client.settle(pictures(seen, client), gentle)
        self.bringer.settle(self.dav)
        for path, race in self.races.items():
            for text in race.settle(seen.things.get(path), "steady" in path):
                self.book.fail(f"{path}: {text}")
        for folder in kinds:
            tags = {path: thing.etag for path, thing in seen.things.items() if folder_of(path) == folder}
            if kinds[folder]:
                self.by_time(folder, tags, seen)
            self.followed(folder, tags)
        for path in set(self.follower.tokens) - set(kinds):
            self.follower.follow(path)
            if path in self.follower.known:
                self.book.fail(f"{path} is gone, and sync-collection answers")
        self.uids(seen, kinds)

    def by_time(self, folder, tags, seen):
        at = FIRST + datetime.timedelta(minutes=self.rnd.randrange(600 * 1440))
        windows = [ALL, (stamp(at), stamp(at + datetime.timedelta(hours=12))), (stamp(at), stamp(at + datetime.timedelta(days=200)))]
        for start, end in windows:
            found = {path: one.text("d:getetag") for path, one in self.dav.query(folder, "VEVENT", start, end, data="").items()}
            due = {path: etag for path, etag in tags.items() if happens(seen.things[path].content, instant(start), instant(end))}
            self.same(f"{folder} from {start} to {end}: calendar-query", found, due)

    def followed(self, folder, tags):
        self.follower.follow(folder, token_must_hold=folder in self.follower.paths[:3])
        self.same(f"{folder}: sync-collection", self.follower.known.get(folder, {}), tags)

    def same(self, what, found, due):
        for path in sorted(set(found.items()) ^ set(due.items())):
            self.book.fail(f"{what} tells of {path}, which is not there" if path in found.items() else f"{what} leaves out {path}")

    def uids(self, seen, kinds):
        """A UID that is there is refused under a second name; one that is not there can be had."""
        for client in self.clients:
            for folder in self.rnd.sample(sorted(kinds), min(2, len(kinds))):
                if kinds[folder] != (client.kind == "VEVENT"):
                    continue
                every = {uid_of(thing.content): path for path, thing in seen.things.items()}
                inside = {uid_of(thing.content): path for path, thing in seen.things.items() if folder_of(path) == folder}
                own = [uid for uid, path in every.items() if path.endswith(client.end)] + [uid for _, uid in client.freed[-3:]]
                for uid in self.rnd.sample(own, min(2, len(own))):
                    self.probe(f"{folder}probe{client.end}", uid, inside.get(uid), client.kind)

    def probe(self, path, uid, taken, kind):
        answer = self.dav.ask("PUT", path, content_of(kind, uid, 0, self.rnd), Content_Type=ICS if kind == "VEVENT" else VCF)
        if taken and (answer.status not in (403, 409) or not {"c:no-uid-conflict", "card:no-uid-conflict"} & set(answer.precondition) or taken not in answer.text):
            self.book.fail(f"UID {uid} is {taken}, and under another name it is not refused with that: {answer}")
        elif not taken and answer.status != 201:
            self.book.fail(f"UID {uid} is not there, and is refused: {answer}")
        if answer.status == 201:
            self.dav.delete(path)


def audit_notices(person):
    """The audit itself: with nothing killed it finds nothing; what is done behind its back it finds, and names."""
    client, book, dav = person.clients[0], person.book, person.dav
    for one in person.clients:
        one.connect()
        for _ in range(20):
            one.turn()
    while not client.now.collections:
        client.make()

    def path():
        return sorted(client.now.things)[0]

    def again(content):
        return re.sub("SUMMARY:.*", "SUMMARY:another\r", content)
    acts = (("nothing", lambda: None), ("is missing", lambda: dav.delete(path())), ("should not be there", lambda: dav.put(f"{client.fixed[0]}{client.label}-back.ics", event("back", "Back"))),
            ("is \"", lambda: dav.put(path(), again(client.now.things[path()].content))), ("mark other", lambda: dav.proppatch(path(), cs__x_mark="other")),
            ("('Other'", lambda: dav.proppatch(sorted(client.now.collections)[0], d__displayname="Other")),
            ("sync-collection leaves out", lambda: person.follower.known[client.fixed[0]].popitem()),
            ("sync-collection tells of", lambda: person.follower.known[client.fixed[0]].update(never="tag")))
    person.follower.connect()
    for word, act in acts:
        act()
        person.audit()
        noticed, book.wrong[:] = "\n".join(book.wrong), []
        assert (word in noticed) if word != "nothing" else not noticed, f"the audit should say '{word}': {noticed}"


def audit_selftest(work, seed):
    data = os.path.join(work, "audit")
    with lib.Server(data, lib.write_seed(os.path.join(work, "seed.toml"), TENANTS)) as server:
        audit_notices(Person(Book(), 1, server.port["http"], seed))
    lib.remove(data)


def one_round(number, rnd, server, book, people, last):
    load = Load([talker for person in people for talker in person.talkers]).start()
    time.sleep(rnd.uniform(0.02, 0.8))  # the random moment of the end, not a wait for something
    broken = [one.broken for one in load.talkers if one.broken]
    assert not broken, f"connections ended before the server: {broken}"
    gentle = rnd.random() < 0.25
    if gentle:
        code = server.stop()
        assert code == 0, f"SIGTERM: exit {code}"
    else:
        server.kill()
    load.end(book)
    if not gentle and rnd.random() < 0.2:
        die_early(server, rnd)
    if number % 2 == 0 or gentle:
        clean(server)
    server.start()
    for person in people:
        person.dav.close()
        person.follower.connect()
        person.audit(last, gentle)
        person.follower.dav.close()
    assert not book.wrong, "\n".join(book.wrong[:20])
    if last:
        code = server.stop()
        assert code == 0, f"SIGTERM: exit {code}"
        clean(server)
    return "stops" if gentle else "kills"


def series(rounds, first, seed, work, total):
    """Some rounds on one data directory."""
    rnd, book, number, people = random.Random(f"{seed}/{first}"), Book(), first, []
    data = os.path.join(work, f"data{first}")
    server = lib.Server(data, lib.write_seed(os.path.join(work, "seed.toml"), TENANTS))
    try:
        server.start()
        people = [Person(book, n, server.port["http"], f"{seed}/{first}") for n in range(len(PEOPLE))]
        for number in range(first, first + rounds):
            at = time.monotonic()
            how = one_round(number, rnd, server, book, people, number == first + rounds - 1)
            total[how] = total.get(how, 0) + 1
            if os.environ.get("VERBOSE"):
                print(f"  round {number}: {how}, {book.requests} requests, {book.unknown} unknown so far ({time.monotonic() - at:.1f} s)", flush=True)
    except BaseException:
        print(f"crash dav: round {number} with --seed {seed} failed; data in {data}\nthe log ends with:\n{server.tail()}", flush=True)
        raise
    finally:
        server.kill()
        races = [race for person in people for race in person.races.values()]
        book.acks["won by tag"], book.acks["lost by tag"] = sum(race.won for race in races), sum(race.late for race in races)
        for kind, count in {**book.acks, "requests": book.requests, "unknown": book.unknown, "of them done": book.done, "told to come again": book.later}.items():
            total[kind] = total.get(kind, 0) + count
    lib.remove(data)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 32)))
    args.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    args.add_argument("--keep", action="store_true", help="keep the data directory of a failure")
    args = args.parse_args()
    print(f"crash dav: {args.rounds} rounds, --seed {args.seed}", flush=True)
    work, begin, total, done = lib.scratch("crash-dav"), time.monotonic(), {}, 0
    try:
        audit_selftest(work, args.seed)
        while done < args.rounds:
            n = min(ROUNDS_EACH, args.rounds - done)
            series(n, done, args.seed, work, total)
            done += n
            if args.rounds > 100:
                print(f"  {done} rounds, {time.monotonic() - begin:.0f} s", flush=True)
        args.keep = False
    except (AssertionError, TimeoutError, RuntimeError) as e:
        print(f"--- {type(e).__name__}: {e}")
        print(f"crash dav: {time.monotonic() - begin:.1f} s\n{done} passed, 1 failed")
        return 1
    finally:
        if not args.keep:
            lib.remove(work)
    counts = {kind: total.pop(kind, 0) for kind in ("kills", "stops", "requests", "unknown", "of them done", "told to come again")}
    print("crash dav: 0 lost, 0 back, 0 done by half of " + ", ".join(f"{v} {k}" for k, v in sorted(total.items())))
    print(f"crash dav: {done} rounds, " + ", ".join(f"{v} {k}" for k, v in counts.items()) + f", {time.monotonic() - begin:.1f} s\n{done} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
