"""The hosts of peers.py, each with an address of its own in one private network: name server, Postfix, OpenSMTPD, policy hosts, Penfold,
and where the peers hand on what they took. Everything listens only in there, and ends with it.
"""
import hashlib
import http.server
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import threading

import dns.resolver
import dns.update
import dns.query
import penfold_testlib as lib
from penfold_programs import Programs
from penfold_sink import Sink

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, ".tools", "peers", "root")
LIBRARIES = os.path.join(PEERS, "usr", "lib", "x86_64-linux-gnu")
sys.path.insert(0, os.path.join(ROOT, "localstack"))
import room  # noqa: E402

NET = "10.77.0."
CLIENT, OURS, POSTFIX, OPENSMTPD, POLICY, WRONG, UNTRUSTED, CLEAR, SINK, SIX, NAMES = (NET + n for n in ("1", "2", "3", "4", "5", "6", "7", "8", "9", "66", "53"))
STRANGERS = [f"{NET}{n}" for n in range(20, 24)]
V6 = {OURS: "fd00:77::2", POSTFIX: "fd00:77::3"}
PASSWORD = "secret"
ANN, BEN = "ann@ours.test", "ben@ours.test"
TENANTS = [("Ours", ["ours.test"], [(ANN, PASSWORD, "Ann"), (BEN, PASSWORD, "Ben")])]
# Domains of which Postfix takes the mail, and the host that they name for it.
VISITED = {"postfix.test": "mail.postfix.test", "six.test": "mail6.postfix.test", "sts-good.test": "mail.postfix.test", "sts-testing.test": "mail.wrong.test",
           "sts-wrong.test": "mail.wrong.test", "sts-other.test": "mail.postfix.test", "sts-clear.test": "mail.clear.test", "sts-untrusted.test": "mail.postfix.test",
           "dane-good.test": "mail.dane-good.test", "dane-wrong.test": "mail.dane-wrong.test", "clear.test": "mail.clear.test", "wrong.test": "mail.wrong.test"}
POLICIES = {"sts-good.test": ("enforce", "mail.postfix.test"), "sts-testing.test": ("testing", "mail.wrong.test"), "sts-wrong.test": ("enforce", "mail.wrong.test"),
            "sts-other.test": ("enforce", "*.elsewhere.test"), "sts-clear.test": ("enforce", "mail.clear.test"), "sts-untrusted.test": ("enforce", "mail.elsewhere.test")}
PEOPLE = ("user", "jürgen")
# What SPF is asked about, beside the domains above: the record of each name.
SPF = {
    "all.spf.test": "v=spf1 +all", "none.spf.test": None, "fail.spf.test": "v=spf1 -all", "soft.spf.test": "v=spf1 ~all", "neutral.spf.test": "v=spf1 ?all",
    "four.spf.test": f"v=spf1 ip4:{STRANGERS[0]} ip4:{NET}22/31 -all", "mx.spf.test": "v=spf1 mx -all", "a.spf.test": "v=spf1 a:host.spf.test -all",
    "include.spf.test": "v=spf1 include:four.spf.test ~all", "redirect.spf.test": "v=spf1 redirect=four.spf.test", "empty.spf.test": "v=spf1",
    "exists.spf.test": "v=spf1 exists:%{ir}.%{l}.list.spf.test -all", "macro.spf.test": "v=spf1 include:%{d2}.inner.spf.test -all", "ptr.spf.test": "v=spf1 ptr:spf.test -all",
    "loop.spf.test": "v=spf1 include:loop.spf.test -all", "broken.spf.test": "v=spf1 ip4:10.77 -all", "unknown.spf.test": "v=spf1 foo:bar -all", "void.spf.test": "v=spf1 a:v1.none a:v2.none a:v3.none +all",
    "spf.test.inner.spf.test": "v=spf1 ip4:10.77.0.21 -all", "twice.spf.test": ("v=spf1 +all", "v=spf1 -all"), "missing.spf.test": "v=spf1 include:none.spf.test -all",
    "long.spf.test": "v=spf1 " + " ".join(f"a:h{n}.spf.test" for n in range(11)) + " +all", "modifier.spf.test": "v=spf1 exp=why.spf.test x=y -all",
}
DMARC = {"ours.test": "p=reject", "postfix.test": "p=reject", "opensmtpd.test": "p=quarantine"}


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, **more)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout.decode(errors='replace')[-3000:]}"
    return done.stdout


