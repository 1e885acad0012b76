"""What all operations have in common: once, only as seen, only tried, page by page, not too often."""
from concurrent.futures import ThreadPoolExecutor

from penfold_api import Client, a_network, expect
from world import PASSWORD, PEOPLE, PERSON

TENANT = "/v1/tenants/{tenant}"


def administrator(world):
    domain = f"r{world.number()}.test"
    tenant = world.tenant(f"Company {domain}", domain)
    world.person(tenant, f"ann@{domain}", "tenant-administrator")
    ann = world.sign_in(f"ann@{domain}")
    ann.domain = domain
    return ann


def people(ann):
    return [one["address"] for one in expect(ann.get(PEOPLE, tenant=ann.tenant), 200)["items"]]


def test_once(world):
    """The same key and the same request: one person, one answer. Another request under it: 422."""
    ann = administrator(world)
    new, key = {"address": f"bob@{ann.domain}", "name": "Bob"}, {"Idempotency-Key": "one"}
    first = expect(ann.post(PEOPLE, new, fields=key, tenant=ann.tenant), 201)
    again = expect(ann.post(PEOPLE, new, fields=key, tenant=ann.tenant), 201)
    assert (again.body, again.fields["location"], again.fields["etag"]) == (first.body, first.fields["location"], first.fields["etag"])
    assert again.fields.get("idempotency-replayed") == "true" and "idempotency-replayed" not in first.fields
    assert people(ann) == [f"ann@{ann.domain}", f"bob@{ann.domain}"]
    said = ann.post(PEOPLE, {**new, "name": "Robert"}, fields=key, tenant=ann.tenant)
    assert said.status == 422 and said.pointers == ["Idempotency-Key"], said
    # A refusal is an answer as well; and a key is its user's own.
    for _ in range(2):
        expect(ann.post(PEOPLE, new, fields={"Idempotency-Key": "two"}, tenant=ann.tenant), 409)
    expect(administrator(world).post("/v1/me/tokens", {"name": "X"}, fields=key), 201)
    for wrong in ("", "x" * 256):
        assert ann.post(PEOPLE, new, fields={"Idempotency-Key": wrong}, tenant=ann.tenant).status == 422


def test_once_at_once(world):
    """Twenty at the same time under one key: one person, and every answer is that person or `come back`."""
    ann = administrator(world)

    def make(_):
        return Client(world.port["http"], ann.token).post(PEOPLE, {"address": f"bob@{ann.domain}", "name": "Bob"}, fields={"Idempotency-Key": "k"}, tenant=ann.tenant)
    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(make, range(20)))
    assert {one.status for one in said} <= {201, 409}, said
    assert len({one["id"] for one in said if one.status == 201}) == 1 and all("retry-after" in one.fields for one in said if one.status == 409), said


def test_only_as_seen(world):
    """A change that was made for another state than the present one: 412, and nothing of it is done."""
    ann = administrator(world)
    bob = expect(ann.post(PEOPLE, {"address": f"bob@{ann.domain}", "name": "Bob"}, tenant=ann.tenant), 201)
    place = {"tenant": ann.tenant, "person": bob["id"]}
    seen = expect(ann.get(PERSON, **place), 200).fields["etag"]
    assert seen == bob.fields["etag"]
    changed = expect(ann.patch(PERSON, {"name": "Robert"}, fields={"If-Match": seen}, **place), 200)
    assert changed.fields["etag"] != seen
    for stale in (seen, '"999999"', f"W/{changed.fields['etag']}", "nonsense"):
        expect(ann.patch(PERSON, {"name": "Bobby"}, fields={"If-Match": stale}, **place), 412)
        expect(ann.delete(PERSON, fields={"If-Match": stale}, **place), 412)
        expect(ann.put(PERSON + "/roles", {"roles": [{"role": "help-desk"}]}, fields={"If-Match": stale}, **place), 412)
    assert expect(ann.get(PERSON, **place), 200)["name"] == "Robert"
    expect(ann.patch(PERSON, {"name": "Bobby"}, fields={"If-Match": f'"x", {changed.fields["etag"]}'}, **place), 200)
    expect(ann.patch(PERSON, {"name": "Bob"}, fields={"If-Match": "*"}, **place), 200)

    def rename(n):
        return Client(world.port["http"], ann.token).patch(PERSON, {"name": f"Bob {n}"}, fields={"If-Match": etag}, **place).status
    etag = expect(ann.get(PERSON, **place), 200).fields["etag"]
    with ThreadPoolExecutor(10) as pool:
        said = sorted(pool.map(rename, range(10)))
    assert said == [200] + [412] * 9, said


