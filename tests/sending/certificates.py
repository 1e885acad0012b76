#!/usr/bin/env python3
"""Certificates by ACME from Pebble, shown by name on every TLS listener; records and proofs put into Knot by signed updates.

usage: certificates.py [TEST..]
Needs what `scripts/setup-test clients peers` fetches. Everything listens on loopback.
"""
import argparse
import base64
import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, ".venv", "bin", "python")
if os.path.exists(VENV) and not sys.prefix.startswith(os.path.join(ROOT, ".venv")):
    os.execv(VENV, [VENV, *sys.argv])
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import dns.message  # noqa: E402
import dns.query  # noqa: E402
import dns.rdatatype  # noqa: E402
import penfold_testlib as lib  # noqa: E402

PEERS = os.path.join(ROOT, ".tools", "peers", "root")
LIBRARIES = os.path.join(PEERS, "usr", "lib", "x86_64-linux-gnu")
HOST, DOMAIN = "mx.host.test", "one.test"
SERVED = [f"{label}.{DOMAIN}" for label in ("autoconfig", "autodiscover", "mta-sts")]
TENANTS = [("One", [DOMAIN], [(f"ann@{DOMAIN}", "secret", "Ann")])]
SECRET = base64.b64encode(hashlib.sha256(b"a key of this test").digest()).decode()
OTHER = base64.b64encode(hashlib.sha256(b"another key").digest()).decode()
# One zone, so that whoever asks for an alias gets its target with it, as from a resolver.
ZONE = ["mx.host A 127.0.0.1", *(f"{label}.one CNAME {HOST}." for label in ("autoconfig", "autodiscover")), "mta-sts.one A 127.0.0.1", 'one TXT "hello=world"',
        "two MX 5 mail.elsewhere.test.", 'two TXT "v=spf1 include:elsewhere.test -all"', 'two TXT "hello=world"', "autoconfig.two A 192.0.2.7"]


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout.decode(errors='replace')[-3000:]}"


