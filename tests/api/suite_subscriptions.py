"""Calendars that are subscribed from outside: by API, from a web server of our own, read over DAV."""
import http.server
import re
import threading
import time

from penfold_api import expect
from penfold_dav import Dav, calendar, event, q
from penfold_dav import expect as expect_dav
from world import PASSWORD

HIDDEN = '<d:propfind xmlns:d="DAV:"><d:prop><d:current-user-privilege-set/></d:prop></d:propfind>'


class Files(http.server.ThreadingHTTPServer):
    """A web server on loopback: what it gives, and how often it was asked for what."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked = {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.server_address[1]}{path}"

    def put(self, path, text):
        self.files[path] = text.encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        content = self.server.files.get(self.path)
        tag = f'"{hash(content)}"'
        same = content is not None and self.headers.get("If-None-Match") == tag
        status = 404 if content is None else 304 if same else 200
        self.server.asked.append((self.path, status, dict(self.headers)))
        self.send_response(status)
        if status == 200:
            self.send_header("Content-Type", "text/calendar")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", tag)
        self.end_headers()
        if status == 200:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


_files = []


def files():
    if not _files:
        _files.append(Files())
    return _files[0]


def somebody(world, tenant=None):
    domain = f"s{world.number()}.test"
    tenant = tenant or world.tenant(f"Company {domain}", domain)
    world.person(tenant, f"ann@{domain}")
    return f"ann@{domain}"


def dav(world, address):
    return Dav("127.0.0.1", world.port["http"], address, PASSWORD)


def until(client, id, fits, seconds=30):
    end = time.monotonic() + seconds
    while True:
        now = expect(client.get("/v1/me/subscriptions/{subscription}", subscription=id), 200)
        if fits(now):
            return now
        assert time.monotonic() < end, now
        time.sleep(0.1)


def subscribe(world, client, url, **more):
    made = expect(client.post("/v1/me/subscriptions", {"url": url, "name": "Holidays", **more}), 201)
    assert made["state"] == "new" and made["url"] == url.replace("webcal://", "https://"), made
    return made["id"]


def collection(client):
    """The calendar that is not one's own: where it is, what may be done there."""
    found = [path for path, one in client.collections().items() if one.text("d:displayname") == "Holidays"]
    assert len(found) == 1, found
    return found[0]


def test_a_change_elsewhere_is_one_change_here(world):
    address, web = somebody(world), files()
    client, phone = world.sign_in(address), dav(world, address)
    web.put("/a.ics", calendar(event("a", "One"), event("b", "Two"), event("c", "Three")))
    id = subscribe(world, client, web.url("/a.ics"), color="#2a7fff")
    now = until(client, id, lambda one: one["state"] != "new")
    assert (now["state"], now["events"], now["left_out"]) == ("current", 3, 0) and "error" not in now.body, now
    where = collection(phone)
    assert phone.prop(where, "ical:calendar-color") == "#2a7fff"
    there, _, token = phone.sync(where)
    there.pop(where, None)
    assert len(there) == 3, there
    texts = [phone.get(path).text for path in there]
    assert sorted(re.search("SUMMARY:(.*)", text).group(1).strip() for text in texts) == ["One", "Three", "Two"]
    # Nothing of the person is told.
    _, _, fields = web.asked[-1]
    assert sorted(name.lower() for name in fields) == ["accept", "accept-encoding", "connection", "host", "user-agent"] and fields["user-agent"] == "Penfold", fields
    web.put("/a.ics", calendar(event("a", "One"), event("b", "Zwei"), event("d", "Four")))
    asked = expect(client.post("/v1/me/subscriptions/{subscription}/refresh", {}, subscription=id), 200)
    until(client, id, lambda one: one["revision"] > asked["revision"])
    there, gone, _ = phone.sync(where, token)
    assert len(there) == 2 and len(gone) == 1, (there, gone)
    assert {re.search("SUMMARY:(.*)", phone.get(path).text).group(1).strip() for path in there} == {"Zwei", "Four"}
    # Not twice within a minute.
    said = client.post("/v1/me/subscriptions/{subscription}/refresh", {}, subscription=id)
    assert said.status == 429 and 0 < int(said.fields["retry-after"]) <= 60, said


