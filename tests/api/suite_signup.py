"""A company signs itself up: from nothing to its first mail, and everything that is refused on the way."""
import json
import re
import time

from penfold_api import expect
from world import OTHER_PASSWORD, PASSWORD, PEOPLE, PERSON

COMPANY = {"company": "Tide Ltd", "address": "ann@tide.test", "name": "Ann Tide", "password": PASSWORD}
MINUTES = 2
DOMAINS = "/v1/tenants/{tenant}/domains"
DOMAIN = DOMAINS + "/{domain}"


def begin(world, **other):
    """A sign-up, and the client that holds its token."""
    client = world.client()
    waiting = expect(client.post("/v1/signup", {**COMPANY, **other}), 201)
    client.token = waiting["token"]
    return client, waiting


def verify(client, waiting, **body):
    return client.post("/v1/signup/{signup}/verify", body, signup=waiting["id"])


def publish(world, waiting):
    record = waiting["proof"]["record"]
    assert record["type"] == "TXT", record
    world.names.txt(record["name"], record["value"])


def test_from_nothing_to_the_first_mail(world):
    """By API alone: a company, its domain, two people, an app password; then a mail comes in at the MX and is read by IMAP."""
    start = time.monotonic()
    client, waiting = begin(world)
    assert (waiting["status"], waiting["domain"]) == ("waiting", "tide.test") and waiting.body.get("tenant") is None
    publish(world, waiting)
    done = expect(verify(client, waiting), 200)
    assert done["status"] == "done" and "token" not in done.body, done
    tenant = done["tenant"]
    ann = world.sign_in("ann@tide.test")
    assert ann.tenant == tenant
    assert expect(ann.get("/v1/me"), 200)["roles"] == ["tenant-administrator"]
    assert expect(ann.get("/v1/tenants/{tenant}", tenant=tenant), 200)["status"] == "trial"
    bob = expect(ann.post(PEOPLE, {"address": "bob@tide.test", "name": "Bob", "password": OTHER_PASSWORD}, tenant=tenant), 201)["id"]
    made = expect(ann.post(PERSON + "/app-passwords", {"name": "Phone", "opens": ["imap"]}, tenant=tenant, person=bob), 201)
    world.receive("bob@tide.test", "The first")
    assert "It works." in world.read("bob@tide.test", "The first", OTHER_PASSWORD)
    took = time.monotonic() - start
    assert "It works." in world.read("bob@tide.test", "The first", made["password"])
    print(f"api signup: from nothing to the first mail received in {took:.2f} s")
    assert took < MINUTES * 60


def test_the_proof_is_waited_for(world):
    """No record, or another text: 200 and `waiting`. The record that comes later is seen at once, whatever was cached."""
    client, waiting = begin(world, address="ann@wait.test")
    for texts in ((), ("penfold=0000",), ("v=spf1 -all", waiting["proof"]["record"]["value"] + "0")):
        if texts:
            world.names.txt(waiting["proof"]["record"]["name"], *texts)
        said = expect(verify(client, waiting), 200)
        assert said["status"] == "waiting" and said["proof"] == waiting["proof"], said
        assert expect(client.get("/v1/signup/{signup}", signup=waiting["id"]), 200)["status"] == "waiting"
        expect(world.client().post("/v1/sessions", {"address": "ann@wait.test", "password": PASSWORD}), 401)
    publish(world, waiting)
    assert expect(verify(client, waiting), 200)["status"] == "done"
    again = expect(verify(client, waiting), 200)
    assert again["status"] == "done" and again["tenant"] == world.sign_in("ann@wait.test").tenant


def test_a_sign_up_is_its_beginner_s(world):
    """Without its token nobody sees a sign-up, and an id that is none is answered alike."""
    client, waiting = begin(world, address="ann@mine.test")
    _, other = begin(world, address="ann@theirs.test")
    for path, method in (("/v1/signup/{signup}", "GET"), ("/v1/signup/{signup}/verify", "POST")):
        body = {} if method == "POST" else None
        expect(world.client().ask(method, path, body, signup=waiting["id"]), 401)
        strange = expect(client.ask(method, path, body, signup=other["id"]), 404)
        missing = expect(client.ask(method, path, body, signup="0" * 26), 404)
        assert strange.body == missing.body, (strange, missing)


