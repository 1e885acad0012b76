#!/usr/bin/env python3
"""Crash loop of mail out: SIGKILL at random moments while people send to a host that behaves badly; every recipient gets it once, or the
sender hears of it once.

usage: sending.py [--rounds N] [--seed N] [--keep] [--patient]
A host in this process, which survives the kills, is the smart host: it puts off, refuses, hangs up before or after it took a message, and is
slow. Each round: start, people hand in messages to recipients here and elsewhere, `penfold queue retry` hurries what waits, SIGKILL (or SIGTERM). Some rounds
share one data directory; then what is due must go by itself, all of it goes, and everything is compared. SMTP cannot tell whether a message was
taken where its answer was lost: such a copy may come twice, if the parcel says that an attempt has no known end, and only then.
"""
import argparse
import asyncio
import base64
import calendar
import copy
import email
import json
import os
import random
import re
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import penfold_testlib as lib  # noqa: E402
from penfold_load import ENDED, PASSWORD  # noqa: E402
from penfold_sink import Drop, Manner, Sink  # noqa: E402

PEOPLE = ["s0@crash.test", "s1@crash.test", "s2@crash.test"]
COUSIN = "d0@other.test"
EVERYBODY = PEOPLE + [COUSIN]
TENANTS = [("Crash", ["crash.test"], [(p, PASSWORD, p) for p in PEOPLE]), ("Other", ["other.test"], [(COUSIN, PASSWORD, "D")])]
DOMAINS = [f"o{n}.test" for n in range(6)]
ROUNDS_EACH = 15  # rounds on one data directory
CLIENTS, TURNS = 4, 12
FIELDS = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+\Z")
MESSAGE_ID = re.compile(rb"^Message-ID: <([^@>]+)@crash\.test>", re.M | re.I)
ACCEPTANCE = re.compile(rb"^Received: by \S+ \(Penfold\) with \S+ id (\w+);", re.M)


class Bad(Manner):
    """By seed; `calm` ends it, but for those who are refused for ever."""

    def __init__(self, seed):
        self.rnd, self.calm, self.closed, self.refused, self.extensions = random.Random(seed), False, False, set(), Manner.extensions
        self.did = {}

    def session(self):
        one = copy.copy(self)
        one.extensions = tuple(e for e in Manner.extensions if e != "PIPELINING" or self.rnd.random() < 0.8) + (("DSN",) if self.rnd.random() < 0.3 else ())
        one.seen = self
        return one

    def draw(self, *shares):
        """One of the words, each with its share of all cases; or None."""
        if self.seen.calm:
            return None
        at = self.rnd.random()
        for word, share in shares:
            at -= share
            if at < 0:
                self.did[word] = self.did.get(word, 0) + 1
                return word
        return None

    async def greeting(self):
        return "421 4.3.2 not now" if self.seen.closed else None

    async def mail(self, sender):
        return "451 4.3.0 mail later" if self.draw(("mail 4xx", 0.02)) else None

    async def rcpt(self, sender, to):
        if to.startswith("never"):
            return "550 5.1.1 there is no such person"
        word = self.draw(("rcpt 4xx", 0.04), ("rcpt too many", 0.02), ("rcpt 421", 0.01), ("rcpt hang up", 0.01))
        if word == "rcpt hang up":
            raise Drop
        return {"rcpt 4xx": "450 4.2.1 busy", "rcpt too many": "452 4.5.3 too many recipients", "rcpt 421": "421 4.3.0 going down"}.get(word)

    async def data(self, sender, recipients):
        word = self.draw(("data 4xx", 0.03), ("data hang up", 0.01), ("hang up in the data", 0.03))
        if word == "data hang up":
            raise Drop
        return {"data 4xx": "451 4.3.0 data later", "hang up in the data": self.rnd.randrange(1, 2000)}.get(word)

    async def end(self, sender, recipients, data):
        word = self.draw(("end 4xx", 0.05), ("end 5xx", 0.03), ("hang up, not taken", 0.04), ("hang up, taken", 0.06), ("slow", 0.1))
        if word == "hang up, not taken":
            raise Drop
        if word == "end 5xx":
            self.refused.update((identify(data), to) for to in recipients)
            return "554 5.6.0 not this one"
        if word == "slow":
            await asyncio.sleep(self.rnd.uniform(0.01, 0.4))
        return {"end 4xx": "451 4.3.0 end later", "hang up, taken": "lost"}.get(word)


