"""Load whose every acknowledgement is written down, and the check that the server kept its word.

A `Book` holds, for each message and person, the states that are allowed: None (absent) or (folder, flags). A command that was sent but not
answered leaves two; an answer leaves one. `Audit` compares a server with a book.
"""
import base64
import hashlib
import random
import re
import threading
import time

import penfold_testlib as lib

PASSWORD = "secret"
KEYWORDS = ("\\Seen", "\\Flagged", "\\Answered", "$Work", "$Later")
PREFIX = re.compile(rb"(?:(?:Return-Path|Received|Authentication-Results|Delivered-To):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*\Z", re.I)
ENDED = (OSError, EOFError)


class Op:
    """One command: what each (person, message) becomes by it. `begun` and `acked` are positions in a power-cut trace (0 without one)."""
    __slots__ = ("after", "begun", "acked", "proof", "delivery", "uids")

    def __init__(self, after, begun, delivery):
        self.after, self.begun, self.acked, self.proof, self.delivery, self.uids = after, begun, None, None, delivery, []

    def apply(self, allowed, acked):
        for key, state in self.after.items():
            states = allowed.setdefault(key, {None})
            states.add(state)
            if acked and self.delivery:
                states.discard(None)  # somebody else may have moved it already
            elif acked:
                allowed[key] = {state}


class Book:
    def __init__(self, position=lambda: 0):
        self.position, self.lock = position, threading.Lock()
        self.ops, self.allowed, self.deliveries, self.sent = [], {}, set(), {}
        self.uids, self.acks, self.wrong = {}, {}, []

    def begin(self, after, delivery=False):
        op = Op(after, self.position(), delivery)
        with self.lock:
            self.ops.append(op)
            op.apply(self.allowed, False)
            if delivery:
                self.deliveries.update(after)
        return op

    def ack(self, op, kind, proof=b"", uids=()):
        """`proof`: what the answer surely holds; `uids`: [(person, folder, uidvalidity, uid, mail)] that it named."""
        op.acked, op.proof, op.uids = self.position(), proof, uids
        for named in uids:
            self.saw_uid(*named)
        with self.lock:
            op.apply(self.allowed, True)
            self.acks[kind] = self.acks.get(kind, 0) + 1

    def saw_uid(self, person, folder, validity, uid, mail):
        """A uid names one message for ever; `mail` is its id."""
        with self.lock:
            old = self.uids.setdefault((person, folder, validity), {}).setdefault(uid, mail)
            if old != mail:
                self.wrong.append(f"{person} {folder}: uid {uid} was {old} and is now {mail}")

    def at(self, cut):
        """The book as it was at that position of the trace: what came after it is forgotten."""
        then = Book()
        then.sent = self.sent
        for op in self.ops:
            if op.begun <= cut:
                acked = op.acked is not None and op.acked <= cut
                op.apply(then.allowed, acked)
                if op.delivery:
                    then.deliveries.update(op.after)
                for named in op.uids if acked else ():
                    then.saw_uid(*named)
        return then


