"""Clients of a service with several edges: load that goes on with another edge when its own dies, and followers that go on from their modseq.

`Roam` is the load of penfold_load.py; `Follower` keeps a copy of a folder's uids and flags by QRESYNC (RFC 7162) and at the end must have what is there.
"""
import re
import threading
import time

import penfold_testlib as lib
from penfold_load import ENDED, PASSWORD, Load, plain

PAUSE = 0.05  # before the next edge is tried: where all are gone, or only starting


class Roam(Load):
    """`ports`: {"smtp": [port of each edge], "imap": [..]}. `patient`: an answer that says "later" is no mistake; nothing is known of that command then."""

    def __init__(self, book, people, ports, seed, name, patient=False, **more):
        self.every, self.patient, self.went_on, self.put_off = ports, patient, 0, 0
        super().__init__(book, people, None, seed, name, **more)

    @property
    def ports(self):
        return {kind: ports[self.mine.turn % len(ports)] for kind, ports in self.every.items()}

    @ports.setter
    def ports(self, _):
        pass

    def _guard(self, run, rnd, i, label):
        self.mine.turn, tries = rnd.randrange(2), 0
        while not self.ending.is_set():
            tries += 1
            try:
                return run(rnd, i, f"{label}x{tries}")
            except TimeoutError:
                return self.book.wrong.append(f"{label}: no answer within the deadline")
            except ENDED:
                self.went_on += 1
                self.mine.turn += 1
                time.sleep(PAUSE)
            except (lib.ImapError, lib.SmtpError) as e:
                if not (self.patient and later(e)):
                    return self.book.wrong.append(f"{label}: unexpected answer {e}")
                self.put_off += 1
            except Exception as e:
                return self.book.wrong.append(f"{label}: {e!r}")


def later(error):
    return 400 <= error.code < 500 if isinstance(error, lib.SmtpError) else str(error).startswith(("NO [UNAVAILABLE]", "NO [INUSE]"))


class Follower:
    def __init__(self, person, folder, ports, patient=False, turn=0):
        self.person, self.folder, self.ports, self.patient = person, folder, ports, patient
        self.flags, self.validity, self.modseq = {}, None, 0
        self.turn, self.resumed, self.c, self.wrong, self.grown = turn, 0, None, [], False

    def start(self):
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self):
        while not self.ending.is_set():
            self._try(self._follow)

    def _try(self, act):
        """True where it was done; where the connection is gone, the next one is with another edge."""
        try:
            if not self.c:
                self._connect()
            act()
            return True
        except TimeoutError:
            self.wrong.append(f"follower of {self.person}: no answer within the deadline")
        except ENDED:
            pass
        except (lib.ImapError, KeyError, ValueError) as e:
            if not (self.patient and isinstance(e, lib.ImapError) and later(e)):
                self.wrong.append(f"follower of {self.person}: {e!r}")
        if self.c:
            self.c.s.close()
        self.c, self.turn = None, self.turn + 1
        time.sleep(PAUSE)
        return False

    def _connect(self):
        c = lib.Imap("127.0.0.1", self.ports[self.turn % len(self.ports)], self.person, PASSWORD, tag="f")
        self.c = c
        c.cmd("ENABLE QRESYNC")
        if self.validity is None:
            self._hear(c.cmd(f'SELECT "{self.folder}"'))
            self._catch_up()
            return
        known = f" {ranges(sorted(self.flags))}" if self.flags else ""
        self._hear(c.cmd(f'SELECT "{self.folder}" (QRESYNC ({self.validity} {max(self.modseq, 1)}{known}))'))
        self.resumed += 1

    def _follow(self):
        self._hear(self.c.cmd("NOOP"))
        self._catch_up()
        self.ending.wait(PAUSE)

    def _catch_up(self):
        seen = self._hear(self.c.cmd(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {max(self.modseq, 1)} VANISHED)"))
        if self.grown:
            # New messages are announced by number alone, and a later change may have brought a higher modseq than theirs.
            self.grown = False
            seen = max(seen, self._hear(self.c.cmd(f"UID FETCH {max(self.flags, default=0) + 1}:* (FLAGS MODSEQ)")))
        # Only now: what came before the end of the answer may have come out of order.
        self.modseq = max(self.modseq, seen)

    def _hear(self, responses):
        """Takes over what the server said; gives back the highest modseq in it."""
        seen = 0
        for r in responses:
            if m := re.match(rb"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)", r[0], re.I):
                gone = [part.partition(":") for part in m.group(1).decode().split(",")]
                spans = [(int(low), int(high or low)) for low, _, high in gone]
                self.flags = {uid: f for uid, f in self.flags.items() if not any(low <= uid <= high for low, high in spans)}
            elif m := re.match(rb"\* \d+ FETCH ", r[0], re.I):
                items = lib.tokens([r[0][m.end():]] + r[1:])[0]
                got = {items[i].decode().upper(): items[i + 1] for i in range(0, len(items), 2)}
                seen = max(seen, int(got["MODSEQ"][0]) if "MODSEQ" in got else 0)
                if "FLAGS" in got:
                    self.flags[int(got["UID"])] = plain(got["FLAGS"])
            elif re.match(rb"\* \d+ EXISTS", r[0], re.I):
                self.grown = True
            elif m := re.search(rb"\[UIDVALIDITY (\d+)\]", r[0]):
                if self.validity not in (None, int(m.group(1))):
                    self.wrong.append(f"{self.person} {self.folder}: uidvalidity went from {self.validity} to {m.group(1).decode()}")
                self.validity = int(m.group(1))
        return seen

    def finish(self, port, seconds=60):
        """Once nobody works any more: compares the copy with what the edge on `port` says. Gives back what is wrong."""
        self.ending.set()
        self.thread.join(60)
        end = time.monotonic() + seconds
        while not self._try(self._catch_up) and time.monotonic() < end:
            pass
        c = lib.Imap("127.0.0.1", port, self.person, PASSWORD, tag="v")
        exists = c.select(self.folder, "EXAMINE")["exists"]
        there = {int(v["UID"]): plain(v["FLAGS"]) for v in c.fetch("1:* (FLAGS)", uid=True).values()} if exists else {}
        c.s.close()
        if there != self.flags:
            lacks, more = sorted(set(there) - set(self.flags)), sorted(set(self.flags) - set(there))
            odd = [(u, sorted(there[u]), sorted(self.flags[u])) for u in sorted(set(there) & set(self.flags)) if there[u] != self.flags[u]]
            self.wrong.append(f"follower of {self.person} {self.folder}, modseq {self.modseq}: lacks {lacks[:9]}, has {more[:9]} that are gone, other flags {odd[:9]}")
        wrong, self.wrong = self.wrong, []
        return wrong


def ranges(numbers):
    """[1, 2, 3, 7] -> "1:3,7" """
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in out)
