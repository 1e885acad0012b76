"""The two sides of the bench, with one shape: where they listen, their processes, how they start, stop and are filled."""
import concurrent.futures
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import penfold_testlib as lib  # noqa: E402

PASSWORD = "secret"
WORDS = ("project meeting budget invoice schedule review quarterly customer delivery server calendar report draft agenda travel contract proposal "
         "release update holiday summary deadline network design support").split()


def message(size, number, needle=None):
    """About `size` octets of plain words under headers of the usual kind."""
    import random
    rnd = random.Random(number)
    text = (f"Received: from mail.far.test (mail.far.test [203.0.113.7])\r\n\tby mx.near.test with ESMTPS id {rnd.getrandbits(64):016x};\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
            f"From: \"{rnd.choice(WORDS).title()} {rnd.choice(WORDS).title()}\" <bench@far.test>\r\nTo: <someone@bench.test>, \"Two\" <two@bench.test>\r\n"
            f"Subject: {rnd.choice(WORDS)} {rnd.choice(WORDS)} {number}\r\nDate: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime(1700000000 + number * 60))}\r\n"
            f"Message-ID: <bench-{number}-{rnd.getrandbits(48):x}@far.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
    lines, length = [text] + ([needle + "\r\n"] if needle else []), len(text)
    while length < size:
        line = " ".join(rnd.choice(WORDS) for _ in range(9)) + "\r\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()


class Side:
    host = "127.0.0.1"
    secrets = {}  # of those who have another than PASSWORD

    def imap(self, user, tls=False):
        return lib.Imap(self.host, self.port["imaps" if tls else "imap"], user, self.secrets.get(user, PASSWORD), tls=tls, timeout=300)

    def ensure(self, user, folder, count, size, needle_every=0):
        """Fills a folder over MULTIAPPEND, a few dozen a command."""
        c = self.imap(user)
        try:
            have = c.status(folder, "MESSAGES")["MESSAGES"]
        except lib.ImapError:
            c.cmd(f'CREATE "{folder}"')
            have = 0
        while have < count:
            n = min(30, count - have)
            batch = [message(size, have + i, "zebracrossing" if needle_every and (have + i) % needle_every == 7 else None) for i in range(n)]
            c.cmd(f'APPEND "{folder}"' + " {}" * n, *batch)
            have += n
        c.close()


class Penfold(Side):
    name = "Penfold"

    def __init__(self, work, people, label="penfold", tenants=(), extra=(), password=PASSWORD):
        self.data = os.path.join(work, label)
        seed = lib.write_seed(os.path.join(work, label + ".toml"), [("Bench", ["bench.test"], [(p, password, p) for p in people]), *tenants])
        self.server, self.secrets = lib.Server(self.data, seed, extra=extra), {}
        self.port = self.server.port

    def start(self, seconds=1800):
        self.server.start(seconds)
        return self

    def stop(self):
        if self.server.alive():
            self.server.stop(60)

    def kill(self):
        self.server.kill()

    def pids(self):
        return [self.server.pid]

    def command(self, *words, text=None):
        """An administrator's command to the running server."""
        subprocess.run([lib.binary(), *words, "--data", self.data], input=text, text=True, stdout=subprocess.DEVNULL, check=True)

    def app_passwords(self, people):
        """Gives everybody an app password, over the socket that the command line uses: checking one costs no argon2."""
        for person in people:
            request = {"password": {"json": True, "verb": {"app": {"add": {"address": person, "name": "bench", "opens": []}}}}}
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(os.path.join(self.data, "control.sock"))
                s.sendall(json.dumps(request).encode() + b"\n")
                answer = b"".join(iter(lambda: s.recv(65536), b""))
            self.secrets[person] = next(line["value"]["password"] for line in map(json.loads, answer.splitlines()) if line.get("value"))

    def waiting_seconds(self):
        """How long the oldest delivery has waited; 0 where none waits."""
        with urllib.request.urlopen(f"http://{self.host}:{self.port['http']}/metrics", timeout=30) as answer:
            return next(float(line.split()[1]) for line in answer.read().decode().splitlines() if line.startswith("penfold_deliver_oldest_seconds "))

    def launch(self):
        """Only starts the process: for timing the first greeting."""
        self.server.process = subprocess.Popen(self.server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def fill_inboxes(self, people, count):
        """A few dozen messages by APPEND, then copies of them: what counts is how many there are."""
        mails = [message(600, i) for i in range(min(count, 25))]

        def fill(person):
            c = self.imap(person)
            c.cmd("APPEND INBOX" + " {}" * len(mails), *mails)
            c.cmd("SELECT INBOX")
            have = len(mails)
            while have < count:
                more = min(have, count - have)
                c.cmd(f"COPY 1:{more} INBOX")
                have += more
            c.close()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(fill, people))


class Peers(Side):
    name = "Postfix + Dovecot"
    port = {"smtp": 4025, "submission": 4587, "submissions": 4465, "imap": 4143, "imaps": 4993}

    def __init__(self, work):
        self.base = os.path.join(work, "peers")
        self.env = dict(os.environ, PEERS_BASE=self.base)
        os.chmod(work, 0o755)

    def _script(self, act):
        return subprocess.run([os.path.join(HERE, "peers", "peers"), act], env=self.env, stdout=subprocess.PIPE, check=True).stdout.decode()

    def start(self):
        self._script("start")
        lib.wait_until(self._up, what="the peers")
        return self

    def _up(self):
        try:
            lib.Imap(self.host, self.port["imap"]).close()
            lib.Smtp(self.host, self.port["smtp"]).close()
            return True
        except (OSError, EOFError):
            return False

    def stop(self):
        self._script("stop")
        lib.wait_until(lambda: not self._up(), what="the peers' end")

    kill = stop

    def pids(self):
        return [int(p) for p in self._script("pids").split()]

    def launch(self):
        """Dovecot alone: Postfix takes a second of its own."""
        subprocess.run(["dovecot", "-c", os.path.join(self.base, "dovecot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def fill_inboxes(self, people, count):
        """Maildir files written aside, since 200 synced APPENDs for each of many people take hours there."""
        import pwd
        owner = pwd.getpwnam("penfoldpeer")
        for p in people:
            box = os.path.join(self.base, "mail", p)
            for part in (box, *(os.path.join(box, x) for x in ("cur", "new", "tmp"))):
                os.makedirs(part, exist_ok=True)
                os.chown(part, owner.pw_uid, owner.pw_gid)
            have = len(os.listdir(os.path.join(box, "cur")))
            for i in range(have, count):
                data = message(600, i).replace(b"\r\n", b"\n")
                path = os.path.join(box, "cur", f"{1700000000 + i}.M{i}P1.bench,S={len(data)}:2,")
                with open(path, "wb") as f:
                    f.write(data)
                os.chown(path, owner.pw_uid, owner.pw_gid)
