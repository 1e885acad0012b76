"""Where mail goes in outgoing.py: a private network with a name server, a thousand destinations each at an address of its own, some of them dead,
and the two sides. Everything in it ends with it. The queues of both sides lie on the real disk, for a temporary file system syncs nothing.
"""
import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), os.path.join(os.path.dirname(os.path.dirname(HERE)), "localstack")]
import penfold_testlib as lib  # noqa: E402
import room  # noqa: E402
from penfold_programs import Programs  # noqa: E402

CLIENT, POSTFIX, NAMES = "10.77.0.1", "10.77.0.3", "10.77.0.53"
PEOPLE, PASSWORD, LIST = [f"ann{n}@ours.test" for n in range(16)], "secret", "everybody@ours.test"
KNOT = os.path.join(lib.ROOT, ".tools", "peers", "root")
# Kinds of the dead, and the network of each.
KINDS = ("refused", "black hole", "tarpit", "451")
# One program listens on all of IPv4, which leaves no room there for a host that is not to be live.
NETWORK = {"live": "10.80.", "black hole": "10.83.", "refused": "fd00:81::", "tarpit": "fd00:82::", "451": "fd00:84::"}
NUMBER = re.compile(rb"^X-Number: (\S+)\r?$", re.M)
TO = re.compile(rb"^X-Rcpt-Args: <([^>]*)>", re.M)


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=300, **more)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout.decode(errors='replace')[-3000:]}"
    return done.stdout.decode(errors="replace")


class Destination:
    """A domain and its host, which is `live` or one of the dead KINDS."""

    def __init__(self, number, kind):
        self.domain, self.host, self.kind = f"d{number}.test", f"mx.d{number}.test", kind
        low = f"{number // 250}.{number % 250 + 1}" if NETWORK[kind].endswith(".") else f"{number + 1:x}"
        self.address = NETWORK[kind] + low

    @property
    def live(self):
        return self.kind == "live"