def identify(data):
    found = MESSAGE_ID.search(data)
    return found.group(1).decode() if found else "?"


class Message:
    """What was handed in. `id`: what the server calls it, where it said so."""
    __slots__ = ("name", "sender", "outside", "here", "silent", "data", "id", "begun")

    def __init__(self, name, sender, outside, here, silent, data):
        self.name, self.sender, self.outside, self.here, self.silent, self.data, self.id, self.begun = name, sender, outside, here, silent, data, None, False


class Book:
    def __init__(self):
        self.messages, self.kills, self.wrong, self.put_off, self.stops = {}, [], [], 0, 0


class Client(threading.Thread):
    """One person, who sends until the connection breaks, or `limit` messages."""

    def __init__(self, book, port, person, rnd, name, limit):
        super().__init__(daemon=True)
        self.book, self.port, self.person, self.rnd, self.label, self.limit, self.connected = book, port, person, rnd, name, limit, False

    def message(self, number):
        rnd, name = self.rnd, f"{self.label}.{number}"
        outside = {f"r{rnd.randrange(20)}@{rnd.choice(DOMAINS)}" for _ in range(rnd.choice((0, 1, 1, 1, 2, 3, 5)))}
        if rnd.random() < 0.01:
            outside |= {f"many{n}@{DOMAINS[0]}" for n in range(130)}  # more than one parcel holds
        outside |= {f"never{rnd.randrange(20)}@{rnd.choice(DOMAINS)}" for _ in range(rnd.choice((0, 0, 0, 0, 1, 2)))}
        here = set(rnd.sample(EVERYBODY, rnd.choice((0, 0, 1, 2)) if outside else 1))
        silent = {to for to in outside if rnd.random() < 0.05}
        size = 150_000 if rnd.random() < 0.02 else rnd.choice((10, 200, 3000, 9000))
        body = base64.encodebytes(rnd.randbytes(size)).replace(b"\n", b"\r\n") + rnd.choice((b".\r\n", b"..\r\n", b".x\r\n", "Grüße\r\n".encode(), b"\r\n"))
        data = (f"From: <{self.person}>\r\nTo: <x@crash.test>\r\nSubject: sent {name}\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n"
                f"Message-ID: <{name}@crash.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n").encode() + body
        return Message(name, self.person, outside, here, silent, data)

    def run(self):
        try:
            smtp = lib.Smtp("127.0.0.1", self.port, tls=True)
            smtp.login(self.person, PASSWORD)
            self.connected = True
            for number in range(self.limit):
                message = self.message(number)
                self.book.messages[message.name] = message
                self.send(smtp, message)
            smtp.close()
        except TimeoutError:
            self.book.wrong.append(f"{self.label}: no answer within the deadline")
        except ENDED:
            pass
        except lib.SmtpError as e:
            # Asked to end, the server says so in the middle of signing in.
            if e.code != 421:
                self.book.wrong.append(f"{self.label}: {e!r}")
        except Exception as e:
            self.book.wrong.append(f"{self.label}: {e!r}")

    def send(self, smtp, message):
        lines = [f"MAIL FROM:<{message.sender}> BODY=8BITMIME"]
        lines += [f"RCPT TO:<{to}>" + (" NOTIFY=NEVER" if to in message.silent else "") for to in sorted(message.outside | message.here)] + ["DATA"]
        smtp.s.sendall("".join(line + "\r\n" for line in lines).encode())
        said = [smtp.reply() for _ in lines]
        odd = [one for one in said[:-1] if one[0] != 250] + [one for one in said[-1:] if one[0] != 354]
        if odd:
            if odd[0][0] // 100 != 4:
                self.book.wrong.append(f"{message.name}: {odd[0]}")
            self.book.put_off += 1
            if said[-1][0] != 354:
                return smtp.cmd("RSET")
        message.begun = True
        smtp.s.sendall(lib.stuff(message.data) + b".\r\n")
        code, text = smtp.reply()
        if code == 250 and not odd:
            message.id = text.split()[-1]
        elif code // 100 == 4:
            self.book.put_off += 1
        else:
            self.book.wrong.append(f"{message.name}: {code} {text}")
        return None


