"""What the suites of the API have in common: one server with names to look up, the operator's token, tenants and people."""
import itertools
import json
import os

import penfold_testlib as lib
from penfold_api import Client, a_network, expect
from penfold_names import Names
from penfold_sink import Manner, Sink

HOST = "mx.service.test"
PASSWORD = "plum cactus orbit"
OTHER_PASSWORD = "walnut river lantern"
PEOPLE = "/v1/tenants/{tenant}/people"
PERSON = PEOPLE + "/{person}"


class Elsewhere(Manner):
    """All other hosts: they take what is for `known` domains, and ask for patience with the rest, which so stays in the queue."""

    def __init__(self):
        self.known = set()

    async def rcpt(self, sender, to):
        return None if to.split("@")[-1] in self.known else "451 4.3.0 later"


class World:
    """One server, names that it looks up, and other hosts."""

    def __init__(self, name):
        self.work, self.names, self.numbers, self.tokens = lib.scratch(name), Names().start(), itertools.count(1), 0
        self.elsewhere = Sink(Elsewhere()).start()
        self.server = self.start()
        self.port = self.server.port
        self.operator = self.an_operator()

    # Where it runs; tests/cloud/api.py has another answer.

    def start(self):
        seed = os.path.join(self.work, "seed.toml")
        lib.write_seed(seed, [])
        flags = ["--host-name", HOST, "--name-servers", f"127.0.0.1:{self.names.port}", "--smart-host", f"smtp://127.0.0.1:{self.elsewhere.port}",
                 "--subscriptions-allow", "127.0.0.0/8"]
        server = lib.Server(os.path.join(self.work, "data"), seed, extra=flags)
        server.start()
        return server

    def add_token(self, name):
        code, text = lib.command(["token", "add", name, "--data", self.server.data, "--json"])
        assert code == 0, text
        return json.loads(text)["token"]

    # Who asks.

    def client(self, token=None):
        """From a network of its own."""
        return Client(self.port["http"], token, a_network())

    def an_operator(self):
        """With a token that nobody else has used, and so with a limit of its own."""
        self.tokens += 1
        return self.client(self.add_token(f"test{self.tokens}"))

    def sign_in(self, address, password=PASSWORD, **more):
        """A client with a new session."""
        client = self.client()
        opened = expect(client.post("/v1/sessions", {"address": address, "password": password, **more}), 201)
        client.token, client.session, client.person, client.tenant = (opened[name] for name in ("token", "id", "person", "tenant"))
        return client

    # What there is.

    def tenant(self, name, *domains):
        tenant = expect(self.operator.post("/v1/tenants", {"name": name}), 201)["id"]
        for domain in domains:
            expect(self.operator.post("/v1/tenants/{tenant}/domains", {"domain": domain}, tenant=tenant), 201)
        return tenant

    def person(self, tenant, address, *roles, password=PASSWORD, name="Somebody"):
        """Their id. A role is its name, or what the API takes."""
        new = {"address": address, "name": name, **({"password": password} if password else {})}
        person = expect(self.operator.post(PEOPLE, new, tenant=tenant), 201)["id"]
        if roles:
            roles = [role if isinstance(role, dict) else {"role": role} for role in roles]
            expect(self.operator.put(PERSON + "/roles", {"roles": roles}, tenant=tenant, person=person), 200)
        return person

    def number(self):
        return next(self.numbers)

    # Mail.

    def imap(self, address, password=PASSWORD):
        return lib.Imap("127.0.0.1", self.port["imaps"], address, password, tls=True)

    def submit(self, address, to, subject="Hello", password=PASSWORD):
        smtp = lib.Smtp("127.0.0.1", self.port["submissions"], tls=True)
        try:
            smtp.login(address, password)
            return smtp.send(address, [to], letter(address, to, subject))
        finally:
            smtp.close()

    def receive(self, to, subject="Hello", sender="stranger@elsewhere.test"):
        """A mail that comes in at the MX."""
        smtp = lib.Smtp("127.0.0.1", self.port["smtp"])
        try:
            return smtp.send(sender, [to], letter(sender, to, subject))
        finally:
            smtp.close()

    def read(self, address, subject, password=PASSWORD, seconds=30):
        """The text of the mail of this subject, once it is there."""
        imap = self.imap(address, password)

        def found():
            imap.select("INBOX")
            hits = imap.search(f'SUBJECT "{subject}"')
            return hits and imap.fetch(f"{hits[-1]} (BODY.PEEK[])", uid=True)
        mail = lib.wait_until(found, seconds, 0.05, f"a mail `{subject}` for {address}")
        imap.close()
        return next(iter(mail.values()))["BODY[]"].decode()

    def letter_elsewhere(self, to, seconds=30):
        """The text of the last letter that other hosts took for this address."""
        self.elsewhere.manner.known.add(to.split("@")[1])

        def found():
            return [one for one in self.elsewhere.taken if to in one.recipients]
        return lib.wait_until(found, seconds, 0.05, f"a letter to {to}")[-1].data.decode()

    def close(self):
        self.server.kill()
        self.elsewhere.stop()
        self.names.stop()
        lib.remove(self.work)


def letter(sender, to, subject):
    head = {"From": f"<{sender}>", "To": f"<{to}>", "Subject": subject, "Date": "Thu, 26 Nov 2026 08:00:00 +0000", "Message-ID": f"<{abs(hash((sender, to, subject)))}@test>"}
    return ("".join(f"{name}: {text}\r\n" for name, text in head.items()) + "\r\nIt works.\r\n").encode()


def refused(call, *arguments):
    """What a server of mail said, which is no success: the code of SMTP, or the text of IMAP."""
    try:
        call(*arguments)
    except lib.SmtpError as error:
        return error.code
    except lib.ImapError as error:
        return str(error)
    raise AssertionError(f"{call.__name__} {arguments} went through")