def test_if_match_everywhere(world):
    """Wherever the description speaks of If-Match, a stale one changes nothing."""
    ann = administrator(world)
    place = {"tenant": ann.tenant, "domain": ann.domain}
    for kind, name in (("groups", "group"), ("shared-mailboxes", "mailbox")):
        place[name] = expect(ann.post(f"{TENANT}/{kind}", {"address": f"{kind}@{ann.domain}", "name": "X"}, tenant=ann.tenant), 201)["id"]
    stale = {"If-Match": '"987654"'}
    expect(ann.patch(TENANT, {"name": "Changed"}, fields=stale, **place), 412)
    for path in ("groups/{group}", "shared-mailboxes/{mailbox}"):
        expect(ann.patch(f"{TENANT}/{path}", {"name": "Changed"}, fields=stale, **place), 412)
        expect(ann.delete(f"{TENANT}/{path}", fields=stale, **place), 412)
    bob = expect(ann.post(PEOPLE, {"address": f"bob@{ann.domain}", "name": "Bob"}, tenant=ann.tenant), 201)["id"]
    document, wrong = expect(world.client().get("/v1/openapi.json"), 200).body, []
    place |= {"person": bob, "address": f"alias@{ann.domain}"}
    expect(ann.post(PERSON + "/aliases", {"address": place["address"]}, **place), 201)
    for path in (PERSON + "/password", PERSON + "/second-factor", PERSON + "/sessions", PERSON + "/aliases/{address}"):
        for method, operation in document["paths"].get(path, {}).items():
            if any(one.get("name") == "If-Match" for one in operation.get("parameters", [])):
                said = ann.ask(method.upper(), path, {"password": PASSWORD} if method == "put" else None, fields=stale, **place)
                if said.status != 412:
                    wrong.append(said)
    assert not wrong, "described with If-Match, and done all the same:\n" + "\n".join(map(repr, wrong))


