"""Who there is and how it looks: what is known of people, groups that people manage and join by themselves, groups by a filter, branding."""
import base64

from company import ASKERS, BRANDING, CONTACTS, GROUP, GROUPS, LOGO, MEMBERS
from penfold_api import expect
from world import PASSWORD, PEOPLE, PERSON, refused

MINE = "/v1/me/groups"
OF_MINE = MINE + "/{group}"


def company(world, domain):
    """A tenant with an administrator who is signed in."""
    tenant = world.tenant(domain.title(), domain)
    world.person(tenant, f"boss@{domain}", "tenant-administrator")
    return tenant, world.sign_in(f"boss@{domain}")


def person(world, boss, address, **profile):
    new = {"address": address, "name": address.split("@")[0].title(), "password": PASSWORD, "profile": profile}
    return expect(boss.post(PEOPLE, new, tenant=boss.tenant), 201)["id"]


def addresses(answer):
    return [one["address"] for one in expect(answer, 200)["items"]]


def test_what_is_known_of_people(world):
    """It is written, read, searched, taken away, and bounded."""
    tenant, boss = company(world, "known.test")
    ann = person(world, boss, "ann@known.test", department="Sales", title="Head of Sales", city="Rome", employee_id="0042")
    bob = person(world, boss, "bob@known.test", department="sales", manager=ann)
    person(world, boss, "cid@known.test", department="Stores")
    place = {"tenant": tenant, "person": bob}
    assert expect(boss.get(PERSON, **place), 200)["profile"] == {"department": "sales", "manager": ann}
    for query, found in (({"department": "SALES"}, ["ann", "bob"]), ({"department": "Sales", "city": "rome"}, ["ann"]), ({"manager": ann}, ["bob"]), ({"title": "Head"}, []),
                         ({"employee_id": "0042"}, ["ann"]), ({"country": "Italy"}, [])):
        assert addresses(boss.get(PEOPLE, query=query, tenant=tenant)) == [f"{name}@known.test" for name in found], query
    changed = expect(boss.patch(PERSON, {"profile": {"department": None, "office": "2.14"}}, **place), 200)
    assert changed["profile"] == {"office": "2.14", "manager": ann}
    assert expect(world.sign_in("bob@known.test").get("/v1/me"), 200)["profile"] == changed["profile"]
    other, _ = company(world, "stranger.test")
    eve = world.person(other, "eve@stranger.test")
    for profile, pointer in (({"city": "x" * 129}, "/profile/city"), ({"city": ""}, "/profile/city"), ({"phone": "1\n2"}, "/profile/phone"), ({"shoe": "43"}, "/profile/shoe"),
                             ({"manager": "ann"}, "/profile/manager"), ({"title": 7}, "/profile/title")):
        said = boss.patch(PERSON, {"profile": profile}, **place)
        assert said.status == 422 and said.pointers == [pointer], f"{profile}: {said}"
    for manager in (bob, eve, "0" * 26):
        expect(boss.patch(PERSON, {"profile": {"manager": manager}}, **place), 422)
    shared = expect(boss.post("/v1/tenants/{tenant}/shared-mailboxes", {"address": "room@known.test", "name": "Room", "profile": {"office": "1.01"}}, tenant=tenant), 201)
    assert shared["profile"] == {"office": "1.01"}