class Town:
    """Names, an authority and Penfold."""

    def __init__(self):
        self.work = lib.scratch("certificates")
        self.started = []
        self.server = None
        (self.names,) = lib.free_ports(1)
        self.start_names()

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def file(self, name, content):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(content)
        return self.path(name)

    def start(self, *command, env=None):
        with open(self.path(os.path.basename(command[0]) + ".log"), "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))
        self.started.append(process)
        return process

    def log(self, name):
        with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    # Names.

    def start_names(self):
        self.file("zone", "\n".join(["$TTL 60", "@ SOA ns hostmaster 1 3600 600 86400 1", "@ NS ns", "ns A 127.0.0.1", *ZONE]) + "\n")
        config = self.file("knot.conf", f"""
server:
    listen: 127.0.0.1@{self.names}
    rundir: {self.work}
log:
  - target: stderr
    any: info
database:
    storage: {self.work}
control:
    listen: {self.path("knot.sock")}
key:
  - id: penfold
    algorithm: hmac-sha256
    secret: {SECRET}
acl:
  - id: penfold
    key: penfold
    action: update
template:
  - id: default
    storage: {self.work}
    zonefile-sync: -1
    journal-content: all
zone:
  - domain: test
    file: {self.path("zone")}
    acl: [penfold]
""")
        self.start(os.path.join(PEERS, "usr", "sbin", "knotd"), "-c", config, env={"LD_LIBRARY_PATH": LIBRARIES})
        lib.wait_until(lambda: self.look("mx.host.test", "A"), 30, 0.05, "the name server")
        self.file("tsig.key", SECRET + "\n")
        self.file("other.key", f'key "penfold" {{\n\talgorithm hmac-sha256;\n\tsecret "{OTHER}";\n}};\n')

    def look(self, name, kind):
        """What the name server says now."""
        question = dns.message.make_query(name, kind)
        try:
            answer = dns.query.tcp(question, "127.0.0.1", port=self.names, timeout=10)
        except OSError:
            return None
        kind = dns.rdatatype.from_text(kind)
        return sorted(record.to_text() for rrset in answer.answer if rrset.rdtype == kind for record in rrset)

    def update(self, key="tsig.key", name="penfold"):
        return f"{name}:{self.path(key)}@127.0.0.1:{self.names}"

    # The authority.

    def start_pebble(self, http, tls, **env):
        own, management = lib.free_ports(2)
        self.directory, self.management = f"https://127.0.0.1:{own}/dir", management
        root, key = self.path("ca.pem"), self.path("ca.key")
        if not os.path.exists(root):
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", root,
                "-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
        config = {"listenAddress": f"127.0.0.1:{own}", "managementListenAddress": f"127.0.0.1:{management}", "certificate": root, "privateKey": key,
                  "httpPort": http, "tlsPort": tls, "externalAccountBindingRequired": False}
        settings = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0", **env}
        config = self.file(f"pebble-{own}.json", json.dumps({"pebble": config}))
        self.pebble = self.start(os.path.join(PEERS, "usr", "bin", "pebble"), "-strict", "-config", config, "-dnsserver", f"127.0.0.1:{self.names}", env=settings)
        trusting = ssl.create_default_context(cafile=root)

        def issuer():
            try:
                with urllib.request.urlopen(f"https://127.0.0.1:{management}/roots/0", context=trusting, timeout=10) as answer:
                    return answer.read().decode()
            except OSError:
                assert self.pebble.poll() is None, self.log("pebble")
                return None
        self.root = self.file("issuer.pem", lib.wait_until(issuer, 30, 0.05, "the authority"))

    # Penfold.

    def start_penfold(self, *extra, data="data", acme=True, authority=None):
        """`authority(ports)` starts the authority once the ports are known."""
        seed = lib.write_seed(self.path("seed.toml"), TENANTS)
        server = lib.Server(self.path(data), seed, env={"PENFOLD_LOG": "info"})
        if authority:
            authority(server.port)
        flags = ["--host-name", HOST, "--name-servers", f"127.0.0.1:{self.names}", *extra]
        if acme:
            flags += ["--acme", self.directory, "--acme-root", self.path("ca.pem"), "--acme-contact", "admin@host.test"]
        server.extra = flags
        self.server = server
        server.start()
        return server

    def penfold(self, *words, fails=False):
        done = subprocess.run([lib.binary(), "--data", self.server.data, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              env=dict(os.environ))
        out = [json.loads(line) for line in done.stdout.decode().splitlines() if line.strip()]
        assert fails or done.returncode == 0, f"{words}: {done.returncode} {done.stdout.decode()} {done.stderr.decode()}"
        return out

    def listed(self):
        return {one["name"]: one for one in self.penfold("certificate", "list") if "name" in one}

    def wait_good(self, names, seconds=60):
        def good():
            found = self.listed()
            failed = [one for one in found.values() if one.get("error") and one["name"] in names]
            assert not failed, f"{failed}\n{self.server.tail()}"
            return all(found.get(name, {}).get("state") == "good" for name in names)
        try:
            lib.wait_until(good, seconds, 0.1, f"certificates of {names}")
        except TimeoutError:
            raise AssertionError(f"{self.listed()}\n{self.server.tail()}\n{self.log('pebble')[-3000:]}")

    # What a client sees.

    def trusting(self):
        return ssl.create_default_context(cafile=self.root)

    def https(self, name, context=None):
        s = socket.create_connection(("127.0.0.1", self.server.port["https"]), timeout=20)
        return self.serial((context or self.trusting()).wrap_socket(s, server_hostname=name))

    def imaps(self, name):
        s = socket.create_connection(("127.0.0.1", self.server.port["imaps"]), timeout=20)
        return self.serial(self.trusting().wrap_socket(s, server_hostname=name))

    def starttls(self, name, port="smtp"):
        s = socket.create_connection(("127.0.0.1", self.server.port[port]), timeout=20)
        f = s.makefile("rb")

        def reply():
            while True:
                line = f.readline()
                if line[3:4] != b"-":
                    return line
        reply()
        s.sendall(b"EHLO client.test\r\n")
        reply()
        s.sendall(b"STARTTLS\r\n")
        assert reply().startswith(b"220")
        return self.serial(self.trusting().wrap_socket(s, server_hostname=name))

    @staticmethod
    def serial(stream):
        with stream:
            return stream.getpeercert()["serialNumber"]

    def refused(self, name):
        """No certificate that the authority signed is shown for it."""
        try:
            self.https(name)
            return False
        except ssl.SSLCertVerificationError:
            return True

    def close(self, failed=False):
        if self.server:
            self.server.kill()
        for process in self.started:
            process.kill()
            process.wait()
        if not failed:
            lib.remove(self.work)


TESTS = []


def test(function):
    TESTS.append(function)
    return function


@test
def tls_alpn(town):
    """By TLS-ALPN-01: the host's own name and those of a tenant, shown by name everywhere; a restart keeps them and orders nothing."""
    server = town.start_penfold("--acme-challenge", "tls-alpn", authority=lambda port: town.start_pebble(5002, port["https"]))
    town.wait_good([HOST, *SERVED])
    seen = {}
    for name in (HOST, *SERVED):
        seen[name] = town.https(name)
        assert town.imaps(name) == town.starttls(name) == town.starttls(name, "submission") == seen[name], name
    assert len(set(seen.values())) == len(seen), "each name has its own"
    assert town.refused("somebody.else.test")
    # A client that names nobody gets the host's own.
    context = town.trusting()
    context.check_hostname = False
    assert town.https(None, context) == seen[HOST]
    orders = town.log("pebble").count("POST /order-plz")
    assert orders == 4, orders
    server.kill()
    server.start()
    assert {name: town.https(name) for name in seen} == seen
    lib.wait_until(lambda: town.listed()[HOST]["state"] == "good", 10)
    assert town.log("pebble").count("POST /order-plz") == orders
    town.penfold("certificate", "renew", HOST)
    lib.wait_until(lambda: town.https(HOST) != seen[HOST], 60, 0.1, "a new certificate")
    assert {name: town.https(name) for name in SERVED} == {name: seen[name] for name in SERVED}
    # Nothing is proved to anybody now.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["acme-tls/1"])
    try:
        town.https(HOST, context)
        raise AssertionError("there is no proof to be shown")
    except OSError:
        pass
    town.penfold("certificate", "renew", "somebody.else.test", fails=True)


@test
def http(town):
    """By HTTP-01, with an authority that throws nonces away."""
    town.start_penfold("--acme-challenge", "http", authority=lambda port: town.start_pebble(port["http"], 5001, PEBBLE_WFE_NONCEREJECT="20"))

    def good():
        found = town.listed()
        for one in found.values():
            if one.get("failures"):
                town.penfold("certificate", "renew", one["name"])
        return all(found[name]["state"] == "good" for name in (HOST, *SERVED))
    lib.wait_until(good, 120, 0.5, "certificates")
    town.imaps(HOST)


@test
def killed(town):
    """kill -9 while the authority looks: the next start takes the same order to its end."""
    proxy = socket.create_server(("127.0.0.1", 0))
    town.start_penfold("--acme-challenge", "http", authority=lambda port: town.start_pebble(proxy.getsockname()[1], 5001))
    deaths = []
    # While there is no server the command line would open the store itself, and keep the next one out.
    alive = threading.Lock()

    def pass_on():
        while True:
            try:
                peer, _ = proxy.accept()
            except OSError:
                return
            with peer:
                if not deaths:
                    deaths.append(True)
                    with alive:
                        town.server.kill()
                        town.server.start()
                request = peer.recv(65536)
                with socket.create_connection(("127.0.0.1", town.server.port["http"]), timeout=10) as there:
                    there.sendall(request if b"onnection: close" in request else request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                    while part := there.recv(65536):
                        peer.sendall(part)
    threading.Thread(target=pass_on, daemon=True).start()

    def good():
        with alive:
            found = town.listed()
        return all(found.get(name, {}).get("state") == "good" for name in (HOST, *SERVED))
    lib.wait_until(good, 60, 0.2, "certificates")
    proxy.close()
    assert deaths and town.log("pebble").count("POST /order-plz") == 4, town.log("pebble")[-3000:]
    town.https(HOST)


@test
def dns_01(town):
    """By DNS-01, by signed updates into the zones; the records are gone afterwards, and no port is looked at."""
    town.start_penfold("--acme-challenge", "dns", "--dns-update", town.update(), authority=lambda port: town.start_pebble(1, 1))
    town.wait_good([HOST, *SERVED])
    assert town.imaps(HOST) != town.imaps(SERVED[0])
    for name in (HOST, *SERVED):
        assert town.look(f"_acme-challenge.{name}", "TXT") == [], name


@test
def files_win(town):
    """What the operator has a certificate for is neither ordered nor shown otherwise."""
    certificate, key = town.path("own.pem"), town.path("own.key")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate, "-days", "30",
        "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}")
    town.start_penfold("--acme-challenge", "tls-alpn", "--tls-certificate", certificate, "--tls-key", key,
                       authority=lambda port: town.start_pebble(5002, port["https"]))
    town.wait_good(SERVED)
    own = town.https(HOST, ssl.create_default_context(cafile=certificate))
    assert own not in [town.https(name) for name in SERVED]
    assert town.log("pebble").count("POST /order-plz") == 3


@test
def publish(town):
    """`penfold domain publish`: what is missing is added, what is there is left, and replaced only where that is asked for."""
    town.start_penfold("--public-ports", "https=443", acme=False)
    town.penfold("tenant", "add", "Two")
    town.penfold("domain", "add", "Two", "two.test")

    def publish(*words, setting=None, fails=False):
        lines = town.penfold("domain", "publish", "two.test", *words, "--dns-update", setting or town.update(), fails=fails)
        return {(one["type"], one["name"]): one for one in lines if "type" in one}
    wrong = publish(setting=town.update("other.key"), fails=True)
    assert {one["done"] for one in wrong.values()} == {"failed", "left"} and any("NotAuth" in (one["error"] or "") or "key" in (one["error"] or "") for one in wrong.values()), wrong
    before = town.look("two.test", "TXT")
    first = publish(fails=True)
    done = {key: one["done"] for key, one in first.items()}
    assert done[("MX", "two.test")] == done[("TXT", "two.test")] == done[("CNAME", "autoconfig.two.test")] == "left", done
    assert done[("TXT", "_dmarc.two.test")] == done[("CNAME", "mta-sts.two.test")] == done[("SRV", "_imaps._tcp.two.test")] == "added", done
    assert all(value in ("added", "left") for value in done.values()), done
    assert town.look("two.test", "TXT") == before and town.look("two.test", "MX") == ["5 mail.elsewhere.test."]
    again = publish(fails=True)
    assert {one["done"] for one in again.values()} == {"kept", "left"}, again
    last = publish("--replace")
    assert {key for key, one in last.items() if one["done"] == "replaced"} == {("MX", "two.test"), ("TXT", "two.test"), ("CNAME", "autoconfig.two.test")}, last
    assert town.look("two.test", "MX") == [f"10 {HOST}."] and town.look("autoconfig.two.test", "CNAME") == [f"{HOST}."]
    texts = town.look("two.test", "TXT")
    assert '"hello=world"' in texts and '"v=spf1 mx -all"' in texts and len(texts) == 2, texts
    found = town.penfold("domain", "check", "two.test", fails=True)
    assert all(one["verdict"] == "ok" for one in found if "verdict" in one), found
    # What is only claimed is not proved by ourselves.
    town.penfold("domain", "add", "Two", "host.test", "--unproved")
    lines = town.penfold("domain", "publish", "host.test", "--dns-update", town.update(), fails=True)
    assert [one["done"] for one in lines if one.get("for") == "ownership"] == ["not-ours"], lines
    assert town.look("_penfold.host.test", "TXT") == []


@test
def by_itself(town):
    """With --dns-update, what is missing is added without being asked for; another's zone and another's records are left alone."""
    town.start_penfold("--dns-update", town.update(), acme=False)
    lib.wait_until(lambda: town.look(DOMAIN, "MX") == [f"10 {HOST}."], 60, 0.1, "the MX")
    lib.wait_until(lambda: any("v=spf1" in text for text in town.look(DOMAIN, "TXT")), 60, 0.1, "SPF")
    assert '"hello=world"' in town.look(DOMAIN, "TXT")
    assert town.look("two.test", "MX") == ["5 mail.elsewhere.test."]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tests", nargs="*")
    chosen = parser.parse_args().tests
    if not os.path.exists(os.path.join(PEERS, "usr", "bin", "pebble")):
        print("SKIPPED: CERTIFICATES, BECAUSE THERE IS NO PEBBLE; as root: scripts/setup-test peers")
        return
    failed = 0
    for one in TESTS:
        if chosen and one.__name__ not in chosen:
            continue
        begin, town = time.monotonic(), None
        try:
            town = Town()
            one(town)
            town.close()
            print(f"{one.__name__}: ok, {time.monotonic() - begin:.1f} s", flush=True)
        except Exception:  # noqa: BLE001
            failed += 1
            traceback.print_exc()
            if town:
                town.close(failed=True)
                print(f"{one.__name__}: FAILED; {town.work}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