class Queue:
    """`penfold queue` of one data directory."""

    def __init__(self, data):
        self.data = data

    def __call__(self, *words):
        return lib.command(["--data", self.data, "queue", *words])

    def list(self, *words):
        code, text = self("list", "--json", *words)
        assert code == 0, f"queue list: exit {code}: {text[-1000:]}"
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def waits(self):
        return self.list()


class Hurry(threading.Thread):
    """Retries what waits, and sometimes holds it, again and again, until the kill has hit this too."""

    def __init__(self, queue, rnd):
        super().__init__(daemon=True)
        self.queue, self.rnd, self.ending = queue, rnd, threading.Event()

    def run(self):
        while not self.ending.is_set():
            command = [lib.binary(), "--data", self.queue.data, "queue", "hold" if self.rnd.random() < 0.1 else "retry", "--all"]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            self.process.wait()

    def end(self):
        """Not one may be left that would open the store after the server."""
        self.ending.set()
        while self.is_alive():
            process = getattr(self, "process", None)
            if process:
                process.kill()
            self.join(0.01)


def one_round(number, rnd, server, book, sink, seed, patient):
    people = [rnd.choice(PEOPLE) for _ in range(CLIENTS)]
    clients = [Client(book, server.port["submissions"], p, random.Random(f"{seed}/{number}/{n}"), f"r{number}-{n}", TURNS) for n, p in enumerate(people)]
    sink.manner.closed = rnd.random() < 0.1
    hurry = Hurry(Queue(server.data), random.Random(f"{seed}/{number}/hurry")) if rnd.random() < 0.7 and not patient else None
    for client in clients:
        client.start()
    lib.wait_until(lambda: any(c.connected for c in clients) or not any(c.is_alive() for c in clients), 60, 0.005, "people signed in")
    if hurry:
        hurry.start()
    pause = rnd.uniform(0.0, 0.9)
    time.sleep(pause)  # the random moment of the kill, not a wait for something
    if rnd.random() < 0.15:
        # Asked to end, it finishes what it has begun: nothing of that is a kill.
        code = server.stop(60)
        assert code == 0, f"SIGTERM under load: exit {code}"
        book.stops += 1
    else:
        server.kill()
        book.kills.append(time.monotonic())
    for client in clients:
        client.join(60)
        if client.is_alive():
            book.wrong.append(f"{client.label}: a client did not end")
    if hurry:
        hurry.end()
    if rnd.random() < 0.2:
        try:
            server.start(seconds=rnd.uniform(0.05, 0.6))
        except TimeoutError:
            pass
        server.kill()
        book.kills.append(time.monotonic())
    if number % 4 == 0:
        check(server)
    server.start()
    assert not book.wrong, "; ".join(book.wrong[:5])


