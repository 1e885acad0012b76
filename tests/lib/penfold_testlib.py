"""What the black-box suites share: a server to start and kill, seed files, small SMTP and IMAP clients, bounded waits.

Python's standard library only. Nothing here knows how Penfold works inside; it uses the fixed outside interface:
`penfold serve --data DIR --seed FILE`, one flag per listener, a line that starts with `ready` on stdout.
"""
import base64
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LISTENERS = ("smtp", "submission", "submissions", "imap", "imaps", "http", "https")


def binary():
    """The program under test: $PENFOLD, or what `make build` makes."""
    path = os.environ.get("PENFOLD") or os.path.join(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "release", "penfold")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is missing: run `make build`, or set PENFOLD to the binary")
    return path


def scratch(prefix):
    """A new directory for one run; the caller removes it. $PENFOLD_SCRATCH moves it to another disk."""
    return tempfile.mkdtemp(prefix=f"penfold-{prefix}-", dir=os.environ.get("PENFOLD_SCRATCH"))


_given, _giving = set(), threading.Lock()


def free_ports(count):
    """Ports that nothing listens on, none of them given out before by this process, all outside the ephemeral range (so that no
    outgoing connection takes one between this look and the server's bind)."""
    with _giving:
        found, port = [], 10000 + (os.getpid() * 37 + len(_given)) % 20000
        if len(_given) > 15000:
            _given.clear()
        while len(found) < count:
            port = port + 1 if port < 32000 else 10000
            if port in _given:
                continue
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _given.add(port)
            found.append(port)
        return found


def wait_until(condition, seconds=30.0, every=0.01, what="the condition"):
    """Polls until `condition()` is true and returns its value; a generous deadline, never a sleep for luck."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(every)


def toml_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_seed(path, tenants):
    """tenants: [(name, [domain, ...], [(address, password, name), ...]), ...]"""
    with open(path, "w", encoding="utf-8") as f:
        for name, domains, people in tenants:
            f.write(f"[[tenant]]\nname = {toml_string(name)}\ndomains = [{', '.join(map(toml_string, domains))}]\npeople = [\n")
            for address, password, who in people:
                secret = f"password = {toml_string(password)}, " if password else ""
                f.write(f"  {{ address = {toml_string(address)}, {secret}name = {toml_string(who)} }},\n")
            f.write("]\n")
    return path


class Server:
    """One `penfold serve` process on free ports of 127.0.0.1. The ports stay the same from one start to the next."""

    def __init__(self, data, seed, env=None, prefix=(), extra=(), listeners=LISTENERS):
        self.data, self.seed, self.prefix, self.extra = data, seed, list(prefix), list(extra)
        # Suites send as fast as they can. By the environment, which a binary of an older version passes over.
        unlimited = {f"PENFOLD_{name}": "0" for name in (
            "MESSAGES_PER_MINUTE", "RECIPIENTS_PER_DAY", "SUBMISSIONS_PER_PERSON", "MAIL_IN_PER_MINUTE", "MAIL_IN_PER_TENANT",
            "IMAP_PER_PERSON", "IMAP_PER_TENANT", "IMAP_COMMANDS_PER_MINUTE")}
        self.env = dict(os.environ, RUST_LOG=os.environ.get("RUST_LOG", "warn"), **(unlimited | (env or {})))
        self.port = dict(zip(listeners, free_ports(len(listeners))))
        self.process, self.log, self.first_line, self.start_seconds = None, data.rstrip("/") + ".log", "", 0.0

    def command(self):
        flags = [part for name, port in self.port.items() for part in (f"--{name}", f"127.0.0.1:{port}")]
        return self.prefix + [binary(), "serve", "--data", self.data, "--seed", self.seed] + flags + self.extra

    def start(self, seconds=60.0):
        begin = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, env=self.env)
        out, pending = self.process.stdout, b""
        while True:
            left = begin + seconds - time.monotonic()
            if left <= 0:
                self.kill()
                raise TimeoutError(f"no `ready` within {seconds:g} s; log:\n{self.tail()}")
            if not select.select([out], [], [], min(left, 1.0))[0]:
                continue
            chunk = os.read(out.fileno(), 65536)
            if not chunk:
                code = self.process.wait()
                raise RuntimeError(f"the server ended with {code} before `ready`; log:\n{self.tail()}")
            pending += chunk
            lines = pending.split(b"\n")
            ready = [line for line in lines[:-1] if line.startswith(b"ready")]
            if ready:
                self.first_line = ready[0].decode(errors="replace")
                self.start_seconds = time.monotonic() - begin
                threading.Thread(target=self._drain, args=(out,), daemon=True).start()
                return self

    @staticmethod
    def _drain(out):
        try:
            while os.read(out.fileno(), 65536):
                pass
        except (OSError, ValueError):
            pass

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=20.0):
        """SIGTERM, which drains; returns the exit code."""
        if not self.process:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"SIGTERM did not end the server within {seconds:g} s; log:\n{self.tail()}")

    def tail(self, size=3000):
        try:
            with open(self.log, "rb") as f:
                f.seek(max(0, os.path.getsize(self.log) - size))
                return f.read().decode(errors="replace")
        except OSError:
            return "(no log)"

    def check(self, seconds=120.0):
        """`penfold check --data DIR`: (exit code, what it printed)."""
        return check(self.data, seconds)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


def check(data, seconds=120.0):
    return command(["check", "--data", data], seconds)


def command(arguments, seconds=120.0):
    """(exit code, what it printed)"""
    done = subprocess.run([binary(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=seconds)
    return done.returncode, done.stdout.decode(errors="replace")


def compare_usage(usage, checked):
    """What the meter counted from the logs (`penfold usage --now --json`) is what `penfold check` found in the rows."""
    lines = [line for line in map(json.loads, usage.splitlines()) if "tenant" in line]  # the others are remarks
    items = sum(line["now"]["items"] for line in lines)
    assert lines and f" {items} items," in checked and not any(line["adjusted"] for line in lines), f"{checked} | {usage}"


def dial(host, port, tls=False, timeout=30.0, source=None):
    s = socket.create_connection((host, port), timeout=timeout, source_address=source)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wrap_tls(s, host) if tls else s


def wrap_tls(s, host):
    """The test servers' certificates are self-signed, so they are not checked."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(s, server_hostname=host)


