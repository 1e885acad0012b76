"""A tenant in which everything is there once: what each parameter of a path can be, and how to make one more for what uses it up."""
import base64

import penfold_testlib as lib
from penfold_api import expect, totp
from world import PASSWORD, PEOPLE, PERSON

TENANT = "/v1/tenants/{tenant}"
APP_PASSWORDS, SESSIONS, DELEGATES = PERSON + "/app-passwords", PERSON + "/sessions", PERSON + "/delegates/{address}"
GROUPS, MAILBOXES, DOMAINS = TENANT + "/groups", TENANT + "/shared-mailboxes", TENANT + "/domains"
GROUP, MAILBOX, DOMAIN = GROUPS + "/{group}", MAILBOXES + "/{mailbox}", DOMAINS + "/{domain}"
IMPORTS, EXPORTS = TENANT + "/imports", TENANT + "/exports"
CONTACTS = TENANT + "/contacts"
IMPORT, EXPORT = IMPORTS + "/{import}", EXPORTS + "/{export}"
FOLDER_RIGHTS = "/folders/{folder}/rights"
QUEUED, DELETED = TENANT + "/queue/{message}", TENANT + "/deleted/{deleted}"
CSV = {"Content-Type": "text/csv"}
ASKERS, BRANDING = GROUP + "/requests", TENANT + "/branding"
MEMBERS = {"group": GROUP + "/members", "mailbox": MAILBOX + "/members"}


# One pixel.
LOGO = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
IMAGE = {"Content-Type": "image/png"}