def test_whom_one_may_write_to(world):
    """The directory by what is typed, who is hidden left out, and behind it whom one wrote to; with photos."""
    tenant, boss = company(world, "found.test")
    person(world, boss, "ann@found.test"), person(world, boss, "anton@found.test")
    ann, search = world.sign_in("ann@found.test"), lambda q: [one["addresses"][0] for one in expect(ann.get("/v1/me/directory", query={"q": q}), 200)["items"]]
    contact = {"name": "Antje Lieferantin", "addresses": ["antje@supplier.test"], "profile": {"company": "Supplier"}}
    made = expect(boss.post(CONTACTS, contact, tenant=tenant), 201)
    assert sorted(search("an")) == ["ann@found.test", "antje@supplier.test", "anton@found.test"]
    assert search("LIEFER ant") == ["antje@supplier.test"] and search("tje") == []
    hidden = person(world, boss, "andreas@found.test")
    assert len(search("and")) == 1
    expect(boss.patch(PERSON, {"hidden": True}, tenant=tenant, person=hidden), 200)
    assert search("and") == [] and expect(boss.get(PERSON, tenant=tenant, person=hidden), 200)["hidden"]
    expect(boss.delete(CONTACTS + "/{contact}", tenant=tenant, contact=made["id"]), 204)
    assert search("antje") == []
    _, other = company(world, "found-elsewhere.test")
    assert expect(other.get("/v1/me/directory", query={"q": "ann"}), 200)["items"] == []
    expect(ann.put("/v1/me/photo", LOGO, fields={"Content-Type": "image/png"}), 204)
    assert ann.get("/v1/me/photo").status == 200 and ann.delete("/v1/me/photo").status == 204 and ann.get("/v1/me/photo").status == 404


def test_a_group_is_its_owners(world):
    """Who owns one manages it, without seeing anything else; who does not finds nothing to manage."""
    tenant, boss = company(world, "owned-groups.test")
    for name in ("ann", "bob", "cid"):
        person(world, boss, f"{name}@owned-groups.test")
    new = {"address": "crew@owned-groups.test", "name": "Crew", "owners": ["ann@owned-groups.test"], "who_may_post": "owners", "hidden": True}
    crew = expect(boss.post(GROUPS, new, tenant=tenant), 201)
    assert crew["owners"] == ["ann@owned-groups.test"] and crew["hidden"] and crew["join"] == "closed", crew
    ann, bob, place = world.sign_in("ann@owned-groups.test"), world.sign_in("bob@owned-groups.test"), {"group": crew["id"]}
    assert addresses(ann.get(MINE, query={"which": "owner"})) == ["crew@owned-groups.test"] and addresses(ann.get(MINE)) == []
    changed = expect(ann.patch(OF_MINE, {"name": "The crew", "description": "All of us."}, **place), 200)
    assert (changed["name"], changed["description"], changed["owner"], changed["member"]) == ("The crew", "All of us.", True, False)
    assert ann.patch(OF_MINE, {"join": "open"}, **place).status == 422
    assert expect(ann.post(OF_MINE + "/members", {"addresses": ["bob@owned-groups.test", "x@elsewhere.test"]}, **place), 200)["added"] == 2
    assert addresses(ann.get(OF_MINE + "/members", **place)) == ["bob@owned-groups.test", "x@elsewhere.test"]
    # Hidden from its members too, and nobody's to manage.
    nowhere = {"group": "0" * 26}
    for method, rest, body in (("GET", "", None), ("PATCH", "", {"name": "Bob's"}), ("GET", "/members", None), ("POST", "/members", {"addresses": ["cid@owned-groups.test"]}),
                               ("DELETE", "/members/bob@owned-groups.test", None), ("GET", "/requests", None), ("POST", "/join", {}), ("POST", "/leave", None)):
        said, gone = bob.ask(method, OF_MINE + rest, body, **place), bob.ask(method, OF_MINE + rest, body, **nowhere)
        assert (said.status, said.body) == (404, gone.body), f"{said} {gone}"
    expect(ann.delete(OF_MINE + "/members/bob@owned-groups.test", **place), 204)
    assert refused(world.submit, "bob@owned-groups.test", "crew@owned-groups.test") == 550
    world.submit("ann@owned-groups.test", "crew@owned-groups.test")
    # Nothing beyond the group, and nothing any more once it is somebody else's.
    for path in (GROUPS, PEOPLE, GROUP):
        expect(ann.get(path, tenant=tenant, **place), 403)
    expect(boss.patch(GROUP, {"remove_owners": ["ann@owned-groups.test"], "add_owners": ["cid@owned-groups.test"]}, tenant=tenant, **place), 200)
    expect(ann.patch(OF_MINE, {"name": "Mine"}, **place), 404)
    acts = expect(boss.get("/v1/tenants/{tenant}/audit", query={"limit": 200}, tenant=tenant), 200)["items"]
    assert ("group.update", "ann@owned-groups.test") in {(one["act"], one["actor"]) for one in acts}


