"""What a suite is given: where the server listens, people of its own, and short ways to look at what arrived."""
import glob
import os
import sys
import shutil
import subprocess
import time

import penfold_testlib as lib
from penfold_dav import Dav

PASSWORD = "secret"
PEOPLE = 220
UMLAUT = "jürgen@bench.test"
IDN = "jürgen@bücher.test"


def apart(program):
    """A program of the environment beside the venv, whose libraries can be imported from here on."""
    place = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), ".venv", "apart")
    found = glob.glob(os.path.join(place, "lib", "python3*", "site-packages"))
    sys.path[:0] = [path for path in found if path not in sys.path]
    return os.path.join(place, "bin", program)


class Skip(Exception):
    pass


class Target:
    def __init__(self, host, port, work, peer=False, radicale=None):
        self.host, self.port, self.work, self.peer, self.radicale, self.given = host, port, work, peer, radicale, 0
        self.settled = set()
        self.run_id = f"{int(time.time()) % 1000000}-" if peer and not radicale else ""

    @classmethod
    def everybody(cls):
        return [address for _, _, people in cls.tenants() for address, _, _ in people]

    @staticmethod
    def tenants():
        people = [(f"u{i}@bench.test", PASSWORD, f"Person {i}") for i in range(PEOPLE)]
        return [("Bench", ["bench.test"], people + [(UMLAUT, PASSWORD, "Jürgen")]), ("Bücher", ["bücher.test"], [(IDN, PASSWORD, "Jürgen Bücher")])]

    def fresh(self):
        """The same server, two people that no other test has."""
        self.given += 2
        self.a, self.b = (f"u{self.run_id}{self.given - n}@bench.test" for n in (2, 1))
        self.dir = os.path.join(self.work, f"t{self.given}")
        os.makedirs(self.dir, exist_ok=True)
        return self

    def penfold_only(self, why):
        if self.peer:
            raise Skip(why)

    @property
    def url(self):
        """Where clients of DAV begin to look."""
        return f"http://{self.host}:{self.port['http']}"

    def dav(self, user=None):
        """A client of DAV for somebody, who has a calendar, tasks and contacts."""
        user = user or self.a
        if self.radicale and user not in self.settled:
            self.settled.add(user)
            self.radicale.settle(user)
        return Dav(self.host, self.port["http"], user, PASSWORD)

    def files(self, user=None):
        """The path of somebody's files; $DAV_FILES for the trial of a suite on another server."""
        if os.environ.get("DAV_FILES"):
            return os.environ["DAV_FILES"]
        self.penfold_only("only Penfold keeps files")
        return "/dav/files/" + self.dav(user).home()["principal"].rstrip("/").split("/")[-1] + "/"

    def file(self, name, content):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(content, bytes) else "w") as f:
            f.write(content)
        return path

    def imap(self, user, tls=False):
        return lib.Imap(self.host, self.port["imaps" if tls else "imap"], user, PASSWORD, tls=tls)

    def mx(self):
        return lib.Smtp(self.host, self.port["smtp"])

    def deliver(self, user, data, sender="sender@elsewhere.test"):
        """Over the MX port, and waits until IMAP shows it."""
        c = self.imap(user)
        before = c.status("INBOX")["MESSAGES"]
        s = self.mx()
        s.send(sender, [user], data)
        s.close()
        lib.wait_until(lambda: c.status("INBOX")["MESSAGES"] > before, what="delivery")
        c.close()

    def mail(self, user, subject, mailbox="INBOX", count=1, seconds=30):
        """Waits for exactly `count` messages whose subject contains `subject`; returns the first one's bytes."""
        c = self.imap(user)
        try:
            c.select(mailbox, "EXAMINE")

            def there():
                c.cmd("NOOP")
                found = c.search(f'SUBJECT "{subject}"')
                return found if len(found) >= count else None
            found = lib.wait_until(there, seconds, what=f'mail "{subject}" for {user} in {mailbox}')
            assert len(found) == count, (subject, found)
            return next(iter(c.fetch(f"{found[0]} (UID BODY.PEEK[])", uid=True).values()))["BODY[]"]
        finally:
            c.close()

    def flags(self, user, subject, mailbox="INBOX"):
        c = self.imap(user)
        try:
            c.select(mailbox, "EXAMINE")
            found = c.search(f'SUBJECT "{subject}"')
            return {f.decode() for f in next(iter(c.fetch(f"{found[0]} (UID FLAGS)", uid=True).values()))["FLAGS"]} if found else None
        finally:
            c.close()

    def run(self, *command, code=0, text=None, env=None, seconds=60):
        """Runs a client program; returns what it printed. `code`: the exit code that is asked for."""
        if not shutil.which(command[0]):
            raise AssertionError(f"{command[0]} is missing: run scripts/setup-test clients")
        done = subprocess.run(command, input=text.encode() if isinstance(text, str) else text, stdin=None if text is not None else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, cwd=self.dir, env=dict(os.environ, **(env or {})))
        out = done.stdout.decode(errors="replace")
        assert code is None or done.returncode == code, f"{' '.join(map(str, command))[:300]}: exit {done.returncode}, not {code}\n{out[-2500:]}"
        return out


def message(subject, body="hello\r\n", to="someone@bench.test", sender="sender@elsewhere.test", extra=""):
    return (f"From: Sender <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: Wed, 25 Nov 2026 10:00:00 +0100\r\n"
            f"Message-ID: <{subject.replace(' ', '.')}.{time.time_ns()}@elsewhere.test>\r\n{extra}\r\n{body}").encode()