def check(server):
    code, text = server.check()
    assert code == 0, f"penfold check: exit {code}\n{text[-3000:]}"


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def goes_by_itself(queue):
    """Nobody hurries it: what is due by now is tried, in whatever moment the kills came. Gives back the seconds that took."""
    begin, now = time.monotonic(), int(time.time())

    def overdue():
        return [row for row in queue.waits() if row["state"] in ("waiting", "trying", "reporting") and seconds(row["at"]) < now]
    try:
        lib.wait_until(lambda: not overdue(), 45, 0.3, "what is due")
    except TimeoutError:
        rows = "\n".join(map(json.dumps, overdue()[:5]))
        raise AssertionError(f"{len(overdue())} parcels are due and nobody tries them:\n{rows}") from None
    return time.monotonic() - begin


def drain(queue, book):
    """Until nothing waits, and everything that was accepted is known."""
    accepted = {m.id for m in book.messages.values() if m.id and m.outside}

    def over():
        rows = queue.list("--all")
        if accepted <= {row["id"].rsplit("-", 1)[0] for row in rows} and all(row["state"] == "done" for row in rows):
            return rows
        queue("retry", "--all")
        return None
    return lib.wait_until(over, 120, 0.1, "nothing waits any more")


class Mailboxes:
    """What everybody has: copies {(person, name): count}, what they sent {(person, name): count}, and failures that were reported {(name, recipient): count}."""

    def __init__(self, port, book):
        self.copies, self.sent, self.reports, self.wrong = {}, {}, {}, []
        for person in EVERYBODY:
            imap = lib.Imap("127.0.0.1", port, person, PASSWORD)
            for data in self._bytes(imap, "INBOX"):
                self._read(person, data, book)
            for data in self._bytes(imap, "Sent"):
                self._own(person, data, book)
            imap.s.close()

    @staticmethod
    def _bytes(imap, folder):
        exists = imap.select(folder, "EXAMINE")["exists"]
        for at in range(1, exists + 1, 100):
            yield from (one["BODY[]"] for one in imap.fetch(f"{at}:{min(exists, at + 99)} (BODY.PEEK[])").values())

    def _own(self, person, data, book):
        name = identify(data.split(b"\r\n\r\n", 1)[0] + b"\r\n")
        self.sent[person, name] = self.sent.get((person, name), 0) + 1
        if name not in book.messages or book.messages[name].sender != person or not data.endswith(book.messages[name].data):
            self.wrong.append(f"in Sent of {person} is what they did not send: {data[:300]!r}")

    def _read(self, person, data, book):
        name = identify(data.split(b"\r\n\r\n", 1)[0] + b"\r\n")
        if name in book.messages:
            self.copies[person, name] = self.copies.get((person, name), 0) + 1
            wrong = altered(data, book.messages[name].data)
            if wrong:
                self.wrong.append(f"{name} at {person}: {wrong}")
            return
        report = email.message_from_bytes(data)
        if report.get_content_type() != "multipart/report" or report.get_param("report-type") != "delivery-status":
            self.wrong.append(f"{person} has something that nobody sent: {data[:300]!r}")
            return
        _, status, original = report.get_payload()
        name = identify(original.get_payload(decode=True) or original.as_bytes())
        if name not in book.messages or book.messages[name].sender != person:
            self.wrong.append(f"{person} has a report of {name}")
            return
        # RFC 3464 §2.1: one block of fields for the message, then one for each recipient.
        for block in status.get_payload()[1:]:
            if block["Action"] == "failed":
                key = name, block["Final-Recipient"].split(";", 1)[1].strip()
                self.reports[key] = self.reports.get(key, 0) + 1


def altered(data, sent):
    if not data.endswith(sent):
        return f"changed: not what was sent ({len(data)} octets, {len(sent)} sent): it ends with {data[-60:]!r}, not with {sent[-60:]!r}"
    if not FIELDS.match(data[:-len(sent)]):
        return f"changed: in front stands {data[:-len(sent)][:300]!r}"
    return None


