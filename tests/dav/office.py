"""Somebody whose calendar is opened to others, all that others may try with it, and when two answers are the same."""
import re

from penfold_api import expect
from penfold_dav import ICS, Dav, body, event, props
from world import PASSWORD, PERSON

OUT_OF_IT = {"date", "connection", "keep-alive"}
READ, NEW, CHANGE, REMOVE, SET, ADMINISTER = "read", "new", "change", "remove", "set", "administer"
ALL = {READ, NEW, CHANGE, REMOVE, SET, ADMINISTER}


def query(text=None):
    match = f'<c:prop-filter name="SUMMARY"><c:text-match>{text}</c:text-match></c:prop-filter>' if text else ""
    asked = f'<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">{match}</c:comp-filter></c:comp-filter></c:filter>'
    return body("c:calendar-query", "<d:prop><d:getetag/><c:calendar-data/></d:prop>" + asked)


def multiget(*paths):
    return body("c:calendar-multiget", "<d:prop><d:getetag/><c:calendar-data/></d:prop>" + "".join(f"<d:href>{path}</d:href>" for path in paths))


def sync(token=""):
    return body("d:sync-collection", f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/><c:calendar-data/></d:prop>")


def acl(principal, *privileges):
    grant = "".join(f"<d:privilege><{one}/></d:privilege>" for one in privileges)
    return body("d:acl", f"<d:ace><d:principal><d:href>{principal}</d:href></d:principal><d:grant>{grant}</d:grant></d:ace>" if privileges else "")


class Office:
    """ann, whose calendar `shared/` is opened and whose other collections are not; others of her tenant, and eve of another."""

    def __init__(self, world):
        self.world, self.number = world, world.number()
        self.domain, self.far = f"o{self.number}.test", f"f{self.number}.test"
        self.tenant, self.other = world.tenant(f"Office {self.number}", self.domain), world.tenant(f"Far {self.number}", self.far)
        world.person(self.tenant, self.of("boss"), "tenant-administrator")
        self.boss, self.ids = world.sign_in(self.of("boss")), {"ann": world.person(self.tenant, self.of("ann"))}
        self.ann = self.client("ann")
        self.home = self.ann.home()["calendars"]
        self.shared, self.unshared = self.home + "shared/", self.ann.collection("VEVENT")
        expect_dav(self.ann.ask("MKCALENDAR", self.shared, body("c:mkcalendar", "<d:set><d:prop><d:displayname>Shared</d:displayname></d:prop></d:set>")), 201)
        for path in (self.shared, self.unshared):
            self.ann.put(path + "open.ics", event("open", "Open", "20261201T090000Z", "20261201T100000Z", "LOCATION:Here"))
            self.ann.put(path + "secret.ics", event("secret", "Secret thing", "20261202T090000Z", "20261202T100000Z", "CLASS:PRIVATE", "LOCATION:Secret place", "DESCRIPTION:Secret words",
                                                    "CATEGORIES:Secret kind", "X-SECRET:Secret more"))

    def of(self, name):
        return f"{name}@{self.domain}"

    def client(self, name, domain=None):
        return Dav("127.0.0.1", self.world.port["http"], f"{name}@{domain or self.domain}", PASSWORD)

    def person(self, name):
        """A client for somebody new of the tenant."""
        self.ids[name] = self.world.person(self.tenant, self.of(name))
        return self.client(name)

    def grant(self, client, *privileges, path=None):
        expect_dav(self.ann.ask("ACL", path or self.shared, acl(client.home()["principal"], *privileges)), 200, 204)

    def folder(self, path="Shared"):
        """The collection's id in the API."""
        items = expect(self.boss.get(PERSON + "/folders", tenant=self.tenant, person=self.ids["ann"]), 200)["items"]
        found = [one["id"] for one in items if one["path"] == path]
        assert found, f"the API does not list the calendar among {[one['path'] for one in items]}"
        return {"tenant": self.tenant, "person": self.ids["ann"], "folder": found[0]}

    def contents(self):
        """What ann has, as she sees it."""
        found = {}
        for path in (self.home, self.shared, self.unshared):
            names = ("d:getetag", "d:displayname", "ical:calendar-color", "c:calendar-description")
            found |= {href: tuple(map(one.text, names)) for href, one in self.ann.propfind(path, *names, depth=1).items()}
        return found


def expect_dav(answer, *statuses):
    assert answer.status in statuses, f"not {statuses}: {answer}"
    return answer


def requests(collection, client, principal):
    """{name: (what it needs, method, path, body, fields)} of all that somebody may try with a calendar that holds open.ics."""
    own = client.collection("VEVENT")
    one, new = collection + "open.ics", collection + "new.ics"
    changed = event("open", "Changed", "20261201T090000Z", "20261201T100000Z")
    words = body("d:propertyupdate", "<d:set><d:prop><c:calendar-description>Changed</c:calendar-description></d:prop></d:set>")
    return {
        "OPTIONS": (READ, "OPTIONS", collection, None, {}),
        "PROPFIND": (READ, "PROPFIND", collection, body("d:propfind", props("d:displayname", "d:sync-token", "cs:getctag")), {"Depth": "0"}),
        "PROPFIND of all": (READ, "PROPFIND", collection, body("d:propfind", props("d:getetag")), {"Depth": "1"}),
        "PROPFIND of one": (READ, "PROPFIND", one, body("d:propfind", "<d:allprop/>"), {"Depth": "0"}),
        "GET": (READ, "GET", one, None, {}), "HEAD": (READ, "HEAD", one, None, {}), "GET of the collection": (READ, "GET", collection, None, {}),
        "calendar-query": (READ, "REPORT", collection, query(), {"Depth": "1"}), "multiget": (READ, "REPORT", collection, multiget(one), {"Depth": "1"}),
        "sync-collection": (READ, "REPORT", collection, sync(), {"Depth": "0"}),
        "PUT": (NEW, "PUT", new, event("new", "New"), {"Content-Type": ICS}), "PUT of a change": (CHANGE, "PUT", one, changed, {"Content-Type": ICS}),
        "PUT of a change, with a tag": (CHANGE, "PUT", one, changed, {"Content-Type": ICS, "If-Match": '"wrong"'}),
        "COPY out": (READ, "COPY", one, None, {"Destination": own + "copied.ics"}), "MOVE out": (REMOVE, "MOVE", one, None, {"Destination": own + "moved.ics"}),
        "COPY in": (NEW, "COPY", own + "mine.ics", None, {"Destination": collection + "mine.ics"}), "MOVE in": (NEW, "MOVE", own + "mine.ics", None, {"Destination": collection + "mine.ics"}),
        "DELETE": (REMOVE, "DELETE", one, None, {}), "PROPPATCH": (SET, "PROPPATCH", collection, words, {}),
        "MKCALENDAR in it": (None, "MKCALENDAR", collection + "in/", None, {}), "ACL": (ADMINISTER, "ACL", collection, acl(principal, "d:all"), {}),
        "MOVE of the collection": (ADMINISTER, "MOVE", collection, None, {"Destination": client.home()["calendars"] + "taken/"}),
            "DELETE of the collection": (ADMINISTER, "DELETE", collection, None, {}),
    }


def ask(client, one):
    _, method, path, content, fields = one
    return client.ask(method, path, content, **{name.replace("-", "_"): value for name, value in fields.items()})


def told(answer, path, nowhere):
    """An answer without what is different each time, and without the path that was asked for."""
    text = answer.text.replace(nowhere, path)
    return answer.status, text, {name: value.replace(nowhere, path) for name, value in answer.fields.items() if name not in OUT_OF_IT}


def nobody(path):
    """A path of the same shape, to what never was: another id, or another name behind it."""
    return re.sub(r"/([0-9a-v]{26})/", lambda m: f"/{m[1][:-6]}{'0' if m[1][-6] != '0' else '1'}{m[1][-5:]}/", path, count=1)