class SmtpError(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text


class Smtp:
    def __init__(self, host, port, tls=False, timeout=30.0, hello="client.test"):
        self.host, self.hello = host, hello
        self._take(dial(host, port, tls, timeout))
        self.expect(220)
        self.ehlo()

    def _take(self, s):
        self.s, self.f = s, s.makefile("rb")

    def ehlo(self):
        self.extensions = self.cmd(f"EHLO {self.hello}").upper().splitlines()[1:]

    def starttls(self):
        self.cmd("STARTTLS")
        self._take(wrap_tls(self.s, self.host))
        self.ehlo()

    def login(self, user, password):
        self.cmd("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode(), 235)

    def reply(self):
        """(code, text) of one reply of any number of lines."""
        texts = []
        while True:
            line = self.f.readline(65536)
            if not line.endswith(b"\n"):
                raise EOFError("the server closed the SMTP connection")
            texts.append(line[4:].rstrip(b"\r\n").decode(errors="replace"))
            if line[3:4] != b"-":
                return int(line[:3]), "\n".join(texts)

    def expect(self, *codes):
        code, text = self.reply()
        if code not in (codes or range(200, 300)):
            raise SmtpError(code, text)
        return text

    def cmd(self, line, *codes):
        self.s.sendall(line.encode() + b"\r\n")
        return self.expect(*codes)

    def send(self, sender, recipients, data, options=""):
        """One transaction, MAIL, RCPTs and DATA pipelined (RFC 2920); returns the text of the last 250. All or none of the recipients."""
        lines = [f"MAIL FROM:<{sender}>{options}"] + [f"RCPT TO:<{r}>" for r in recipients] + ["DATA"]
        self.s.sendall("".join(line + "\r\n" for line in lines).encode())
        replies = [self.reply() for _ in lines]
        if replies[-1][0] != 354:
            bad = next(r for r in replies if r[0] not in (250, 251, 252))
            self.cmd("RSET")
            raise SmtpError(*bad)
        self.s.sendall(stuff(data) + b".\r\n")
        return self.expect(250)

    def close(self):
        try:
            self.s.sendall(b"QUIT\r\n")
            self.reply()
        except (OSError, EOFError):
            pass
        self.s.close()


def stuff(data):
    """RFC 5321 §4.5.2; `data` ends in CRLF."""
    return re.sub(rb"(?m)^\.", b"..", data)


class ImapError(Exception):
    pass


class Imap:
    """Blocking IMAP client. `cmd` returns the untagged responses; each is a list of chunks: text, literal, text, ..."""

    LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")

    def __init__(self, host, port, user=None, password=None, tls=False, timeout=30.0, tag="a", source=None):
        self.host, self.tag, self.n, self.done_text, self.last_tag = host, tag, 0, b"", b""
        self._take(dial(host, port, tls, timeout, source))
        self.greeting = self.f.readline(65536)
        if not self.greeting.startswith((b"* OK", b"* PREAUTH")):
            raise EOFError(f"no greeting: {self.greeting!r}")
        if user is not None:
            self.login(user, password)

    def _take(self, s):
        self.s, self.f = s, s.makefile("rb", buffering=1 << 18)

    def login(self, user, password):
        return self.cmd(f'LOGIN "{user}" "{password}"')

    def starttls(self):
        self.cmd("STARTTLS")
        self._take(wrap_tls(self.s, self.host))

    def response(self):
        """One whole response as its chunks (literals are the odd ones)."""
        chunks = []
        while True:
            line = self.f.readline(1 << 26)
            if not line.endswith(b"\n"):
                raise EOFError("the server closed the IMAP connection")
            m = self.LITERAL.search(line)
            if not m:
                return chunks + [line.rstrip(b"\r\n")]
            size = int(m.group(1))
            literal = self.f.read(size)
            if len(literal) < size:
                raise EOFError("the server closed the IMAP connection in a literal")
            chunks += [line, literal]

    def next_tag(self):
        self.n += 1
        return f"{self.tag}{self.n}"

    def start(self, line, *literals):
        """Sends a command; `{}` in the line stands for the next literal, sent synchronised. Returns its tag and what came early."""
        tag = self.next_tag()
        if isinstance(line, str):
            line = line.encode()
        pieces, early = line.split(b"{}"), []
        out = tag.encode() + b" " + pieces[0]
        for literal, rest in zip(literals, pieces[1:]):
            self.s.sendall(out + b"{%d}\r\n" % len(literal))
            while True:
                r = self.response()
                if r[0].startswith(b"+"):
                    break
                if r[0].startswith(tag.encode() + b" "):
                    raise ImapError(r[0].decode(errors="replace"))
                early.append(r)
            out = literal + rest
        self.s.sendall(out + b"\r\n")
        return tag, early

    def finish(self, tag, early=()):
        untagged, prefix = list(early), tag.encode() + b" "
        while True:
            r = self.response()
            if r[0].startswith(prefix):
                self.done_text, self.last_tag = r[0][len(prefix):], prefix
                if not self.done_text.upper().startswith(b"OK"):
                    raise ImapError(self.done_text.decode(errors="replace"))
                return untagged
            untagged.append(r)

    def cmd(self, line, *literals):
        return self.finish(*self.start(line, *literals))

    def drain(self, line):
        """Sends a command and reads to its tagged line without splitting the responses: (bytes of all, seconds). For measuring."""
        tag = f"z{self.tag}{self.next_tag()}q".encode()
        begin = time.perf_counter()
        self.s.sendall(tag + b" " + line.encode() + b"\r\n")
        chunks, tail = [], b""
        while True:
            part = self.s.recv(1 << 20)
            if not part:
                raise EOFError("the server closed the IMAP connection")
            chunks.append(part)
            tail = (tail + part)[-4096:]
            if tail.endswith(b"\r\n"):
                last = tail[tail.rfind(b"\n", 0, -2) + 1:]
                if last.startswith(tag):
                    seconds = time.perf_counter() - begin
                    if not last[len(tag):].lstrip().upper().startswith(b"OK"):
                        raise ImapError(last.decode(errors="replace"))
                    return b"".join(chunks), seconds

    def append(self, mailbox, message, flags="", date=""):
        """APPEND; returns (uidvalidity, uid) of APPENDUID, or None."""
        middle = (f" ({flags})" if flags else "") + (f' "{date}"' if date else "")
        self.cmd(f'APPEND "{mailbox}"{middle} {{}}', message)
        m = re.search(rb"APPENDUID (\d+) (\d+)\]", self.done_text)
        return (int(m.group(1)), int(m.group(2))) if m else None

    def select(self, mailbox, how="SELECT"):
        """Returns the numbers that the answer named: exists, uidvalidity, uidnext, highestmodseq."""
        got = {}
        for r in self.cmd(f'{how} "{mailbox}"'):
            for name, pattern in (("exists", rb"^\* (\d+) EXISTS"), ("uidvalidity", rb"\[UIDVALIDITY (\d+)"), ("uidnext", rb"\[UIDNEXT (\d+)"),
                                  ("highestmodseq", rb"\[HIGHESTMODSEQ (\d+)")):
                m = re.search(pattern, r[0], re.I)
                if m:
                    got[name] = int(m.group(1))
        return got

    def status(self, mailbox, items="MESSAGES UIDNEXT UIDVALIDITY"):
        for r in self.cmd(f'STATUS "{mailbox}" ({items})'):
            if r[0].upper().startswith(b"* STATUS"):
                return {k.decode().upper(): int(v) for k, v in re.findall(rb"([A-Za-z]+) (\d+)", r[0][r[0].rindex(b"("):])}
        raise ImapError("no STATUS response")

    def fetch(self, what, uid=False):
        """FETCH as {sequence number: {ITEM: value}}; literals and quoted strings are bytes, lists are lists, the rest is bytes."""
        got = {}
        for r in self.cmd(("UID FETCH " if uid else "FETCH ") + what):
            m = re.match(rb"\* (\d+) FETCH ", r[0], re.I)
            if m:
                items = tokens([r[0][m.end():]] + r[1:])[0]
                got.setdefault(int(m.group(1)), {}).update({items[i].decode().upper(): items[i + 1] for i in range(0, len(items), 2)})
        return got

    def search(self, query, uid=True):
        found = []
        for r in self.cmd(("UID SEARCH " if uid else "SEARCH ") + query):
            if r[0].upper().startswith(b"* SEARCH"):
                found += [int(x) for x in r[0].split()[2:] if x.isdigit()]
            elif r[0].upper().startswith(b"* ESEARCH"):
                m = re.search(rb"ALL ([\d:,]+)", r[0], re.I)
                found += expand(m.group(1).decode()) if m else []
        return found

    def idle(self):
        """Enters IDLE; use `response()` for what comes and `done()` to leave."""
        tag, _ = self.start("IDLE")
        while not self.response()[0].startswith(b"+"):
            pass
        self.idle_tag = tag

    def done(self):
        self.s.sendall(b"DONE\r\n")
        return self.finish(self.idle_tag)

    def close(self):
        try:
            self.s.sendall(b"zz LOGOUT\r\n")
            while self.f.readline(1 << 20):
                pass
        except OSError:
            pass
        self.s.close()


def expand(numbers):
    """"1:3,7" -> [1, 2, 3, 7]"""
    out = []
    for part in numbers.split(","):
        low, _, high = part.partition(":")
        low, high = int(low), int(high or low)
        out += range(min(low, high), max(low, high) + 1)
    return out


_TOKEN = re.compile(rb' *(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|~?\{\d+\+?\}\r\n|([^ ()"]*\[[^\]]*\](?:<\d+>)?|[^ ()"{]+))')


def tokens(chunks):
    """The nested values in a response: chunks alternate between text and literal."""
    stack = [[]]
    for i, chunk in enumerate(chunks):
        if i % 2:
            stack[-1].append(chunk)
            continue
        at = 0
        while at < len(chunk):
            m = _TOKEN.match(chunk, at)
            if not m or m.end() == at:
                break
            at = m.end()
            if m.group(1):
                stack.append([])
            elif m.group(2):
                inner = stack.pop()
                stack[-1].append(inner)
            elif m.group(3) is not None:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", m.group(3)))
            elif m.group(4):
                stack[-1].append(m.group(4))
    return stack[0]


def process_tree(pids):
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as f:
                    children.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
            except OSError:
                pass
    out, todo = [], list(pids)
    while todo:
        pid = todo.pop()
        out.append(pid)
        todo += children.get(pid, [])
    return out


def memory_kib(pids):
    """PSS of the process trees below `pids`, in KiB: shared pages are counted once."""
    total = 0
    for pid in process_tree(pids):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except OSError:
            pass
    return total


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
    for extra in (path.rstrip("/") + ".log",):
        if os.path.exists(extra):
            os.unlink(extra)