class Company:
    """`part` is a domain, whose people are also in the group `crew`: for whom roles of a part are given. `far` is not in it."""

    def __init__(self, world, name, domain, part):
        self.world, self.domain, self.part, self.asked = world, domain, part, 0
        self.by = world.an_operator()
        self.tenant = world.tenant(name, domain, part)
        self.crew = expect(self.by.post(GROUPS, {"address": f"crew@{domain}", "name": "Crew"}, tenant=self.tenant), 201)["id"]
        self.things = {"tenant": self.tenant, "domain": domain, "person": self.person("target"), "group": self.container(GROUPS, "team"), "mailbox": self.container(MAILBOXES, "info")}
        self.address, self.near = f"target@{part}", f"near@{part}"
        self.person("near", password=None)
        self.things["session"] = self.session()
        self.things["app_password"] = self.app_password()
        self.things["deleted"] = self.deleted()
        self.things["address"] = self.alias()
        self.things["folder"], self.mailbox_folder = self.folder(PERSON), self.folder(MAILBOX)
        self.far = {"person": world.person(self.tenant, f"far@{domain}", password=None)}
        for kind, path in (("group", GROUPS), ("mailbox", MAILBOXES)):
            self.far[kind] = expect(self.by.post(path, {"address": f"far-{kind}@{domain}", "name": "Far"}, tenant=self.tenant), 201)["id"]
        self.things["message"] = self.queued()
        self.things["import"] = self.imported()
        self.things["export"] = self.exported()
        self.things["contact"] = self.contact()
        self.things["link"] = self.link()
        expect(self.by.put(BRANDING + "/logo", LOGO, fields=IMAGE, tenant=self.tenant), 200)
        expect(self.by.put(PERSON + "/photo", LOGO, fields=IMAGE, tenant=self.tenant, person=self.things["person"]), 204)
        self.mail = world.receive(self.address, "Traced").split()[-1]
        world.read(self.address, "Traced")

    def ask(self, method, path, body=None, *statuses, fields=None, **named):
        """By the operator, with another token now and then, so that no limit is met."""
        self.asked += 1
        if self.asked % 400 == 0:
            self.by = self.world.an_operator()
        return expect(self.by.ask(method, path, body, fields=fields, **({"tenant": self.tenant} | getattr(self, "things", {}) | named)), *statuses)

    def join(self, address):
        self.ask("POST", MEMBERS["group"], {"addresses": [address]}, group=self.crew)

    def number(self):
        return self.world.number()

    # One more of each, in the part.

    def person(self, local=None, password=PASSWORD):
        address = f"{local or f'p{self.number()}'}@{self.part}"
        person = self.ask("POST", PEOPLE, {"address": address, "name": "Somebody", **({"password": password} if password else {})})["id"]
        self.join(address)
        return person

    def container(self, path, local=None):
        address = f"{local or f'c{self.number()}'}@{self.part}"
        made = self.ask("POST", path, {"address": address, "name": "Something"})["id"]
        self.join(address)
        return made

    def session(self):
        return self.world.sign_in(self.address).session

    def app_password(self):
        return self.ask("POST", APP_PASSWORDS, {"name": "Phone"})["id"]

    def alias(self):
        address = f"a{self.number()}@{self.part}"
        self.ask("POST", PERSON + "/aliases", {"address": address})
        return address

    def contact(self):
        return self.ask("POST", CONTACTS, {"name": "Outside", "addresses": [f"o{self.number()}@elsewhere.test"]}, 201)["id"]

    def link(self):
        """Of the target's, to their calendar."""
        return new_link(self.world.sign_in(self.address))

    def deleted(self):
        person = self.person(password=None)
        self.ask("DELETE", PERSON, None, 204, person=person)
        return person

    def delegate(self, kind="person"):
        """The address of somebody who writes in the target's name."""
        address = f"p{self.number()}@{self.part}"
        self.ask("POST", PEOPLE, {"address": address, "name": "Delegate"})
        self.ask("PUT", (DELEGATES if kind == "person" else MAILBOX + "/delegates/{address}"), {"right": "as"}, 204, address=address)
        return address

    def folder(self, of):
        """One of the target's, or of the shared mailbox's."""
        return self.ask("GET", of + "/folders", None, 200)["items"][0]["id"]

    def opened(self, of, folder):
        """The address of somebody to whom a folder is open."""
        address = f"p{self.number()}@{self.part}"
        self.ask("POST", PEOPLE, {"address": address, "name": "Reader"})
        self.ask("PUT", of + FOLDER_RIGHTS + "/{address}", {"role": "reviewer"}, 204, folder=folder, address=address)
        return address

    def member(self, kind):
        address = f"p{self.number()}@{self.part}"
        self.ask("POST", PEOPLE, {"address": address, "name": "Member"})
        self.join(address)
        self.ask("POST", MEMBERS[kind], {"addresses": [address]}, 200)
        return address

    def asker(self):
        """Somebody who asks to be in a group of the part."""
        asked, address = f"c{self.number()}@{self.part}", f"p{self.number()}@{self.part}"
        group = self.ask("POST", GROUPS, {"address": asked, "name": "Asked", "join": "approval"})["id"]
        self.ask("POST", PEOPLE, {"address": address, "name": "Asker", "password": PASSWORD})
        self.join(asked), self.join(address)
        expect(self.world.sign_in(address).post("/v1/me/groups/{group}/join", {}, group=group), 200)
        return {"group": group, "address": address}

    def claimed(self):
        domain = f"n{self.number()}.test"
        self.ask("POST", DOMAINS, {"domain": domain}, 201)
        return domain

    def queued(self):
        """A mail to somewhere else, which nobody takes."""
        to = f"somebody@elsewhere{self.number()}.test"
        self.world.submit(self.address, to)

        def found():
            items = self.ask("GET", TENANT + "/queue", None, 200)["items"]
            # Not while somebody tries it, when nothing can be done with it.
            return [one["id"] for one in items if one["state"] == "waiting" and one["attempts"] and any(to in each["to"] for each in one["recipients"])]
        return lib.wait_until(found, 30, 0.05, f"the mail to {to} in the queue")[0]

    def ordered(self):
        """An import whose file is still to come."""
        return self.ask("POST", IMPORTS, {}, 201)["id"]

    def imported(self):
        """One that took somebody in, and could not take in somebody else."""
        one = self.ordered()
        file = f"address,name\ni{self.number()}@{self.part},Taken In\nnowhere,No Address\n"
        self.ask("PUT", IMPORT + "/content", file.encode(), 202, fields=CSV, **{"import": one})
        self.ended(IMPORT, "import", one)
        return one

    def exported(self):
        one = self.ask("POST", EXPORTS, {"kind": "people"}, 202)["id"]
        self.ended(EXPORT, "export", one)
        return one

    def ended(self, path, kind, one):
        def found():
            now = self.ask("GET", path, None, 200, **{kind: one})
            return now if now["state"] not in ("uploading", "waiting", "running") else None
        return lib.wait_until(found, 60, 0.05, f"the end of the {kind} {one}")

    def closed(self):
        tenant = self.world.tenant(f"Closed {self.number()}")
        self.ask("PATCH", TENANT, {"status": "closed"}, 200, tenant=tenant)
        return tenant