def shape(value):
    """What a value is made of, without what it says."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value).__name__


def test_a_domain_of_another_tenant_is_no_news(world):
    """The answer to a domain that somebody has and to one that nobody has differs in nothing, until the domain is proved."""
    world.tenant("Taken Ltd", "taken.test")
    answers = {}
    for domain in ("taken.test", "unowned.test"):
        client, waiting = begin(world, address=f"eve@{domain}")
        said = [waiting, verify(client, waiting), client.get("/v1/signup/{signup}", signup=waiting["id"])]
        answers[domain] = [(one.status, sorted(one.fields), shape(one.body)) for one in said]
        assert domain == "unowned.test" or "Taken" not in json.dumps([one.body for one in said])
        publish(world, waiting)
        answers[domain + " proved"] = verify(client, waiting)
    assert answers["taken.test"] == answers["unowned.test"], json.dumps(answers, default=str, indent=1)
    expect(answers["unowned.test proved"], 200)
    expect(answers["taken.test proved"], 409)


def test_nor_is_it_to_a_tenant(world):
    """An administrator who adds a domain is answered alike, whoever has it, until its record is there."""
    world.tenant("Owner Ltd", "owned.test")
    tenant = world.tenant("Curious Ltd", "curious.test")
    world.person(tenant, "cat@curious.test", "tenant-administrator")
    # And one that is only claimed, by somebody else.
    other = world.tenant("Early Ltd", "early.test")
    world.person(other, "eli@early.test", "tenant-administrator")
    expect(world.sign_in("eli@early.test").post(DOMAINS, {"domain": "claimed.test"}, tenant=other), 201)
    cat, answers = world.sign_in("cat@curious.test"), {}
    domains = ("owned.test", "claimed.test", "nobodys.test")
    for domain in domains:
        place = {"tenant": tenant, "domain": domain}
        asked = [cat.post(DOMAINS, {"domain": domain}, tenant=tenant), cat.get(DOMAIN, **place), cat.get(DOMAIN + "/records", **place), cat.get(DOMAIN + "/keys", **place),
                 cat.post(DOMAIN + "/verify", **place), cat.post(PEOPLE, {"address": f"x@{domain}", "name": "X"}, tenant=tenant), cat.post(DOMAINS, {"domain": domain}, tenant=tenant),
                 cat.post(PERSON + "/aliases", {"address": f"cat@{domain}"}, person=cat.person, tenant=tenant)]
        answers[domain] = [(one.status, sorted(one.fields), shape(one.body)) for one in asked]
        assert [one.status for one in asked] == [201, 200, 200, 200, 200, 409, 409, 409], asked
    assert answers["owned.test"] == answers["claimed.test"] == answers["nobodys.test"], json.dumps(answers, default=str, indent=1)
    for domain, status in zip(domains, (409, 200, 200)):
        wanted = expect(cat.post(DOMAIN + "/verify", tenant=tenant, domain=domain), 200)["wanted"]
        world.names.txt(wanted["name"], wanted["value"])
        expect(cat.post(DOMAIN + "/verify", tenant=tenant, domain=domain), status)
    listed = {one["domain"]: one["proved"] for one in expect(cat.get(DOMAINS, tenant=tenant), 200)["items"]}
    assert listed == {"curious.test": True, "owned.test": False, "claimed.test": True, "nobodys.test": True}, listed
    # To give up a claim does nothing to whoever has the domain.
    expect(cat.delete(DOMAIN, tenant=tenant, domain="owned.test"), 204)
    world.receive("postmaster@early.test", "Still here")


def test_domains_that_are_no_company_s(world):
    """422, and the field is named: mail for everybody, names set aside, names that look like others, one label, ourselves."""
    for domain in ("gmail.com", "mail.gmail.com", "outlook.com", "example.com", "sub.example.org", "example", "company.invalid", "printer.local", "company.example",
                   "x.onion", "localhost", "company", "com", "co.uk", "xn--pypal-4ve.com", "аррӏе.com", "goοgle.com", "service.test", "mx.service.test", "a.mx.service.test",
                   "1.2.3.4", "[127.0.0.1]", "tide..test", "-tide.test", "a_b.test", "x" * 64 + ".test"):
        said = world.client().post("/v1/signup", {**COMPANY, "address": f"ann@{domain}"})
        assert said.status == 422 and said.pointers == ["/address"], f"{domain}: {said}"
    for address in ("", "ann", "@tide.test", "ann@", "ann@tide.test ", "ann tide@tide.test", "ann@tide.test\r\nX: y", "ann@tide.test, bob@tide.test"):
        said = world.client().post("/v1/signup", {**COMPANY, "address": address})
        assert said.status == 422 and said.pointers == ["/address"], f"{address!r}: {said}"


def test_fields_are_named(world):
    """What is missing, unknown or of another type is named by its pointer."""
    def ask(change, but=()):
        return world.client().post("/v1/signup", {name: value for name, value in {**COMPANY, "address": "ann@fields.test", **change}.items() if name not in but})
    for change, pointer in (({"compnay": "x"}, "/compnay"), ({"proof": "fax"}, "/proof"), ({"company": 7}, "/company"), ({"company": ""}, "/company"),
                            ({"name": "a\nb"}, "/name"), ({"company": "x" * 10_000}, "/company"), ({"proof_address": "admin@fields.test"}, "/proof_address"),
                            ({"proof": "mail"}, "/proof_address"), ({"proof": "mail", "proof_address": "ann@fields.test"}, "/proof_address"),
                            ({"proof": "mail", "proof_address": "admin@tide.test"}, "/proof_address")):
        said = ask(change)
        assert said.status == 422 and said.pointers == [pointer], f"{change}: {said}"
    assert ask({}, but=("password",)).status == 422
    for data, status in ((b"", 400), (b"{", 400), (b"\xff", 400), (b"[]", 422), (b"null", 422)):
        said = world.client().post("/v1/signup", data)
        assert said.status == status and said.fields["content-type"] == "application/problem+json", f"{data[:20]}: {said}"
    assert world.client().post("/v1/signup", b"{}", fields={"Content-Type": "text/plain"}).status == 415
    assert world.client().post("/v1/signup", b" " * (4 << 20)).status == 413


def test_weak_passwords(world):
    for password in ("", "short", "password", "password123", "1234567890", "aaaaaaaaaaaa", "qwertyuiop", "Ann Weak123", "ann@weak.test", "x" * 2000):
        said = world.client().post("/v1/signup", {**COMPANY, "address": "ann@weak.test", "name": "Ann Weak", "password": password})
        assert said.status == 422 and said.pointers == ["/password"], f"{password[:20]!r}: {said}"


def test_many_sign_ups(world):
    """Ten for one domain on a day, whoever asks; twenty from one network, whatever for. Then 429, and when to come back."""
    for n in range(10):
        begin(world, address=f"ann{n}@often.test")
    said = world.client().post("/v1/signup", {**COMPANY, "address": "late@often.test"})
    assert said.status == 429 and int(said.fields["retry-after"]) > 0, said
    begin(world, address="ann@seldom.test")
    one = world.client()
    for n in range(20):
        expect(one.post("/v1/signup", {**COMPANY, "address": f"ann@many{n}.test"}), 201)
    said = one.post("/v1/signup", {**COMPANY, "address": "ann@many20.test"})
    assert said.status == 429 and int(said.fields["retry-after"]) > 0, said


def test_a_proof_by_mail(world):
    """A code to an address that only those have who run the domain; ten guesses, and the right one."""
    service = world.tenant("Service Ltd", "service.test")
    world.elsewhere.manner.known |= {"mailed.test", "guessed.test"}
    client, waiting = begin(world, address="ann@mailed.test", proof="mail", proof_address="hostmaster@mailed.test")
    assert waiting["proof"] == {"by": "mail", "address": "hostmaster@mailed.test"}, waiting
    letter = world.letter_elsewhere("hostmaster@mailed.test")
    code = re.search(r"(?m)^ +(\d{8})\r$", letter).group(1)
    assert "Tide Ltd" in letter and "From: postmaster@service.test" in letter and code not in waiting.text and service not in letter
    for body, pointer in (({}, "/code"), ({"code": "00000000"}, "/code"), ({"code": ""}, "/code")):
        said = verify(client, waiting, **body)
        assert said.status == 422 and said.pointers == [pointer], said
    assert expect(verify(client, waiting, code=code), 200)["status"] == "done"
    world.sign_in("ann@mailed.test")
    client, waiting = begin(world, address="ann@guessed.test", proof="mail", proof_address="admin@guessed.test")
    code = re.search(r"(?m)^ +(\d{8})\r$", world.letter_elsewhere("admin@guessed.test")).group(1)
    said = [verify(client, waiting, code=f"{n:08}" if f"{n:08}" != code else "99999999").status for n in range(10)]
    assert said == [422] * 10, said
    expect(verify(client, waiting, code=code), 403)
    assert expect(client.get("/v1/signup/{signup}", signup=waiting["id"]), 200)["status"] == "waiting"


def test_the_company_s_name_may_be_taken(world):
    """Two companies of one name are both there."""
    tenants = []
    for domain in ("first.test", "second.test"):
        client, waiting = begin(world, company="Smith & Sons", address=f"smith@{domain}")
        publish(world, waiting)
        tenants.append(expect(verify(client, waiting), 200)["tenant"])
    assert len(set(tenants)) == 2