class Judgement:
    """Everything compared: `faults`, and what is counted beside."""

    def __init__(self, book, taken, refused, rows, boxes):
        self.book, self.refused, self.boxes, self.faults = book, refused, boxes, list(boxes.wrong)
        self.counts = dict.fromkeys(("accepted", "taken", "reported", "here", "twice", "unanswered", "marked", "interrupted"), 0)
        self.parcels, self.taken, self.ids = {}, {}, {}
        for row in rows:
            for one in row["recipients"]:
                self.parcels.setdefault((row["id"].rsplit("-", 1)[0], one["to"]), []).append((row, one["state"]))
        for one in taken:
            self._taken(one)
        for message in book.messages.values():
            self._message(message)
        self._strangers()
        # Marks without a cause are no fault: an attempt may end before the host had all of it.
        self.counts["interrupted"] = sum(row["interrupted"] for row in rows)

    def fault(self, text):
        self.faults.append(text)

    def _taken(self, one):
        name = identify(one.data)
        message, found = self.book.messages.get(name), ACCEPTANCE.search(one.data)
        if message is None or found is None:
            return self.fault(f"the host has something that nobody sent: {one.data[:300]!r}")
        wrong = altered(one.data, message.data)
        if wrong:
            self.fault(f"{name} at {one.recipients}: {wrong}")
        if one.sender != message.sender:
            self.fault(f"{name}: from <{one.sender}>, and {message.sender} sent it")
        known = self.ids.setdefault(name, message.id or found.group(1).decode())
        if known != found.group(1).decode():
            self.fault(f"{name}: accepted as {known}, and came as {found.group(1).decode()}")
        for to in one.recipients:
            self.taken.setdefault((name, to), []).append(one)
        return None

    def _message(self, message):
        name, accepted = message.name, message.id is not None
        effects = [(name, to) in self.taken or (name, to) in self.boxes.reports for to in message.outside - message.silent]
        effects += [(to, name) in self.boxes.copies for to in message.here]
        if not accepted and not any(effects):
            return
        if not message.begun:
            self.fault(f"{name}: came, and was never sent")
        # Where the answer to the sender was lost too, it is all or nothing.
        self.counts["accepted" if accepted else "unanswered"] += 1
        for to in message.here:
            count = self.boxes.copies.get((to, name), 0)
            self.counts["here"] += count
            if count != 1:
                self.fault(f"{'lost' if not count else 'doubled'}: {name} is {count} times in the mailbox of {to}")
        kept = self.boxes.sent.get((message.sender, name), 0)
        if kept != 1:
            self.fault(f"{'lost' if not kept else 'doubled'}: {name} is {kept} times in Sent of {message.sender}")
        for to in message.outside:
            self._outside(message, to)

    def _outside(self, message, to):
        name = message.name
        copies, reports = sorted(self.taken.get((name, to), []), key=lambda one: (self._life(one), one.at)), self.boxes.reports.get((name, to), 0)
        parcels = self.parcels.get((self.ids.get(name, message.id), to), [])
        if len(parcels) != 1 and (message.id or name in self.ids):
            return self.fault(f"lost: {name} for {to} is in {len(parcels)} parcels")
        row, state = parcels[0] if parcels else ({"interrupted": 0, "id": "?"}, "failed")
        where = f"{name} for {to} ({row['id']}, {state}, {row['interrupted']} interrupted)"
        self.counts["taken"] += len(copies)
        self.counts["reported"] += reports
        refused = to.startswith("never") or (name, to) in self.refused
        told = state == "failed" and to not in message.silent
        if reports != told:
            self.fault(f"{'no report' if told else 'a report that should not be'}: {where}: {reports} reports")
        if state == "failed" and not refused:
            self.fault(f"given up: {where}, and the host never refused it")
        if state == "sent" and not copies:
            self.fault(f"lost: {where}: the host has it not")
        if state not in ("sent", "failed"):
            self.fault(f"lost: {where}")
        # Each copy but the last, and the last too where it was given up, must have an attempt without a known end: its answer was kept back, or
        # the server was killed before it wrote down what it had heard.
        open_ended = copies[:-1] if state == "sent" else copies
        after = [self._life(one) for one in copies[1:]] + [len(self.book.kills)]
        for one, life in zip(open_ended, after):
            if not one.lost and life == self._life(one):
                self.fault(f"doubled: {where}: {len(copies)} copies, and the answer to one of them was heard")
        must = sum(one.lost for one in copies)
        if row["interrupted"] < max(len(open_ended), must):
            self.fault(f"not marked: {where}: {len(copies)} copies, {must} without an answer")
        self.counts["twice"] += len(copies) > 1
        self.counts["marked"] += bool(open_ended)
        return None

    def _life(self, one):
        """In which life of the server it was sent; the host may take it a little after that."""
        return sum(kill < one.begun for kill in self.book.kills)

    def _strangers(self):
        for name, to in self.taken:
            if to not in self.book.messages[name].outside:
                self.fault(f"{name} went to {to}, for whom it is not")
        for to, name in self.boxes.copies:
            if to not in self.book.messages[name].here:
                self.fault(f"{name} is in the mailbox of {to}, for whom it is not")