def calendar(caller):
    return next(one["id"] for one in expect(caller.get("/v1/me/collections"), 200)["items"] if one["holds"] == "events")


def new_subscription(caller):
    """Of a port that nobody listens on: what it gives is not what is asked here."""
    return expect(caller.post("/v1/me/subscriptions", {"url": "http://127.0.0.1:1024/a.ics", "name": "Away"}), 201)["id"]


def new_link(caller):
    return expect(caller.post("/v1/me/links", {"collection": calendar(caller), "name": "Link", "shows": "times"}), 201)["id"]


ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260301T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()
CALENDAR = {"Content-Type": "text/calendar"}


def own_import(caller, uploaded=True):
    one = expect(caller.post("/v1/me/imports", {"collection": calendar(caller)}), 201)["id"]
    if uploaded:
        expect(caller.put("/v1/me/imports/{import}/content", ICS, fields=CALENDAR, **{"import": one}), 202)
        own_ended(caller, "/v1/me/imports/" + one)
    return one


def own_export(caller):
    one = expect(caller.post("/v1/me/exports", {"collection": calendar(caller)}), 202)["id"]
    own_ended(caller, "/v1/me/exports/" + one)
    return one


def own_ended(caller, path):
    lib.wait_until(lambda: expect(caller.get(path), 200)["state"] in ("done", "failed"), 60, 0.02, path)


class Request:
    """What is asked for one operation: with these parameters of the path, this body, these fields."""

    def __init__(self, body=None, fields=None, **named):
        self.body, self.fields, self.named = body, fields, named


def sign_up(company, proved):
    world = company.world
    new = {"company": "New Ltd", "address": f"ann@s{company.number()}.test", "name": "Ann", "password": PASSWORD}
    waiting = expect(world.client().post("/v1/signup", new), 201)
    if proved:
        world.names.txt(waiting["proof"]["record"]["name"], waiting["proof"]["record"]["value"])
    return Request({} if proved else None, {"Authorization": f"Bearer {waiting['token']}"}, signup=waiting["id"])


def reset(company):
    """The token of a letter."""
    world, address = company.world, f"p{company.number()}@{company.part}"
    reader = f"r{company.number()}@{company.part}"
    world.person(company.tenant, reader)
    person = company.ask("POST", PEOPLE, {"address": address, "name": "Forgetful", "password": PASSWORD})["id"]
    company.ask("PATCH", PERSON, {"recovery_address": reader}, 200, person=person)
    expect(world.client().post("/v1/password-resets", {"address": address}), 202)
    text = world.read(reader, "A new password")
    return next(word for word in text.split() if word.startswith("pfr_"))


def group_of_mine(company, method, path, caller):
    """A group that `caller` owns, and what is asked for it."""
    act = path.removeprefix("/v1/me/groups/{group}")
    new = {"address": f"g{company.number()}@{company.part}", "name": "Mine", "owners": [caller.address], "join": "approval" if act.startswith("/requests/") else "open"}
    named = {"group": company.ask("POST", GROUPS, new, 201)["id"], "address": company.address}
    if act == "/leave":
        expect(caller.post("/v1/me/groups/{group}/join", {}, **named), 200)
    if method == "DELETE":
        company.ask("POST", MEMBERS["group"], {"addresses": [company.address]}, 200, **named)
    if act.startswith("/requests/"):
        expect(company.world.sign_in(company.address).post("/v1/me/groups/{group}/join", {}, **named), 200)
    return Request(OF_MINE.get(method + act), **named)


OF_MINE = {"PATCH": {"name": "Still mine"}, "POST/join": {}, "POST/members": {"addresses": ["somebody@elsewhere.test"]}, "POST/requests/{address}": {"accept": True}}