def test_only_tried(world):
    """`dry_run=true` says what would come of it, mistakes included, and makes nothing."""
    ann = administrator(world)
    dry, place = {"dry_run": "true"}, {"tenant": ann.tenant, "person": ann.person, "domain": ann.domain}
    new = {"address": f"bob@{ann.domain}", "name": "Bob"}

    def state():
        paths = (PEOPLE, TENANT, TENANT + "/groups", TENANT + "/shared-mailboxes", TENANT + "/domains", TENANT + "/domains/{domain}/keys", PERSON, PERSON + "/roles",
                 PERSON + "/app-passwords", PERSON + "/sessions", TENANT + "/audit")
        return {path: expect(ann.get(path, **place), 200).body for path in paths}
    before = state()
    wrong = []
    for method, path, body in (
            ("POST", PEOPLE, new), ("PATCH", PERSON, {"name": "Changed"}), ("PUT", PERSON + "/password", {"password": "walnut river lantern"}),
            ("POST", PERSON + "/aliases", {"address": f"other@{ann.domain}"}), ("POST", TENANT + "/groups", {"address": f"g@{ann.domain}", "name": "G"}),
            ("POST", TENANT + "/shared-mailboxes", {"address": f"s@{ann.domain}", "name": "S"}), ("POST", TENANT + "/domains", {"domain": "dry.test"}),
            ("PATCH", TENANT, {"name": "Changed"}), ("POST", TENANT + "/rotate-key", None), ("POST", TENANT + "/domains/{domain}/keys/rotate", None),
            ("POST", PERSON + "/app-passwords", {"name": "X"}), ("DELETE", PERSON + "/sessions", None)):
        said = ann.ask(method, path, body, query=dry, **place)
        # What would be made is not there to be shown: no id, no secret.
        if said.status not in (200, 204) or {"token", "password", "secret", "id"} & set(said.body or {}) and method == "POST":
            wrong.append(repr(said))
    # Of one's own account nothing is tried; that is said, and nothing done.
    for method, path, body in (
            ("POST", "/v1/me/tokens", {"name": "X"}), ("POST", "/v1/me/app-passwords", {"name": "X"}), ("DELETE", "/v1/sessions/current", None),
            ("PUT", "/v1/me/password", {"current": PASSWORD, "new": "walnut river lantern"}), ("POST", "/v1/me/second-factor", {"password": PASSWORD}),
            ("PATCH", "/v1/me", {"recovery_address": "a@elsewhere.test", "password": PASSWORD})):
        said = ann.ask(method, path, body, query=dry)
        if said.status != 422 or said.pointers != ["dry_run"]:
            wrong.append(repr(said))
    after = state()
    wrong += [f"{path} is another afterwards: {before[path]} {after[path]}" for path in before if before[path] != after[path]]
    assert not wrong, "\n".join(wrong)
    assert expect(ann.patch(PERSON, {"name": "Ann"}, query={"dry_run": "false"}, **place), 200)["name"] == "Ann"
    said = ann.post(PEOPLE, {**new, "address": f"ann@{ann.domain}"}, query=dry, **place)
    assert said.status == 409, said
    said = ann.post(PEOPLE, {**new, "password": "short"}, query=dry, **place)
    assert said.status == 422 and said.pointers == ["/password"], said
    assert ann.post(PEOPLE, new, query={"dry_run": "maybe"}, **place).status == 422


def test_pages(world):
    """Every person is on one page and one page only; a filter leaves none out; a cursor of something else is refused."""
    ann = administrator(world)
    names = sorted([f"ann@{ann.domain}"] + [f"p{n:02}@{ann.domain}" for n in range(25)])
    for name in names[1:]:
        expect(ann.post(PEOPLE, {"address": name, "name": "Even" if int(name[1:3]) % 2 == 0 else "Odd"}, tenant=ann.tenant), 201)

    def walk(**query):
        found, pages = [], 0
        while True:
            page = expect(ann.get(PEOPLE, query=query, tenant=ann.tenant), 200)
            assert len(page["items"]) <= query["limit"]
            found, pages = found + [one["address"] for one in page["items"]], pages + 1
            if not page.body.get("next"):
                return found, pages
            query["cursor"] = page["next"]
    for limit in (1, 7, 26, 200):
        assert walk(limit=limit)[0] == names
    assert walk(limit=4, q="EVEN")[0] == [name for name in names[1:] if int(name[1:3]) % 2 == 0]
    assert walk(limit=10, q="P07@")[0] == [f"p07@{ann.domain}"] and walk(limit=10, domain="elsewhere.test")[0] == []
    for query, pointer in (({"limit": 0}, "limit"), ({"limit": 201}, "limit"), ({"cursor": "!"}, "cursor"), ({"cursor": "gA"}, "cursor")):
        said = ann.get(PEOPLE, query=query, tenant=ann.tenant)
        assert said.status == 422 and said.pointers == [pointer], f"{query}: {said}"
    for query in ({"limit": "x"}, {"status": "x"}, {"colour": "red"}):
        said = ann.get(PEOPLE, query=query, tenant=ann.tenant)
        assert said.status == 422 and said.pointers and said.pointers[0].lstrip("?/") in ("", *query), f"{query}: {said}"