def destinations(count, dead):
    """Every third is dead where `dead`, of each kind in turn; where not, those are not there at all, and the others are the same."""
    kinds = ["live" if n % 3 else KINDS[n // 3 % len(KINDS)] for n in range(count)]
    return [Destination(n, kind) for n, kind in enumerate(kinds) if dead or kind == "live"]


class Abroad(Programs):
    """`work` is a temporary file system that nobody else sees, `disk` a directory on the disk."""

    def __init__(self, work, disk, count):
        super().__init__(work)
        self.disk, self.count = disk, count
        self.dumps = self.path("dumps")

    def all(self):
        # smtp-sink and the sides hold a connection for each message under way.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        for address in (CLIENT, POSTFIX, NAMES):
            run("ip", "addr", "add", f"{address}/24", "dev", "lo")
        run("ip", "route", "add", "local", f"{NETWORK['live']}0.0/16", "dev", "lo")
        six = "".join(f"addr add {one.address}/128 dev lo nodad\n" for one in destinations(self.count, True) if ":" in one.address)
        run("ip", "-batch", self.file("addresses", six))
        # Nobody reads what goes into this one.
        run("ip", "tuntap", "add", "mode", "tun", "name", "hole")
        run("ip", "link", "set", "hole", "up")
        run("ip", "route", "add", f"{NETWORK['black hole']}0.0/16", "dev", "hole", "src", CLIENT)
        for place in ("/var/spool", "/var/tmp", "/run"):
            run("mount", "-t", "tmpfs", "tmpfs", place)
        for place, content in (("/etc/resolv.conf", f"nameserver {NAMES}\n"), ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")):
            run("mount", "--bind", self.file(os.path.basename(place), content), os.path.realpath(place))
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=mx.ours.test", "-keyout", self.path("key.pem"), "-out", self.path("cert.pem"))
        self.start_names()
        self.start_hosts()

    def start_names(self):
        lines = ["$TTL 300", ". SOA ns. hostmaster. 1 3600 600 86400 2", ". NS ns.", f"ns. A {NAMES}", f"mx.ours.test. A {CLIENT}", "ours.test. MX 10 mx.ours.test."]
        for one in destinations(self.count, True):
            lines += [f"{one.domain}. MX 10 {one.host}.", f"{one.host}. {'AAAA' if ':' in one.address else 'A'} {one.address}"]
        self.file("knot/root.zone", "\n".join(lines) + "\n")
        place = self.path("knot")
        config = self.file("knot/knot.conf", f"server:\n    listen: {NAMES}@53\n    rundir: {place}\n    user: root\nlog:\n  - target: stderr\n    any: warning\n"
                           f"database:\n    storage: {place}\ncontrol:\n    listen: {place}/control\ntemplate:\n  - id: default\n    storage: {place}\n"
                           "zone:\n  - domain: .\n    file: root.zone\n")
        self.start(os.path.join(KNOT, "usr", "sbin", "knotd"), "-c", config, env={"LD_LIBRARY_PATH": os.path.join(KNOT, "usr", "lib", "x86_64-linux-gnu")})
        self.wait_port(NAMES, 53)

    def start_hosts(self):
        """Live ones are Postfix's smtp-sink, which is C and keeps each transaction as a file; it takes what goes to no narrower listener."""
        os.makedirs(self.dumps)
        run("chown", "postfix", self.dumps)
        self.start("smtp-sink", "-u", "postfix", "-m", "8000", "-d", os.path.join(self.dumps, "t."), "0.0.0.0:25", "4096")
        self.silent = []
        for one in destinations(self.count, True):
            if one.kind == "tarpit":
                # The kernel takes the connection, and nobody says a word.
                s = socket.socket(socket.AF_INET6)
                s.bind((one.address, 25))
                s.listen(4096)
                self.silent.append(s)
            elif one.kind == "451":
                self.start("smtp-sink", "-6", "-u", "postfix", "-m", "500", "-r", "RCPT", "-b", "451 4.3.0 later", f"[{one.address}]:25", "512")
        self.wait_port(destinations(self.count, False)[0].address)

    def clear(self):
        """Forgets what came so far."""
        self.seen = set()
        for entry in os.scandir(self.dumps):
            os.unlink(entry.path)

    def more(self):
        """How many copies came to live hosts since it was asked last."""
        found = 0
        for entry in os.scandir(self.dumps):
            if entry.name not in self.seen:
                number, to = self.read(entry)
                # Without a number it is still being written.
                if number:
                    self.seen.add(entry.name)
                    found += len(to)
        return found

    @staticmethod
    def read(entry):
        with open(entry.path, "rb") as f:
            head = f.read(65536)
        number = NUMBER.search(head)
        return number and number.group(1).decode(), TO.findall(head)

    def copies(self):
        """(number, recipient, when) of everything that came to live hosts. The file's last write is at the final dot."""
        for entry in os.scandir(self.dumps):
            number, all_to = self.read(entry)
            for to in all_to:
                yield number or "?", to.decode().lower(), entry.stat().st_mtime


class Memory(threading.Thread):
    """PSS of a side's processes every second, in KiB."""

    def __init__(self, side):
        super().__init__(daemon=True)
        self.side, self.samples, self.ended = side, [], threading.Event()
        self.start()

    def run(self):
        while True:
            self.samples.append((time.time(), lib.memory_kib(self.side.pids())))
            if self.ended.wait(1):
                return

    def stop(self):
        self.ended.set()
        self.join()

    def at(self, when):
        return min(self.samples, key=lambda sample: abs(sample[0] - when))[1] / 1024

    def most(self):
        return max(kib for _, kib in self.samples) / 1024


class Penfold:
    name = "Penfold"
    cache = None

    def __init__(self, abroad, label):
        self.abroad, self.data = abroad, os.path.join(abroad.disk, f"penfold-{label}")
        seed = lib.write_seed(self.data + ".toml", [("Ours", ["ours.test"], [(person, PASSWORD, "Ann") for person in PEOPLE])])
        extra = ["--name-servers", NAMES, "--host-name", "mx.ours.test", *(["--cache", str(self.cache)] if self.cache else [])]
        self.server = lib.Server(self.data, seed, extra=extra)
        self.address = ("127.0.0.1", self.server.port["submissions"])
        self.server.start()

    def sign_in(self, smtp, person):
        smtp.login(person, PASSWORD)

    def pids(self):
        return [self.server.pid]

    def command(self, *words, text=None, seconds=1800):
        done = subprocess.run([lib.binary(), "--data", self.data, *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        assert done.returncode == 0, f"penfold {' '.join(words)}: {done.stdout[-2000:]}"
        return done.stdout

    def make_list(self, members):
        """Seconds that it took."""
        begin = time.monotonic()
        self.command("group", "add", LIST, "--post", "inside")
        self.command("group", "member", "add", LIST, "--from", "-", text="".join(f"{member}\n" for member in members))
        return time.monotonic() - begin

    def left(self):
        """{recipient: messages} of what still waits."""
        out = {}
        for line in self.command("queue", "list", "--json").splitlines():
            for one in json.loads(line).get("recipients", ()):
                if one["state"] == "waiting":
                    out[one["to"].lower()] = out.get(one["to"].lower(), 0) + 1
        return out

    def tail(self):
        return self.server.tail()

    def finish(self):
        """Ends it; what is stored must be whole."""
        assert self.server.stop(90) == 0, self.server.tail()
        code, text = self.server.check(600)
        assert code == 0, f"penfold check: {text}"

    def kill(self):
        self.server.kill()


class Postfix:
    name = "Postfix"

    def __init__(self, abroad, label):
        self.abroad, self.place = abroad, os.path.join(abroad.disk, f"postfix-{label}")
        for directory in ("", "queue", "data"):
            os.makedirs(os.path.join(self.place, directory), exist_ok=True)
        run("chown", "postfix", os.path.join(self.place, "data"))
        self.address = (POSTFIX, 465)
        self.config()
        self.master = abroad.start("postfix", "-c", self.place, "start-fg")
        abroad.wait_port(POSTFIX, 465)

    def file(self, name, content):
        with open(os.path.join(self.place, name), "w", encoding="utf-8") as f:
            f.write(content)

    def config(self):
        certificate, key = self.abroad.path("cert.pem"), self.abroad.path("key.pem")
        with open(key) as a, open(certificate) as b:
            self.file("chain.pem", a.read() + b.read())
        # Its own values but for those that TUNING_README names: more processes, and as many recipients in a transaction as Penfold's.
        self.file("main.cf", f"""
compatibility_level = 3.6
queue_directory = {self.place}/queue
data_directory = {self.place}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {self.place}/log
maillog_file_prefixes = {self.place}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.ours.test
mydomain = ours.test
mydestination = ours.test
local_recipient_maps =
alias_maps = texthash:{self.place}/aliases
alias_database =
inet_interfaces = {POSTFIX}
inet_protocols = all
smtp_bind_address = {POSTFIX}
mynetworks = {CLIENT}/32
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_tls_chain_files = {self.place}/chain.pem
smtp_tls_security_level = may
smtpd_client_connection_count_limit = 0
default_process_limit = 500
smtp_destination_recipient_limit = 100
biff = no
in_flow_delay = 0
""")
        services = [f"{POSTFIX}:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes", "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
                    "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite"]
        services += [f"{name} unix - - n - 0 bounce" for name in ("bounce", "defer", "trace")]
        services += ["verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush", "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "relay unix - - n - - smtp",
                     "showq unix n - n - - showq", "error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard", "local unix - n n - - local",
                     "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd"]
        self.file("master.cf", "\n".join(services) + "\n")
        for name in ("/usr/share/postfix/dynamicmaps.cf", "/etc/postfix/dynamicmaps.cf"):
            if os.path.exists(name):
                self.file("dynamicmaps.cf", open(name).read())
        self.file("members", "")
        self.file("aliases", f"everybody :include:{self.place}/members\n")

    def sign_in(self, smtp, person):
        """It takes mail from this network."""

    def pids(self):
        return [self.master.pid]

    def make_list(self, members):
        begin = time.monotonic()
        self.file("members", "".join(f"{member}\n" for member in members))
        return time.monotonic() - begin

    def left(self):
        out = {}
        for line in run("postqueue", "-c", self.place, "-j").splitlines():
            for one in json.loads(line)["recipients"]:
                out[one["address"].lower()] = out.get(one["address"].lower(), 0) + 1
        return out

    def tail(self):
        with open(os.path.join(self.place, "log"), encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-20:])

    def finish(self):
        self.kill()

    def kill(self):
        if self.master.poll() is None:
            subprocess.run(["postfix", "-c", self.place, "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            try:
                self.master.wait(30)
            except subprocess.TimeoutExpired:
                self.master.kill()
                self.master.wait()
        self.abroad.started = [(command, process) for command, process in self.abroad.started if process is not self.master]


def inside(job, work, disk, count):
    """Runs `job(abroad)` in a private room, whose end ends everything in it; gives back its exit status."""
    def first():
        room.unblock()
        code = 1
        try:
            abroad = Abroad(work, disk, count)
            abroad.all()
            code = job(abroad)
        except BaseException as e:
            import traceback
            traceback.print_exc()
            print(f"--- {type(e).__name__}: {e}", flush=True)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return code
    return room.wait(room.start(first, work))