def judged(book, sink, queue, port, wait=30):
    """Deliveries of reports and copies may still be on their way."""
    rows, end = drain(queue, book), time.monotonic() + wait
    while True:
        found = Judgement(book, list(sink.taken), sink.manner.refused, rows, Mailboxes(port, book))
        if not found.faults or time.monotonic() > end:
            return found
        time.sleep(0.2)


def told(found):
    return f"{len(found.faults)} faults\n" + "\n".join(found.faults[:20])


def series(rounds, first, seed, work, total, patient):
    """Some rounds on one data directory; adds to what is counted."""
    rnd, book = random.Random(f"{seed}/{first}"), Book()
    sink = Sink(Bad(f"{seed}/{first}/host")).start()
    server = lib.Server(os.path.join(work, f"data{first}"), lib.write_seed(os.path.join(work, "seed.toml"), TENANTS),
                        extra=["--smart-host", f"smtp://127.0.0.1:{sink.port}"], listeners=lib.LISTENERS)
    number, queue = first, Queue(server.data)
    try:
        server.start()
        for number in range(first, first + rounds):
            at = time.monotonic()
            one_round(number, rnd, server, book, sink, seed, patient)
            if os.environ.get("VERBOSE"):
                print(f"  round {number}: {len(book.messages)} sent, {len(sink.taken)} taken so far ({time.monotonic() - at:.1f} s)", flush=True)
        sink.manner.closed = False
        by_itself = goes_by_itself(queue)
        sink.manner.calm = True
        found = judged(book, sink, queue, server.port["imap"])
        assert not found.faults, told(found)
        code = server.stop()
        assert code == 0, f"SIGTERM: exit {code}"
        check(server)
    except BaseException:
        print(f"sending: round {number} with --seed {seed} failed; data in {server.data}\nthe log ends with:\n{server.tail()}", flush=True)
        raise
    finally:
        server.kill()
        sink.stop()
    lib.remove(server.data)
    for word, count in [*found.counts.items(), *sink.manner.did.items(), ("kills", len(book.kills)), ("stops", book.stops), ("put off", book.put_off)]:
        total[word] = total.get(word, 0) + count
    total["longest by itself"] = max(total.get("longest by itself", 0), by_itself)


class Thief(Manner):
    """Says that it took a message, and did not."""

    def __init__(self):
        self.refused, self.steals = set(), False

    async def rcpt(self, sender, to):
        return "550 5.1.1 there is no such person" if to.startswith("never") else None

    async def end(self, sender, recipients, data):
        return "250 2.0.0 taken" if self.steals else None