def me(company, method, path, caller):
    """Requests of people about themselves, made by `caller`, whom the operation is for."""
    own = method + " " + path.removeprefix("/v1")
    if path.startswith("/v1/me/groups/{group}"):
        return group_of_mine(company, method, path, caller)
    if own == "DELETE /me/app-passwords/{app_password}":
        return Request(app_password=expect(caller.post("/v1/me/app-passwords", {"name": "X"}), 201)["id"])
    if own == "GET /me/photo":
        expect(caller.world.sign_in(caller.address).put("/v1/me/photo", LOGO, fields=IMAGE), 204)
    if own == "POST /me/subscriptions":
        return Request({"url": "http://127.0.0.1:1024/a.ics", "name": "Away"})
    if own in ("POST /me/imports", "POST /me/exports"):
        return Request({"collection": calendar(caller)})
    if own == "PUT /me/imports/{import}/content":
        return Request(ICS, CALENDAR, **{"import": own_import(caller, uploaded=False)})
    # Ordered in a session, whoever looks at it then.
    if own.split(" ")[1].startswith("/me/imports/"):
        return Request(**{"import": own_import(caller.world.sign_in(caller.address))})
    if own.split(" ")[1].startswith("/me/exports/"):
        return Request(export=own_export(caller.world.sign_in(caller.address)))
    if own == "POST /me/links":
        return Request({"collection": calendar(caller), "name": "Link", "shows": "times"})
    if own == "DELETE /me/links/{link}":
        return Request(link=new_link(caller))
    if "/me/subscriptions/{subscription}" in own:
        body = {"PATCH": {"name": "Still away"}, "POST": {}}.get(method)
        return Request(body, subscription=new_subscription(caller))
    if own == "DELETE /sessions/{session}":
        return Request(session=caller.world.sign_in(caller.address).session)
    if own == "POST /me/second-factor/confirm":
        return Request({"code": totp(expect(caller.post("/v1/me/second-factor", {"password": PASSWORD}), 200)["secret"])})
    return None