class Authority:
    """A small CA; certificates of names."""

    def __init__(self, work):
        self.work, self.file = work, os.path.join(work, "ca.pem")
        self._key("ca")
        run("openssl", "req", "-x509", "-new", "-key", self.path("ca.key"), "-subj", "/CN=Town", "-days", "30", "-out", self.file, "-addext", "basicConstraints=critical,CA:TRUE")

    def path(self, name):
        return os.path.join(self.work, name)

    def _key(self, name, rsa=False):
        kind = ("genrsa", "-out", self.path(name + ".key"), "2048") if rsa else ("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path(name + ".key"))
        run("openssl", *kind)

    def issue(self, name, hosts, signed=True, rsa=False):
        """(certificate, key) as files; not `signed`: by itself, which nobody trusts."""
        self._key(name, rsa)
        names = ",".join(f"DNS:{host}" for host in hosts)
        request = ("openssl", "req", "-new", "-key", self.path(name + ".key"), "-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={names}")
        if not signed:
            run(*request, "-x509", "-days", "30", "-out", self.path(name + ".pem"))
        else:
            run(*request, "-out", self.path(name + ".csr"))
            run("openssl", "x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.file, "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", "30",
                "-copy_extensions", "copy", "-out", self.path(name + ".pem"))
        return self.path(name + ".pem"), self.path(name + ".key")

    def tlsa(self, certificate):
        """RFC 6698: DANE-EE, the public key, SHA-256."""
        public = run("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, stdout=subprocess.PIPE, check=True).stdout
        return "3 1 1 " + hashlib.sha256(der).hexdigest()


class Policies(http.server.ThreadingHTTPServer):
    """MTA-STS policy hosts (RFC 8461 §3.3)."""

    def __init__(self, address, certificate, key):
        super().__init__((address, 443), Policy)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake is the thread's: one that never ends must not hold up the others.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client):
        pass


class Policy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        domain = self.headers["Host"].removeprefix("mta-sts.")
        mode, mx = POLICIES.get(domain, (None, None))
        known = mode and self.path == "/.well-known/mta-sts.txt"
        text = f"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n".encode() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def text(record):
    """A TXT record's strings, each of 255 octets at most."""
    return " ".join('"' + record[at:at + 250].replace('"', '\\"') + '"' for at in range(0, len(record), 250))


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


class Town(Programs):
    """Started in a room of its own by `inside`."""

    def __init__(self, work):
        super().__init__(work)
        self.keys = {}
        self.ca = Authority(work)

    def furnish(self):
        """Addresses, and the files that programs look for at fixed places: only in here, by mounts that nobody else sees."""
        for address in (CLIENT, OURS, POSTFIX, OPENSMTPD, POLICY, WRONG, UNTRUSTED, CLEAR, SINK, NAMES, *STRANGERS):
            run("ip", "addr", "add", f"{address}/24", "dev", "lo")
        # A kernel may have no IPv6.
        self.has_six = all(subprocess.run(["ip", "addr", "add", f"{address}/64", "dev", "lo", "nodad"], stderr=subprocess.DEVNULL).returncode == 0 for address in V6.values())
        for place in ("/var/spool", "/var/lib", "/var/tmp", "/run"):
            run("mount", "-t", "tmpfs", "tmpfs", place)
        for directory in ("/var/lib/opensmtpd/empty", "/run/lock", "/var/spool/smtpd"):
            os.makedirs(directory, exist_ok=True)
        os.chmod("/var/spool/smtpd", 0o711)
        with open("/etc/passwd") as users, open("/etc/group") as groups:
            users, groups = users.read(), groups.read()
        users += "opensmtpd:x:64001:64001::/var/lib/opensmtpd/empty:/usr/sbin/nologin\nopensmtpq:x:64002:64002::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n"
        groups += "opensmtpd:x:64001:\nopensmtpq:x:64002:\n"
        for place, content in (("/etc/resolv.conf", f"nameserver {NAMES}\n"), ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"), ("/etc/passwd", users), ("/etc/group", groups)):
            run("mount", "--bind", self.file(os.path.basename(place), content), os.path.realpath(place))

    def all(self):
        self.furnish()
        issue = self.ca.issue
        self.certificates = {"ours": issue("ours", ["mx.ours.test"]), "postfix": issue("postfix", ["mail.postfix.test", "mail6.postfix.test"]),
                             # OpenSMTPD's process that has the key can do nothing with another kind.
                             "opensmtpd": issue("opensmtpd", ["mail.opensmtpd.test"], rsa=True), "wrong": issue("wrong", ["somebody.else.test"]),
                             "policy": issue("policy", [f"mta-sts.{domain}" for domain in POLICIES]), "untrusted": issue("untrusted", ["mta-sts.sts-untrusted.test"], signed=False)}
        self.sink = Sink(host=SINK, port=25).start()
        self.policies = [Policies(POLICY, *self.certificates["policy"]), Policies(UNTRUSTED, *self.certificates["untrusted"])]
        self.start_names()
        self.start_postfix()
        self.start_opensmtpd()
        self.start_penfold()
        for address in (POSTFIX, WRONG, CLEAR, OPENSMTPD):
            self.wait_port(address)
        self.opensmtpd_has_tls = self.does_tls(OPENSMTPD)

    @staticmethod
    def does_tls(address):
        """OpenSMTPD 6.8 with OpenSSL 3 offers STARTTLS, and then cannot sign (OpenSMTPD issue 1171)."""
        smtp = smtplib.SMTP(address, 25, local_hostname="client.test", timeout=30, source_address=(CLIENT, 0))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            smtp.starttls(context=context)
            return True
        except (OSError, smtplib.SMTPException):
            return False
        finally:
            smtp.close()

    # Names: one signed zone, the root, with everything in it.

    def zone(self):
        lines = ["$TTL 300", ". SOA ns. hostmaster. 1 3600 600 86400 2", ". NS ns.", f"ns. A {NAMES}"]

        def add(name, kind, data):
            lines.append(f"{name}. {kind} {data}")
        hosts = {"mx.ours.test": OURS, "mail.postfix.test": POSTFIX, "mail.opensmtpd.test": OPENSMTPD, "mail.wrong.test": WRONG, "mail.clear.test": CLEAR,
                 "mail.dane-good.test": POSTFIX, "mail.dane-wrong.test": WRONG, "host.spf.test": STRANGERS[1], "client.test": CLIENT, "sink.test": SINK}
        for host, address in hosts.items():
            add(host, "A", address)
        add("mail6.postfix.test", "AAAA", V6[POSTFIX])
        for host in ("mx.ours.test", "mail.postfix.test", "mail.opensmtpd.test", "client.test"):
            add(reverse(hosts[host]), "PTR", host + ".")
        add(reverse(STRANGERS[1]), "PTR", "host.spf.test.")
        for domain, host in {"ours.test": "mx.ours.test", "opensmtpd.test": "mail.opensmtpd.test", "mx.spf.test": "host.spf.test", **VISITED}.items():
            add(domain, "MX", f"10 {host}.")
        for domain, address in (("ours.test", OURS), ("postfix.test", POSTFIX), ("opensmtpd.test", OPENSMTPD)):
            six = f" ip6:{V6[address]}" if address in V6 else ""
            add(domain, "TXT", text(f"v=spf1 ip4:{address}{six} -all"))
        # Reports have no sender: what counts is the name of the host (RFC 7208 §2.4).
        for host in ("mx.ours.test", "mail.postfix.test", "mail.opensmtpd.test"):
            add(host, "TXT", text("v=spf1 a ip6:fd00:77::/64 -all"))
        for domain, record in DMARC.items():
            add(f"_dmarc.{domain}", "TXT", text(f"v=DMARC1; {record}"))
        for domain in POLICIES:
            add(f"_mta-sts.{domain}", "TXT", text("v=STSv1; id=20260101T000000;"))
            add(f"mta-sts.{domain}", "A", UNTRUSTED if domain == "sts-untrusted.test" else POLICY)
        for name, record in SPF.items():
            for one in (record if isinstance(record, tuple) else [record] if record else []):
                add(name, "TXT", text(one))
        add("none.spf.test", "A", SINK)
        add("22.0.77.10.user.list.spf.test", "A", "127.0.0.2")
        add("_25._tcp.mail.dane-good.test", "TLSA", self.ca.tlsa(self.certificates["postfix"][0]))
        add("_25._tcp.mail.dane-wrong.test", "TLSA", self.ca.tlsa(self.certificates["ours"][0]))
        for name, record in self.keys.items():
            add(name, "TXT", text(record))
        return "\n".join(lines) + "\n"

    def start_names(self):
        os.makedirs(self.path("knot"))
        self.file("knot/root.zone", self.zone())
        config = self.file("knot/knot.conf", f"""
server:
    listen: {NAMES}@53
    rundir: {self.path("knot")}
    user: root
log:
  - target: stderr
    any: warning
database:
    storage: {self.path("knot")}
control:
    listen: {self.path("knot", "control")}
policy:
  - id: one
    algorithm: ecdsap256sha256
    single-type-signing: on
acl:
  - id: town
    address: {NET}0/24
    action: update
template:
  - id: default
    storage: {self.path("knot")}
zone:
  - domain: .
    file: root.zone
    zonefile-sync: -1
    journal-content: all
    dnssec-signing: on
    dnssec-policy: one
    acl: town
""")
        libraries = {"LD_LIBRARY_PATH": LIBRARIES}
        self.start(os.path.join(PEERS, "usr", "sbin", "knotd"), "-c", config, env=libraries)
        self.wait_port(NAMES, 53)
        self.resolver = dns.resolver.Resolver(configure=False)
        self.resolver.nameservers = [NAMES]
        # Signed, once the keys are made.
        keys = lib.wait_until(self._zone_keys, 60, 0.05, "the root's keys")
        self.anchor = self.file("anchor", "".join(f". 300 IN DNSKEY {key}\n" for key in keys))

    def _zone_keys(self):
        try:
            keys = [key.to_text().split(" ", 3) for key in self.resolver.resolve(".", "DNSKEY")]
            return [" ".join(key[:3]) + " " + key[3].replace(" ", "") for key in keys]
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN, dns.resolver.NoNameservers, dns.resolver.LifetimeTimeout):
            return None

    def publish(self, name, kind, data):
        update = dns.update.Update(".")
        update.add(name.rstrip(".") + ".", 300, kind, text(data) if kind == "TXT" else data)
        answer = dns.query.tcp(update, NAMES, timeout=30, source=CLIENT)
        assert answer.rcode() == 0, f"{name} {kind}: {answer}"

    # Peers.

    def start_postfix(self):
        for directory in ("postfix", "postfix/queue", "postfix/data"):
            os.makedirs(self.path(directory))
        run("chown", "postfix", self.path("postfix", "data"))
        certificate, key = self.certificates["postfix"]
        people = " ".join(f"{{{person}@{domain}=x}}" for domain in VISITED for person in PEOPLE).replace("} {", "}, {")
        self.file("postfix/chain.pem", open(key).read() + open(certificate).read(), 0o600)
        self.file("postfix/wrong.pem", open(self.certificates["wrong"][1]).read() + open(self.certificates["wrong"][0]).read(), 0o600)
        self.file("postfix/main.cf", f"""
compatibility_level = 3.6
queue_directory = {self.path("postfix", "queue")}
data_directory = {self.path("postfix", "data")}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {self.path("postfix.log")}
maillog_file_prefixes = {self.work}
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.postfix.test
mydomain = postfix.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = {POSTFIX}, {WRONG}, {CLEAR}, [{V6[POSTFIX]}]
inet_protocols = all
proxy_interfaces =
mynetworks = {CLIENT}/32
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
virtual_mailbox_domains = {" ".join(VISITED)}
virtual_mailbox_maps = inline:{{ {people} }}
virtual_transport = smtp:[{SINK}]:25
smtpd_tls_security_level = may
smtpd_tls_chain_files = {self.path("postfix", "chain.pem")}
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtp_tls_CAfile = {self.ca.file}
smtp_tls_policy_maps = inline:{{ ours.test=secure }}
smtp_bind_address = {POSTFIX}
smtp_bind_address6 = {V6[POSTFIX]}
smtp_address_preference = ipv4
smtputf8_enable = yes
biff = no
in_flow_delay = 0
""")
        services = [f"{POSTFIX}:25 inet n - n - - smtpd", f"[{V6[POSTFIX]}]:25 inet n - n - - smtpd",
                    f"{WRONG}:25 inet n - n - - smtpd -o smtpd_tls_chain_files={self.path('postfix', 'wrong.pem')} -o myhostname=mail.wrong.test",
                    f"{CLEAR}:25 inet n - n - - smtpd -o smtpd_tls_security_level=none -o myhostname=mail.clear.test"]
        services += ["pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite"]
        services += [f"{name} unix - - n - 0 bounce" for name in ("bounce", "defer", "trace")]
        services += ["verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush", "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "relay unix - - n - - smtp",
                     "showq unix n - n - - showq", "error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard", "virtual unix - n n - - virtual",
                     "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd"]
        self.file("postfix/master.cf", "\n".join(services) + "\n")
        for name in ("/usr/share/postfix/dynamicmaps.cf", "/etc/postfix/dynamicmaps.cf"):
            if os.path.exists(name) and not os.path.exists(self.path("postfix", "dynamicmaps.cf")):
                self.file("postfix/dynamicmaps.cf", open(name).read())
        if not self.has_six:
            self.leave_out_six()
        self.start("postfix", "-c", self.path("postfix"), "start-fg")

    def leave_out_six(self):
        for name in ("postfix/main.cf", "postfix/master.cf"):
            with open(self.path(name), encoding="utf-8") as f:
                lines = f.read().replace(f", [{V6[POSTFIX]}]", "").replace("inet_protocols = all", "inet_protocols = ipv4").split("\n")
            self.file(name, "\n".join(line for line in lines if V6[POSTFIX] not in line))

    def start_opensmtpd(self):
        certificate, key = self.certificates["opensmtpd"]
        os.chmod(key, 0o600)
        config = self.file("smtpd.conf", f"""
pki mail.opensmtpd.test cert "{certificate}"
pki mail.opensmtpd.test key "{key}"
listen on {OPENSMTPD} port 25 hostname mail.opensmtpd.test tls pki mail.opensmtpd.test
action "here" relay host smtp://{SINK}:25 src {OPENSMTPD} helo mail.opensmtpd.test
action "out" relay src {OPENSMTPD} helo mail.opensmtpd.test
match from any for rcpt-to {{ "user@opensmtpd.test" }} action "here"
match from src {CLIENT} for any action "out"
match from socket for any action "out"
""", 0o600)
        # A link, because it starts itself again by the path that it was called by.
        self.start(os.path.join(PEERS, "usr", "sbin", "smtpd"), "-d", "-f", config, env={"LD_LIBRARY_PATH": LIBRARIES})

    def start_penfold(self):
        certificate, key = self.certificates["ours"]
        extra = ["--smtp", f"{OURS}:25", "--send-from", f"{OURS},{V6[OURS]}" if self.has_six else OURS, "--name-servers", NAMES, "--host-name", "mx.ours.test", "--tls-certificate", certificate, "--tls-key", key]
        self.proves_names = subprocess.run([lib.binary(), "serve", "--trust-anchor", self.anchor, "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        if self.proves_names:
            extra += ["--trust-anchor", self.anchor]
        seed = lib.write_seed(self.path("seed.toml"), TENANTS)
        self.penfold = lib.Server(self.path("data"), seed, env={"SSL_CERT_FILE": self.ca.file}, extra=extra, listeners=tuple(n for n in lib.LISTENERS if n != "smtp"))
        self.penfold.start()


def inside(job, work):
    """Runs `job(town)` in a private room, whose end ends everything in it; gives back its exit status."""
    def first():
        room.unblock()
        town = Town(work)
        try:
            town.all()
        except BaseException as e:
            print(f"the town does not stand: {e!r}\n{town.logs()}", flush=True)
            raise
        return job(town)

    def guarded():
        try:
            return first()
        except BaseException as e:
            print(f"--- {type(e).__name__}: {e}", flush=True)
            return 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    return room.wait(room.start(guarded, work))