def test_nobody_writes_there(world):
    """Not its owner either; what it is called and whether it is there at all is the owner's."""
    address, web = somebody(world), files()
    client, phone = world.sign_in(address), dav(world, address)
    web.put("/b.ics", calendar(event("a", "One")))
    id = subscribe(world, client, web.url("/b.ics"))
    until(client, id, lambda one: one["state"] == "current")
    own = phone.collection("VEVENT")
    where = collection(phone)
    one = next(path for path in phone.sync(where)[0] if path != where)
    for said in (phone.ask("PUT", where + "x.ics", calendar(event("x", "X")), Content_Type="text/calendar"), phone.ask("PUT", one, calendar(event("a", "X")), Content_Type="text/calendar"),
                 phone.ask("DELETE", one), phone.ask("MOVE", one, Destination=own + "a.ics")):
        assert said.status == 403 and "need-privileges" in said.text, said
    told = phone.ask("PROPFIND", where, HIDDEN, depth=0).xml
    names = {privilege[0].tag for privilege in told.iter(q("d:privilege"))}
    assert q("d:read") in names and not names & {q("d:write"), q("d:write-content"), q("d:bind"), q("d:unbind"), q("d:all")}, names
    expect_dav(phone.proppatch(where, d__displayname="Renamed"))
    assert expect(client.get("/v1/me/subscriptions/{subscription}", subscription=id), 200)["name"] == "Renamed"
    phone.delete(where)
    assert client.get("/v1/me/subscriptions/{subscription}", subscription=id).status == 404
    assert expect(client.get("/v1/me/subscriptions"), 200)["items"] == []


def test_what_is_wrong_is_told(world):
    address, web = somebody(world), files()
    client = world.sign_in(address)
    id = subscribe(world, client, web.url("/none.ics"))
    now = until(client, id, lambda one: one["state"] != "new")
    assert now["state"] == "failing" and "404" in now["error"] and now["next"] > now["created"], now
    web.put("/page", "<html>Please sign in</html>")
    changed = expect(client.patch("/v1/me/subscriptions/{subscription}", {"url": web.url("/page")}, subscription=id), 200)
    assert changed["state"] == "new", changed
    now = until(client, id, lambda one: one["state"] != "new")
    assert now["state"] == "failing" and "no calendar" in now["error"], now
    expect(client.delete("/v1/me/subscriptions/{subscription}", subscription=id), 204)
    assert client.delete("/v1/me/subscriptions/{subscription}", subscription=id).status == 404


def test_nothing_inside_is_reached(world):
    """The server allows loopback for this suite, and nothing else that is not public."""
    client = world.sign_in(somebody(world))
    for url in ("http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::ffff:192.168.0.1]/", "http://[fd00:ec2::254]/"):
        id = subscribe(world, client, url)
        now = until(client, id, lambda one: one["state"] != "new")
        assert now["state"] == "failing" and now["error"] == "the host cannot be reached from here", now
    for url, field in (("ftp://a.test/", "/url"), ("https://ann:secret@a.test/", "/url"), ("https://", "/url")):
        said = client.post("/v1/me/subscriptions", {"url": url, "name": "X"})
        assert said.status == 422 and said.body["errors"][0]["pointer"] == field, said
    for more, field in (({"refresh": 60}, "/refresh"), ({"color": "red"}, "/color"), ({"name": ""}, "/name")):
        said = client.post("/v1/me/subscriptions", {"url": "https://a.test/", "name": "X", **more})
        assert said.status == 422 and said.body["errors"][0]["pointer"] == field, said


def test_one_s_own_and_twenty_at_most(world):
    client, other, web = world.sign_in(somebody(world)), world.sign_in(somebody(world)), files()
    web.put("/many.ics", calendar(event("a", "One")))
    ids = [subscribe(world, client, web.url("/many.ics")) for _ in range(20)]
    said = client.post("/v1/me/subscriptions", {"url": web.url("/many.ics"), "name": "X"})
    assert said.status == 403 and said.body["type"] == "urn:penfold:limit", said
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/refresh")):
        said = other.ask(method, "/v1/me/subscriptions/{subscription}" + path, {} if method in ("PATCH", "POST") else None, subscription=ids[0])
        assert said.status == 404, said
    for id in ids:
        until(client, id, lambda one: one["state"] == "current", 60)