def test_joining(world):
    """Open, by asking, closed; and leaving, where one may."""
    tenant, boss = company(world, "joining.test")
    for name in ("ann", "bob"):
        person(world, boss, f"{name}@joining.test")
    made = {}
    for join in ("open", "approval", "closed"):
        new = {"address": f"{join}@joining.test", "name": join, "join": join, "may_leave": join != "closed", "owners": ["ann@joining.test"]}
        made[join] = expect(boss.post(GROUPS, new, tenant=tenant), 201)["id"]
    ann, bob = world.sign_in("ann@joining.test"), world.sign_in("bob@joining.test")
    assert addresses(bob.get(MINE, query={"which": "joinable"})) == ["approval@joining.test", "open@joining.test"]
    assert expect(bob.post(OF_MINE + "/join", {}, group=made["open"]), 200)["status"] == "member"
    assert addresses(bob.get(MINE)) == ["open@joining.test"]
    world.submit("ann@joining.test", "open@joining.test", "To the open")
    world.read("bob@joining.test", "To the open")
    expect(bob.post(OF_MINE + "/leave", group=made["open"]), 204)
    expect(bob.post(OF_MINE + "/leave", group=made["open"]), 404)
    expect(bob.post(OF_MINE + "/join", {}, group=made["closed"]), 403)
    # Asking: an owner or an administrator answers.
    asked, answer = {"group": made["approval"]}, {"address": "bob@joining.test"}
    for by, path, more in ((ann, OF_MINE + "/requests", {}), (boss, ASKERS, {"tenant": tenant})):
        assert expect(bob.post(OF_MINE + "/join", {"text": "Me too."}, **asked), 200)["status"] == "asked"
        assert [(one["address"], one["text"]) for one in expect(by.get(path, **asked, **more), 200)["items"]] == [("bob@joining.test", "Me too.")]
        expect(by.post(path + "/{address}", {"accept": by is boss}, **asked, **answer, **more), 204)
        expect(by.post(path + "/{address}", {"accept": True}, **asked, **answer, **more), 404)
    assert expect(bob.get(OF_MINE, **asked), 200)["direct"] is True
    expect(boss.post(MEMBERS["group"], {"addresses": ["bob@joining.test"]}, tenant=tenant, group=made["closed"]), 200)
    expect(bob.post(OF_MINE + "/leave", group=made["closed"]), 403)
    # A program that reads changes nothing.
    program = world.client(expect(bob.post("/v1/me/tokens", {"name": "Reader", "roles": ["read-only"]}), 201)["token"])
    assert len(addresses(program.get(MINE))) == 2
    expect(program.post(OF_MINE + "/leave", **asked), 403)


def test_who_owns_a_group_comes_to_nobody_by_it(world):
    """Where roles are given for those in a group, its owners add nobody: their own role, or a friend's, would reach them."""
    tenant, boss = company(world, "reach.test")
    person(world, boss, "ann@reach.test"), person(world, boss, "chief@reach.test")
    group = expect(boss.post(GROUPS, {"address": "desk@reach.test", "name": "Desk", "owners": ["ann@reach.test"]}, tenant=tenant), 201)["id"]
    ann = world.sign_in("ann@reach.test")
    expect(boss.put(PERSON + "/roles", {"roles": [{"role": "help-desk", "group": group}]}, tenant=tenant, person=ann.person), 200)
    expect(ann.post(OF_MINE + "/members", {"addresses": ["chief@reach.test"]}, group=group), 403)
    expect(boss.put(PERSON + "/roles", {"roles": []}, tenant=tenant, person=ann.person), 200)
    expect(ann.post(OF_MINE + "/members", {"addresses": ["chief@reach.test"]}, group=group), 200)