def test_fields_are_named(world):
    """By its place in the body, whatever is wrong with it."""
    ann = administrator(world)
    for path, body, pointer in (
            (PEOPLE, {"address": f"x@{ann.domain}", "name": "X", "colour": "red"}, "/colour"), (PEOPLE, {"address": "x", "name": "X"}, "/address"),
            (PEOPLE, {"address": f"x@{ann.domain}", "name": ""}, "/name"), (PEOPLE, {"address": f"x@{ann.domain}", "name": "X", "quota": -1}, "/quota"),
            (PEOPLE, {"address": f"x@{ann.domain}", "name": "X", "password": "short"}, "/password"),
            (TENANT + "/groups", {"address": f"g@{ann.domain}", "name": "G", "who_may_post": "x"}, "/who_may_post"),
            (TENANT + "/domains", {"domain": "gmail.com"}, "/domain"), (TENANT + "/domains", {"domain": "no domain"}, "/domain"),
            (PERSON + "/app-passwords", {"name": "X", "opens": ["imap", "door"]}, "/opens/1"), (PERSON + "/app-passwords", {"name": ""}, "/name")):
        said = ann.post(path, body, tenant=ann.tenant, person=ann.person)
        assert said.status == 422 and said.pointers == [pointer], f"{body}: {said}"
    said = ann.put(PERSON + "/roles", {"roles": [{"role": "help-desk"}, {"role": "emperor"}]}, tenant=ann.tenant, person=ann.person)
    assert said.status == 422 and said.pointers == ["/roles/1/role"] and "tenant-administrator" in said["errors"][0]["detail"], said


def test_an_address_elsewhere(world):
    """A person's address is in a proved domain of the tenant; another tenant's domain is answered like one that nobody has."""
    ann, other = administrator(world), administrator(world)
    said = [ann.post(PEOPLE, {"address": f"x@{domain}", "name": "X"}, tenant=ann.tenant) for domain in (other.domain, "nobodys-own.test")]
    assert said[0].status == said[1].status and said[0].status in (404, 409, 422), said
    assert said[0].text.replace(other.domain, "D") == said[1].text.replace("nobodys-own.test", "D"), said
    expect(ann.post(TENANT + "/domains", {"domain": "unproved.test"}, tenant=ann.tenant), 201)
    assert ann.post(PEOPLE, {"address": "x@unproved.test", "name": "X"}, tenant=ann.tenant).status in (409, 422)


def test_not_too_often(world):
    """The limit is told before it is reached; beyond it 429 and when to come back. Others notice nothing."""
    ann, bob = administrator(world), administrator(world)
    told = expect(ann.get("/v1/me"), 200).fields
    quota, window = (int(part.split("=")[1]) for part in told["ratelimit-policy"].split(";")[1:])
    assert told["ratelimit"].startswith('"caller";r=') and quota / window < 100, told

    def flood(n):
        client, said = Client(world.port["http"], ann.token), []
        for _ in range(quota // 4):
            said.append(client.get("/v1/me"))
            if said[-1].status == 429:
                break
        client.close()
        return said[-1]
    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(flood, range(8)))
    late = [one for one in ends if one.status == 429]
    assert late and all(int(one.fields["retry-after"]) > 0 and one.fields["ratelimit"].startswith('"caller";r=0') for one in late), ends
    assert late[0].fields["content-type"] == "application/problem+json" and late[0]["status"] == 429
    expect(bob.get("/v1/me"), 200)
    expect(world.client().get("/v1/openapi.json"), 200)
    # Nobody signed in: by network.
    stranger, said = Client(world.port["http"], source=a_network()), None
    for _ in range(1000):
        said = stranger.get("/v1/tenants")
        if said.status == 429:
            break
    assert said.status == 429 and said.fields["ratelimit"].startswith('"network"') and int(said.fields["retry-after"]) > 0, said
    expect(world.client().get("/v1/tenants"), 401)


def test_what_is_not_there(world):
    """Problems (RFC 9457) for whatever nobody does."""
    for method, path, status in (("GET", "/v1/nothing", 404), ("GET", "/v1/", 404), ("PUT", "/v1/signup", 405), ("DELETE", "/v1/me", 405),
                                 ("POST", "/v1/openapi.json", 405), ("GET", "/v1/tenants/x/nothing", 404)):
        said = world.client().ask(method, path)
        assert said.status == status and said.fields["content-type"] == "application/problem+json" and said["status"] == status, said
        assert status != 405 or said.fields.get("allow"), f"405 names what is done (RFC 9110 §15.5.6): {said.fields}"