def audit_selftest(work, seed):
    """With nothing killed nothing is found; what is done behind the audit's back is found, and named."""
    book, sink = Book(), Sink(Thief()).start()
    server = lib.Server(os.path.join(work, "audit"), lib.write_seed(os.path.join(work, "audit.toml"), TENANTS), extra=["--smart-host", f"smtp://127.0.0.1:{sink.port}"])
    try:
        server.start()
        port, queue = server.port["imap"], Queue(server.data)

        def load(name, turns):
            client = Client(book, server.port["submissions"], PEOPLE[0], random.Random(f"{seed}/{name}"), name, turns)
            client.run()
        load("a", 25)
        found = judged(book, sink, queue, port)
        assert not found.faults and not book.wrong, f"the audit complains of nothing: {told(found)} {book.wrong}"
        assert found.counts["taken"] and found.counts["reported"] and found.counts["here"], found.counts
        rows, boxes, taken = queue.list("--all"), Mailboxes(port, book), list(sink.taken)

        def must_find(*words, taken=taken, boxes=boxes):
            faults = Judgement(book, taken, set(), rows, boxes).faults
            assert all(any(word in fault for fault in faults) for word in words), f"the audit should say '{words}': {faults}"
            assert all(any(word in fault for word in words) for fault in faults), f"the audit should say no more than '{words}': {faults}"
        must_find("lost", taken=taken[1:])
        must_find("doubled", "not marked", taken=taken + [copy.copy(taken[0])])
        changed = copy.copy(taken[0])
        changed.data = changed.data[:-4] + b"!\r\n"
        must_find("changed", taken=[changed] + taken[1:])
        for what, word in (("reports", "no report"), ("copies", "lost")):
            poorer = copy.copy(boxes)
            setattr(poorer, what, dict(list(getattr(boxes, what).items())[1:]))
            must_find(word, boxes=poorer)
        quiet = copy.copy(taken[0])
        quiet.lost = True
        must_find("not marked", taken=[quiet] + taken[1:])
        sink.manner.steals = True
        load("b", 8)
        faults = judged(book, sink, queue, port, wait=0).faults
        assert any("the host has it not" in fault for fault in faults), f"the audit does not see what was stolen: {faults}"
    finally:
        server.kill()
        sink.stop()
    lib.remove(server.data)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 30)))
    args.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)) or int(time.time()))
    args.add_argument("--keep", action="store_true", help="keep the data directory of a failure")
    args.add_argument("--patient", action="store_true", help="nobody hurries what waits while the kills come")
    args = args.parse_args()
    print(f"sending: {args.rounds} rounds, --seed {args.seed}", flush=True)
    work, begin, total, done = lib.scratch("sending"), time.monotonic(), {}, 0
    try:
        audit_selftest(work, args.seed)
        while done < args.rounds:
            n = min(ROUNDS_EACH, args.rounds - done)
            series(n, done, args.seed, work, total, args.patient)
            done += n
            if args.rounds > 100:
                print(f"  {done} rounds, {time.monotonic() - begin:.0f} s", flush=True)
        args.keep = False
    except (AssertionError, TimeoutError, RuntimeError) as e:
        print(f"--- {type(e).__name__}: {e}")
        print(f"sending: {time.monotonic() - begin:.1f} s\n{done} passed, 1 failed")
        return 1
    finally:
        if not args.keep:
            lib.remove(work)
    took = total.pop("longest by itself", 0)
    words = ("accepted", "unanswered", "taken", "reported", "here", "twice", "marked", "interrupted", "kills", "stops", "put off")
    print("sending: the host: " + ", ".join(f"{v} {k}" for k, v in sorted(total.items()) if k not in words))
    print(f"sending: 0 lost, 0 doubled without a mark, 0 changed: {total['accepted']} messages accepted and {total['unanswered']} whose answer the kill took; "
          f"{total['taken']} taken elsewhere, {total['reported']} reported, {total['here']} delivered here; {total['kills']} kills and {total['stops']} stops, {total['interrupted']} attempts "
          f"without a known end, by which {total['twice']} came twice; due after the last start and tried within {took:.0f} s")
    print(f"sending: {time.monotonic() - begin:.1f} s\n{done} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