def test_members_by_a_filter(world):
    """Mail goes to those who fit when it comes, and to nobody else; and who sets the filter manages everybody."""
    tenant, boss = company(world, "filter.test")
    person(world, boss, "ann@filter.test", department="Sales", country="Norway")
    bob = person(world, boss, "bob@filter.test", department="Sales")
    sales = {"all": [{"attribute": "department", "is": "sales"}, {"any": [{"attribute": "country", "present": True}, {"attribute": "city", "starts_with": "R"}]}]}
    made = expect(boss.post(GROUPS, {"address": "sales@filter.test", "name": "Sales", "filter": sales, "who_may_post": "members"}, tenant=tenant), 201)
    place, wanted = {"tenant": tenant, "group": made["id"]}, {**sales, "shared_mailboxes": False}
    assert made["dynamic"] and made["filter"] == wanted and addresses(boss.get(MEMBERS["group"], **place)) == ["ann@filter.test"]
    assert refused(world.submit, "bob@filter.test", "sales@filter.test") == 550
    expect(boss.patch(PERSON, {"profile": {"city": "Rome"}}, tenant=tenant, person=bob), 200)
    world.submit("ann@filter.test", "sales@filter.test", "To sales")
    world.read("bob@filter.test", "To sales")
    assert addresses(world.sign_in("bob@filter.test").get(MINE)) == ["sales@filter.test"]
    for said in (boss.post(MEMBERS["group"], {"addresses": ["boss@filter.test"]}, **place), boss.delete(MEMBERS["group"] + "/ann@filter.test", **place)):
        assert said.status == 409 and "filter" in said["detail"], said
    plain = expect(boss.post(GROUPS, {"address": "plain@filter.test", "name": "Plain"}, tenant=tenant), 201)["id"]
    expect(boss.patch(GROUP, {"filter": sales}, tenant=tenant, group=plain), 409)
    for wrong, pointer, words in (({}, "/filter", "all and any"), ({"all": []}, "/filter/all", "at least"), ({"any": [{"attribute": "shoe", "is": "43"}]}, "/filter/any/0/attribute", "department"),
                                  ({"all": [{"attribute": "city"}]}, "/filter/all/0", "starts_with"), ({"all": [{"attribute": "domain", "is": "x y"}]}, "/filter/all/0/is", "domain"),
                                  ({"all": [{"any": [{"attribute": "city", "is": ""}]}]}, "/filter/all/0/any/0/is", "octets"), ({"every": []}, "/filter/every", "all"),
                                  ({"all": [{"attribute": "city", "present": True}] * 21}, "/filter", "20")):
        said = boss.patch(GROUP, {"filter": wrong}, **place)
        assert said.status == 422 and said.pointers == [pointer] and words in said["errors"][0]["detail"], f"{wrong}: {said}"
    # Whose role is for a part sets no filter, nests none, and moves nobody into a group that roles are for.
    expect(world.operator.post("/v1/tenants/{tenant}/domains", {"domain": "part.filter.test"}, tenant=tenant), 201)
    sam = person(world, boss, "sam@part.filter.test")
    keeper = person(world, boss, "keeper@filter.test")
    desk = {"role": "help-desk", "group": made["id"]}
    roles = [{"role": "recipient-management", "domain": "part.filter.test"}, desk]
    expect(boss.put(PERSON + "/roles", {"roles": roles}, tenant=tenant, person=keeper), 200)
    kate = world.sign_in("keeper@filter.test")
    expect(kate.post(GROUPS, {"address": "x@part.filter.test", "name": "X", "filter": sales}, tenant=tenant), 403)
    expect(kate.patch(PERSON, {"profile": {"department": "Sales"}}, tenant=tenant, person=sam), 200)
    expect(kate.patch(PERSON, {"profile": {"country": "Norway"}}, tenant=tenant, person=sam), 403)
    expect(kate.put(PERSON + "/password", {"password": PASSWORD}, tenant=tenant, person=sam), 404)
    expect(boss.patch(PERSON, {"profile": {"country": "Norway"}}, tenant=tenant, person=sam), 200)
    expect(kate.put(PERSON + "/password", {"password": PASSWORD}, tenant=tenant, person=sam), 204)