class Load:
    """Load on one server until `end()`, until its connections break or until each client has done `limit` turns. People must be signed in with PASSWORD."""

    def __init__(self, book, people, ports, seed, name, host="127.0.0.1", limit=200, large=True, smtp=3, append=2, move=1, store=1, sort=1):
        self.book, self.people, self.ports, self.host, self.name, self.limit, self.large = book, people, ports, host, name, limit, large
        self.ending, self.threads, self.broken, self.mine, self.connected = threading.Event(), [], [], threading.local(), 0
        for kind, n in (("smtp", smtp), ("append", append), ("move", move), ("store", store), ("sort", sort)):
            for i in range(n):
                rnd = random.Random(f"{seed}/{name}/{kind}{i}")
                self.threads.append(threading.Thread(target=self._guard, args=(getattr(self, "_" + kind), rnd, i, f"{kind}{i}"), daemon=True))

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def end(self, seconds=60):
        """Every client stops after its present command."""
        self.ending.set()
        self.finish(seconds)

    def finish(self, seconds=60):
        """Waits until every client has done its turns."""
        for t in self.threads:
            t.join(seconds)
            if t.is_alive():
                self.book.wrong.append("a client did not end: the server holds an answer back")

    def wait_connected(self, seconds=30):
        lib.wait_until(lambda: self.connected >= len(self.threads) or not any(t.is_alive() for t in self.threads), seconds, 0.005, "all clients signed in")

    def _guard(self, run, rnd, i, label):
        try:
            run(rnd, i, label)
        except TimeoutError:
            self.book.wrong.append(f"{label}: no answer within the deadline")
        except ENDED as e:
            self.broken.append(f"{label}: {e}")
        except (lib.ImapError, lib.SmtpError) as e:
            self.book.wrong.append(f"{label}: unexpected answer {e}")
        except Exception as e:
            self.book.wrong.append(f"{label}: {e!r}")

    def _go(self):
        self.mine.count = getattr(self.mine, "count", 0) + 1
        return self.mine.count <= self.limit and not self.ending.is_set()

    def _imap(self, person, label):
        c = lib.Imap(self.host, self.ports["imap"], person, PASSWORD, tag=f"{self.name}{label}t")
        self.connected += 1
        return c

    def _mail(self, rnd, label, n):
        mail = f"{self.name}.{label}.{n}"
        size = 300_000 if self.large and rnd.random() < 0.02 else rnd.choice((200, 1500, 4000, 9000))
        body = base64.encodebytes(rnd.randbytes(size * 3 // 4)).replace(b"\n", b"\r\n")
        data = (f"From: <load@elsewhere.test>\r\nTo: <x@elsewhere.test>\r\nSubject: load {mail}\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n"
                f"Message-ID: <{mail}@elsewhere.test>\r\nX-Load: {mail}\r\n\r\n.\r\n").encode() + body
        self.book.sent[mail] = (len(data), hashlib.sha256(data).digest())
        return mail, data

    def _smtp(self, rnd, i, label):
        c, n = lib.Smtp(self.host, self.ports["smtp"]), 0
        self.connected += 1
        while self._go():
            n += 1
            mail, data = self._mail(rnd, label, n)
            to = rnd.sample(self.people, rnd.choice((1, 1, 2, 3)))
            op = self.book.begin({(p, mail): ("INBOX", frozenset()) for p in to}, delivery=True)
            text = c.send("load@elsewhere.test", to, data)
            self.book.ack(op, "smtp", text.encode())

    def _folder(self, c, *names):
        for name in names:
            try:
                c.cmd(f'CREATE "{name}"')
            except lib.ImapError:
                c.status(name)  # there from an earlier round

    def _append_some(self, c, person, folder, rnd, label, n, count):
        """One MULTIAPPEND (RFC 3502): all or nothing. Returns [(uid, mail, flags)]."""
        made = [self._mail(rnd, label, f"{n}-{k}") + (frozenset(rnd.sample(KEYWORDS, rnd.choice((0, 1, 2)))),) for k in range(count)]
        op = self.book.begin({(person, mail): (folder, flags) for mail, _, flags in made})
        c.cmd(f'APPEND "{folder}"' + "".join(f" ({' '.join(sorted(flags))}) {{}}" for _, _, flags in made), *(data for _, data, _ in made))
        m = re.search(rb"APPENDUID (\d+) ([\d:,]+)\]", c.done_text)
        uids = lib.expand(m.group(2).decode())
        self.book.ack(op, "append", c.last_tag, [(person, folder, int(m.group(1)), uid, mail) for uid, (mail, _, _) in zip(uids, made)])
        return [(uid, mail, flags) for uid, (mail, _, flags) in zip(uids, made)]

    def _append(self, rnd, i, label):
        person, folder, n = self.people[i % len(self.people)], f"Append{i}", 0
        c = self._imap(person, label)
        self._folder(c, folder)
        while self._go():
            n += 1
            self._append_some(c, person, folder, rnd, label, n, rnd.choice((1, 1, 1, 3)) if self.multi(c) else 1)

    def multi(self, c):
        if not hasattr(c, "multi"):
            c.multi = b"MULTIAPPEND" in b" ".join(r[0] for r in c.cmd("CAPABILITY"))
        return c.multi

    def _move(self, rnd, i, label):
        """MOVE there and back, and UID EXPUNGE, of messages of its own."""
        person, here, there, n = self.people[i % len(self.people)], f"Here{i}", f"There{i}", 0
        c = self._imap(person, label)
        self._folder(c, here, there)
        mine = []
        while self._go():
            n += 1
            c.select(here)
            while len(mine) < 6:
                mine += self._append_some(c, person, here, rnd, label, f"{n}.{len(mine)}", 1)
            some = rnd.sample(mine, rnd.randint(1, 4))
            if rnd.random() < 0.2:
                mine = self._expunge(c, person, here, mine, some)
                continue
            moved = self._move_some(c, person, some, here, there)
            c.select(there)
            mine = [x for x in mine if x not in some] + self._move_some(c, person, moved, there, here)

    def _move_some(self, c, person, some, source, target):
        op = self.book.begin({(person, mail): (target, flags) for _, mail, flags in some})
        untagged = c.cmd(f"UID MOVE {','.join(str(u) for u, _, _ in some)} \"{target}\"")
        m = re.search(rb"COPYUID (\d+) ([\d:,]+) ([\d:,]+)\]", b"\n".join(r[0] for r in untagged) + c.done_text)
        to = dict(zip(lib.expand(m.group(2).decode()), lib.expand(m.group(3).decode())))
        self.book.ack(op, "move", c.last_tag, [(person, target, int(m.group(1)), to[uid], mail) for uid, mail, _ in some])
        return [(to[uid], mail, flags) for uid, mail, flags in some]

    def _expunge(self, c, person, folder, mine, some):
        uids = ",".join(str(u) for u, _, _ in some)
        op = self.book.begin({(person, mail): (folder, flags | {"\\Deleted"}) for _, mail, flags in some})
        c.cmd(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
        self.book.ack(op, "store", c.last_tag)
        op = self.book.begin({(person, mail): None for _, mail, _ in some})
        c.cmd(f"UID EXPUNGE {uids}")
        self.book.ack(op, "expunge", c.last_tag)
        return [x for x in mine if x not in some]

    def _store(self, rnd, i, label):
        person, folder = self.people[-1 - i % len(self.people)], f"Flags{i}"
        c = self._imap(person, label)
        self._folder(c, folder)
        mine = []
        c.select(folder)
        while self._go():
            if len(mine) < 12:
                mine += self._append_some(c, person, folder, rnd, label, len(mine), 1)
                continue
            some = rnd.sample(mine, rnd.randint(1, 8))
            how, what = rnd.choice(("+", "-", "")), frozenset(rnd.sample(KEYWORDS, rnd.randint(1, 3)))
            new = {u: f | what if how == "+" else f - what if how == "-" else what for u, _, f in some}
            op = self.book.begin({(person, mail): (folder, new[u]) for u, mail, _ in some})
            c.cmd(f"UID STORE {','.join(str(u) for u, _, _ in some)} {how}FLAGS.SILENT ({' '.join(sorted(what))})")
            self.book.ack(op, "store", c.last_tag)
            mine = [(u, mail, new.get(u, f)) for u, mail, f in mine]

    def _sort(self, rnd, i, label):
        """Moves what SMTP delivers out of an INBOX while more comes in."""
        person = self.people[(1 + i) % len(self.people)]
        c = self._imap(person, label)
        c.select("INBOX")
        while self._go():
            c.cmd("NOOP")
            got = c.fetch("1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (X-Load)])") if c.search("ALL") else {}
            some = [(int(v["UID"]), v["BODY[HEADER.FIELDS (X-LOAD)]"].split(b":", 1)[1].strip().decode(), plain(v["FLAGS"])) for v in got.values() if "UID" in v and "FLAGS" in v]
            some = rnd.sample(some, min(len(some), 5))
            if some:
                self._move_some(c, person, some, "INBOX", "Archive")
            else:
                time.sleep(0.005)


def plain(flags):
    return frozenset(f.decode() for f in flags) - {"\\Recent"}


class Audit:
    """Reads everything of every person and compares it with a book (but for mail that says X-Probe:). It remembers bodies that it has compared, so that later rounds read only new ones."""

    def __init__(self, book, people, ports, host="127.0.0.1"):
        self.book, self.people, self.ports, self.host = book, people, ports, host
        self.compared, self.numbers = set(), {(person, folder, "uidvalidity"): validity for person, folder, validity in book.uids}

    def run(self, seconds=30, whole=False):
        """Raises AssertionError with what is wrong. The states seen become the book's."""
        allowed, late = self.book.allowed, self.book.deliveries
        if whole:
            self.compared = set()
        end = time.monotonic() + seconds
        clients = [lib.Imap(self.host, self.ports["imap"], p, PASSWORD) for p in self.people]
        try:
            while True:
                seen = {}
                for person, c in zip(self.people, clients):
                    self._read(person, c, seen)
                missing = [k for k, states in allowed.items() if None not in states and k not in seen]
                if not [k for k in missing if k in late] or time.monotonic() > end:
                    break
                time.sleep(0.02)  # an accepted message may still be on its way to the mailbox
        finally:
            for c in clients:
                c.s.close()
        self._compare(allowed, late, seen, missing)
        return len(seen)

    def _read(self, person, c, seen):
        folders = [t[-1].decode() for r in c.cmd('LIST "" "*"') if r[0].upper().startswith(b"* LIST") for t in [lib.tokens([r[0][7:]] + r[1:])]]
        for folder in folders:
            got = c.select(folder, "EXAMINE")
            validity = got["uidvalidity"]
            self._grows(person, folder, got)
            if not got["exists"]:
                continue
            known = self.book.uids.setdefault((person, folder, validity), {})
            flags = {int(v["UID"]): plain(v["FLAGS"]) for v in c.fetch("1:* (FLAGS)", uid=True).values()}
            fresh = [u for u in flags if (person, folder, validity, u) not in self.compared]
            for at in range(0, len(fresh), 200):
                for v in c.fetch(",".join(map(str, fresh[at:at + 200])) + " (UID BODY.PEEK[])", uid=True).values():
                    uid, data = int(v["UID"]), v["BODY[]"]
                    self.book.saw_uid(person, folder, validity, uid, self._identify(person, folder, uid, data))
                    self.compared.add((person, folder, validity, uid))
            for uid, f in flags.items():
                if known.get(uid) == "probe":
                    continue
                seen.setdefault((person, known.get(uid, "?")), []).append((folder, f, uid))

    def _grows(self, person, folder, got):
        for name in ("uidvalidity", "uidnext", "highestmodseq"):
            old, new = self.numbers.get((person, folder, name)), got.get(name)
            if old is not None and (new is None or new < old or (name == "uidvalidity" and new != old)):
                self.book.wrong.append(f"{person} {folder}: {name} went from {old} to {new}")
            if new is not None:
                self.numbers[person, folder, name] = new

    def _identify(self, person, folder, uid, data):
        if b"\nX-Probe: " in data[:4000]:
            return "probe"
        m = re.search(rb"^X-Load: (\S+)\r\n", data, re.M)
        mail = m.group(1).decode() if m else "?"
        size, digest = self.book.sent.get(mail, (0, b""))
        prefix, body = (data[:-size], data[-size:]) if size else (data, b"")
        if hashlib.sha256(body).digest() != digest:
            self.book.wrong.append(f"{person} {folder} uid {uid}: {mail} is not what was sent ({len(data)} octets, {size} sent)")
        elif not PREFIX.match(prefix) or (prefix and (person, mail) not in self.book.deliveries):
            self.book.wrong.append(f"{person} {folder} uid {uid}: {mail} has an unknown prefix {prefix[:200]!r}")
        return mail

    def _compare(self, allowed, late, seen, missing):
        wrong = self.book.wrong
        wrong += [f"lost: {k} must be {allowed[k]}" for k in missing]
        for key, places in seen.items():
            if len(places) > 1:
                wrong.append(f"doubled: {key} is in {places}")
            state = (places[0][0], places[0][1])
            if key not in allowed:
                wrong.append(f"not ours: {key} in {state}")
            elif state not in allowed[key]:
                wrong.append(f"changed: {key} is {state}, allowed {allowed[key]}")
            else:
                allowed[key] = {state}
        for key in allowed:
            if key not in seen and key not in late:
                allowed[key] = {None}
        assert not wrong, f"{len(wrong)} wrong:\n  " + "\n  ".join(wrong[:12])