def request(company, method, path, used_up):
    """A request that is done for whoever may. `used_up`: what it takes away is made for it."""
    n, part, key = company.number(), company.part, method + " " + path.replace(TENANT, "~")
    fresh = {  # what is gone afterwards
        "DELETE ~": lambda: {"tenant": company.closed()}, "DELETE ~/domains/{domain}": lambda: {"domain": company.claimed()},
        "DELETE ~/people/{person}": lambda: {"person": company.person(password=None)},
        "DELETE ~/people/{person}/app-passwords/{app_password}": lambda: {"app_password": company.app_password()},
        "DELETE ~/people/{person}/sessions/{session}": lambda: {"session": company.session()},
        "DELETE ~/people/{person}/aliases/{address}": lambda: {"address": company.alias()},
        "DELETE ~/people/{person}/links/{link}": lambda: {"link": company.link()},
        "DELETE ~/people/{person}/delegates/{address}": lambda: {"address": company.delegate()},
        "DELETE ~/shared-mailboxes/{mailbox}/delegates/{address}": lambda: {"address": company.delegate("mailbox")},
        "DELETE ~/groups/{group}": lambda: {"group": company.container(GROUPS)}, "DELETE ~/shared-mailboxes/{mailbox}": lambda: {"mailbox": company.container(MAILBOXES)},
        "DELETE ~/groups/{group}/members/{address}": lambda: {"address": company.member("group")},
        "DELETE ~/shared-mailboxes/{mailbox}/members/{address}": lambda: {"address": company.member("mailbox")},
        "DELETE ~/imports/{import}": lambda: {"import": company.imported()}, "DELETE ~/exports/{export}": lambda: {"export": company.exported()},
        "PUT ~/imports/{import}/content": lambda: {"import": company.ordered()}, "POST ~/imports/{import}/cancel": lambda: {"import": company.ordered()},
        "POST ~/groups/{group}/requests/{address}": company.asker, "DELETE ~/contacts/{contact}": lambda: {"contact": company.contact()},
        "DELETE ~/queue/{message}": lambda: {"message": company.queued()}, "POST ~/deleted/{deleted}/restore": lambda: {"deleted": company.deleted()},
    }
    fresh |= {f"POST ~/queue/{{message}}/{act}": lambda: {"message": company.queued()} for act in ("retry", "hold")}
    fresh |= {f"PUT ~/{kind}/delegates/{{address}}": lambda: {"address": f"far@{company.domain}"} for kind in ("people/{person}", "shared-mailboxes/{mailbox}")}
    fresh["DELETE ~/people/{person}" + FOLDER_RIGHTS + "/{address}"] = lambda: {"address": company.opened(PERSON, company.things["folder"])}
    fresh["DELETE ~/shared-mailboxes/{mailbox}" + FOLDER_RIGHTS + "/{address}"] = lambda: {"address": company.opened(MAILBOX, company.mailbox_folder)}
    fresh |= {f"PUT ~/{kind}{FOLDER_RIGHTS}/{{address}}": lambda: {"address": company.near} for kind in ("people/{person}", "shared-mailboxes/{mailbox}")}
    named = company.things | ({"folder": company.mailbox_folder} if "/shared-mailboxes/" in path else {}) | ({"message": company.mail} if "/trace/" in path else {})
    if key in fresh and (used_up or key.startswith("PUT")):
        named = named | fresh[key]()
    bodies = {
        "POST /v1/tenants": {"name": f"Tenant {n}"}, "PATCH ~": {"name": f"{company.domain} {n}"}, "POST ~/domains": {"domain": f"n{n}.test"},
        "POST ~/people": {"address": f"n{n}@{part}", "name": "New"}, "PATCH ~/people/{person}": {"name": f"Renamed {n}"},
        "PUT ~/people/{person}/password": {"password": PASSWORD}, "POST ~/people/{person}/aliases": {"address": f"n{n}@{part}"},
        "POST ~/people/{person}/app-passwords": {"name": "Phone"}, "PUT ~/people/{person}/roles": {"roles": []},
        "POST ~/groups": {"address": f"n{n}@{part}", "name": "New"}, "PATCH ~/groups/{group}": {"name": f"Renamed {n}"}, "POST ~/groups/{group}/members": {"addresses": [company.address]},
        "POST ~/imports": {"rehearse": True}, "POST ~/exports": {"kind": "people"}, "PUT ~/imports/{import}/content": f"address,name\nu{n}@{part},New\n".encode(),
        "POST ~/contacts": {"name": "New", "addresses": [f"n{n}@elsewhere.test"]}, "PATCH ~/contacts/{contact}": {"name": f"Renamed {n}"},
        **{f"POST /v1/me/{kind}": {"collection": company.things["folder"]} for kind in ("imports", "exports")},
        "POST /v1/me/subscriptions": {"url": "http://127.0.0.1:1024/a.ics", "name": "Away"}, "POST /v1/me/links": {"collection": company.things["folder"], "name": "Link", "shows": "times"}, "PUT ~/publishing": {"most": "everything"},
        "POST ~/groups/{group}/requests/{address}": {"accept": True}, "PUT ~/branding": {"display_name": f"Brand {n}", "accent": "#0a5fc4"},
        "POST ~/shared-mailboxes": {"address": f"n{n}@{part}", "name": "New"}, "PATCH ~/shared-mailboxes/{mailbox}": {"name": f"Renamed {n}"},
        "POST ~/shared-mailboxes/{mailbox}/members": {"addresses": [company.address]},
        "PUT ~/people/{person}/delegates/{address}": {"right": "on-behalf"}, "PUT ~/shared-mailboxes/{mailbox}/delegates/{address}": {"right": "as"},
        **{f"PUT ~/{kind}{FOLDER_RIGHTS}/{{address}}": {"role": "reviewer"} for kind in ("people/{person}", "shared-mailboxes/{mailbox}")},
        "PATCH /v1/me": {"password": PASSWORD, "recovery_address": "somebody@elsewhere.test"}, "PUT /v1/me/password": {"current": PASSWORD, "new": PASSWORD},
        "POST /v1/me/app-passwords": {"name": "Phone"}, "POST /v1/me/tokens": {"name": "Program"}, "POST /v1/me/second-factor": {"password": PASSWORD},
        "POST /v1/me/second-factor/confirm": {"code": "000000"}, "POST /v1/me/second-factor/remove": {"password": PASSWORD},
        "POST /v1/sessions": {"address": company.address, "password": PASSWORD}, "POST /v1/password-resets": {"address": company.address},
        "POST /v1/signup": {"company": "New Ltd", "address": f"ann@s{n}.test", "name": "Ann", "password": PASSWORD},
    }
    if key in ("PUT ~/branding/logo", "PUT ~/people/{person}/photo", "PUT /v1/me/photo"):
        return Request(LOGO, IMAGE, **named)
    if path.startswith("/v1/me/groups/{group}"):
        return Request(OF_MINE.get(method + path.removeprefix("/v1/me/groups/{group}")), **named)
    if "{signup}" in path:
        return sign_up(company, proved=method == "POST")
    if path == "/v1/password-resets/finish":
        return Request({"token": reset(company), "password": PASSWORD})
    if key == "PUT /v1/me/imports/{import}/content":
        return Request(ICS, CALENDAR, **named)
    return Request(bodies.get(key), CSV if isinstance(bodies.get(key), bytes) else None, **named)