def test_branding(world):
    """What was set is on the page of each proved domain, and in letters; everywhere else it is the default."""
    tenant, boss = company(world, "brand.test")
    default = expect(world.client().get("/v1/branding", query={"domain": "nobodys.test"}), 200)
    assert default.body == {} and expect(world.client().get("/v1/branding", query={"domain": "brand.test"}), 200).body == {}
    pixel = expect(world.client().get("/v1/branding/logo", query={"domain": "brand.test"}), 200)
    new = {"display_name": "Brand, Ltd ü", "accent": "#0A5FC4", "second_accent": "#b00020", "support_address": "help@brand.test", "support_url": "https://help.brand.test/"}
    first = expect(boss.get(BRANDING, tenant=tenant), 200)
    made = expect(boss.put(BRANDING, new, tenant=tenant), 200)
    assert made.body == {**new, "accent": "#0a5fc4", "text_on_accent": "#ffffff", "text_on_second_accent": "#ffffff"}, made
    assert boss.put(BRANDING, new, fields={"If-Match": first.fields["etag"]}, tenant=tenant).status == 412
    for change, pointer in (({"accent": "blue"}, "/accent"), ({"accent": "#ffff00"}, "/accent"), ({"support_url": "http://brand.test/"}, "/support_url"), ({"display_name": "a\nb"}, "/display_name"),
                            ({"support_address": "nobody"}, "/support_address"), ({"color": "#000000"}, "/color")):
        said = boss.put(BRANDING, {**new, **change}, tenant=tenant)
        assert said.status == 422 and said.pointers == [pointer], f"{change}: {said}"
    # The logo is what its bytes are.
    for data, kind, status in ((b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", 422), (LOGO, "text/html", 415), (LOGO + b"x" * 65_536, "image/png", 413), (b"", "image/png", 422)):
        assert boss.put(BRANDING + "/logo", data, fields={"Content-Type": kind}, tenant=tenant).status == status, kind
    assert "logo" in expect(boss.put(BRANDING + "/logo", LOGO, fields={"Content-Type": "image/webp"}, tenant=tenant), 200).body
    place = {"query": {"domain": "brand.test"}}
    public = expect(world.client().get("/v1/branding", **place), 200)
    assert (public["display_name"], public["logo"]) == ("Brand, Ltd ü", "/v1/branding/logo?domain=brand.test")
    for by, path, more in ((world.client(), public["logo"], {}), (boss, BRANDING + "/logo", {"tenant": tenant})):
        logo = expect(by.get(path, **more), 200)
        assert (logo.fields["content-type"], logo.fields["x-content-type-options"]) == ("image/png", "nosniff") and logo.fields["etag"] != pixel.fields["etag"], logo.fields
        again = by.get(path, fields={"If-None-Match": logo.fields["etag"]}, **more)
        assert again.status == 304 and not again.text, again
    # By the tenant's other domains too, but not before they are its own; and by no stranger.
    expect(boss.post("/v1/tenants/{tenant}/domains", {"domain": "claimed-brand.test"}, tenant=tenant), 201)
    for domain in ("claimed-brand.test", "brand.test.test", "", "ü", "nobodys.test"):
        assert world.client().get("/v1/branding", query={"domain": domain}).body == {}, domain
        assert world.client().get("/v1/branding/logo", query={"domain": domain}).fields["etag"] == pixel.fields["etag"], domain
    # Letters of the service are in the organisation's name.
    ann = person(world, boss, "ann@brand.test")
    person(world, boss, "reader@brand.test")
    expect(boss.patch(PERSON, {"recovery_address": "reader@brand.test"}, tenant=tenant, person=ann), 200)
    expect(world.client().post("/v1/password-resets", {"address": "ann@brand.test"}), 202)
    letter = world.read("reader@brand.test", "A new password")
    name = base64.b64encode("Brand, Ltd ü".encode()).decode()
    assert f"From: =?utf-8?B?{name}?=" in letter and "at Brand, Ltd ü" in letter and "Help: help@brand.test, https://help.brand.test/" in letter, letter
    # What is left out is taken away; the logo stays until it is removed.
    assert set(expect(boss.put(BRANDING, {"display_name": "Brand"}, tenant=tenant), 200).body) == {"display_name", "logo"}
    expect(boss.delete(BRANDING + "/logo", tenant=tenant), 204)
    expect(boss.get(BRANDING + "/logo", tenant=tenant), 404)
    assert world.client().get("/v1/branding", **place).body == {"display_name": "Brand"}
