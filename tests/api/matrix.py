"""The callers of matrix.json, in a company beside another one; and answers compared."""
import json
import os
from collections import Counter

from company import Company
from penfold_api import expect

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "matrix.json"), encoding="utf-8") as f:
    TABLE = json.load(f)
CALLERS = TABLE["callers"]
METHODS = ("get", "post", "patch", "put", "delete")
SOMEBODY_S = ("person", "group", "mailbox", "domain", "deleted", "session", "app_password", "message", "address", "folder", "import", "export", "contact")
PARTS = [name for name in CALLERS if name.endswith(("of a domain", "of a group"))]


def allowed(key, caller):
    return TABLE["operations"][key].replace(" ", "")[CALLERS.index(caller)] == "x"


def operations(world):
    """(method, path) of everything in the description."""
    paths = expect(world.client().get("/v1/openapi.json"), 200)["paths"]
    return [(method.upper(), path) for path in sorted(paths) for method in METHODS if method in paths[path]]


class Matrix:
    """Two companies, and every caller of the first."""

    def __init__(self, world):
        self.world, self.operations = world, operations(world)
        self.own, self.other = Company(world, "Own Ltd", "own.test", "part.test"), Company(world, "Other Ltd", "other.test", "apart.test")
        self.callers = {name: self.caller(name) for name in CALLERS}
        for client in self.callers.values():
            client.patient = True
        self.leaks, self.missing, self.done = [], [], Counter()

    def caller(self, name):
        world, own = self.world, self.own
        if name == "nobody":
            return world.client()
        if name == "the operator":
            return world.an_operator()
        if name.startswith("a read-only token"):
            owner = self.caller("tenant-administrator")
            client = world.client(expect(owner.post("/v1/me/tokens", {"name": "Reader", "roles": ["read-only"]}), 201)["token"])
            client.world, client.address = world, owner.address
            return client
        role, _, part = name.partition(" of a ")
        grant = {"role": role} | {"": {}, "domain": {"domain": own.part}, "group": {"group": own.crew}}[part]
        address = f"caller{world.number()}@{own.domain}"
        world.person(own.tenant, address, *([] if name == "a person" else [grant]))
        client = world.sign_in(address)
        client.world, client.address = world, address
        return client

    def ask(self, name, method, path, one, **named):
        """Nobody comes from a new network each time, for whom there is a limit of their own."""
        caller = self.world.client() if name == "nobody" else self.callers[name]
        said = caller.ask(method, path, one.body, fields=one.fields, **(one.named | named))
        assert said.status != 429, said
        if said.status >= 500:
            self.leaks.append(f"{name}: {said}")
        if name != "the operator" and said.status // 100 == 2:
            for mark in (self.other.tenant, self.other.domain, self.other.part, self.other.things["person"], self.other.things["group"], self.other.things["mailbox"]):
                if mark in said.text and mark not in (one.body.decode() if isinstance(one.body, bytes) else json.dumps(one.body or "")):
                    self.leaks.append(f"{name} sees {mark}: {said}")
        return said


_matrix = []


def matrix(world):
    if not _matrix or _matrix[0].world is not world:
        _matrix[:] = [Matrix(world)]
    return _matrix[0]


def missing_id(text):
    """Like this id, address or domain, of nobody and nothing."""
    if "@" in text or "." in text:
        return text.replace("other.test", "gone.test").replace("apart.test", "gone.test")
    at = 25 if len(text) > 25 else len(text) - 1
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:]


def without(said, *words):
    text = said.text
    for word in words:
        text = text.replace(word, "X")
    return said.status, text, sorted(name for name in said.fields if name not in ("date", "content-length"))
