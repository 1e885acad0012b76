"""What people do with their own account: sessions, passwords, the second factor, app passwords."""
import re
from concurrent.futures import ThreadPoolExecutor

import penfold_testlib as lib
from penfold_api import Client, a_network, expect, totp
from world import OTHER_PASSWORD, PASSWORD, PEOPLE, PERSON, refused

THIRD_PASSWORD = "copper violin meadow"


def somebody(world, *roles):
    """A person of a new tenant: their address."""
    domain = f"d{world.number()}.test"
    tenant = world.tenant(f"Company {domain}", domain)
    world.person(tenant, f"ann@{domain}", *roles, name="Ann")
    return f"ann@{domain}"


def test_a_wrong_sign_in_tells_nothing(world):
    address = somebody(world)
    said = [world.client().post("/v1/sessions", {"address": who, "password": "not this one"}) for who in (address, "nobody@" + address.split("@")[1], "x@nowhere.test", "x")]
    assert all(one.status == 401 and one.body == said[0].body and sorted(one.fields) == sorted(said[0].fields) for one in said), said
    assert "www-authenticate" in said[0].fields
    assert world.client().get("/v1/me").status == 401
    for token in ("", "x", "pfs_" + "0" * 104, "pfo_" + "0" * 52, "pfu_" + "0" * 52, "pfr_" + "0" * 104):
        assert world.client(token or " ").get("/v1/me").status == 401, token


def test_guessing_ends(world):
    """One network, many people and passwords: 429 with the time to come back; the owner signs in from elsewhere meanwhile."""
    address, source = somebody(world), a_network()

    def guess(n):
        return Client(world.port["http"], source=source).post("/v1/sessions", {"address": f"x{n}@{address.split('@')[1]}", "password": f"guess {n}"}).status
    # At once, since whoever waits for the answer is slowed.
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(guess, range(20))) <= {401, 429}
    said = Client(world.port["http"], source=source).post("/v1/sessions", {"address": address, "password": PASSWORD})
    assert said.status == 429 and int(said.fields["retry-after"]) > 0, said
    world.sign_in(address)


def test_sessions_are_listed_and_revoked(world):
    """A token that is taken back is refused at once; those of others cannot be."""
    address = somebody(world)
    laptop, phone = world.sign_in(address, name="Laptop"), world.sign_in(address, name="Phone")
    listed = expect(laptop.get("/v1/sessions"), 200)["items"]
    assert [one["name"] for one in listed] == ["Phone", "Laptop"] and {one["kind"] for one in listed} == {"session"}
    assert {one["from"] for one in listed} == {laptop.source, phone.source} and "token" not in str(listed)
    stranger = world.sign_in(somebody(world))
    expect(stranger.delete("/v1/sessions/{session}", session=phone.session), 404)
    expect(phone.get("/v1/me"), 200)
    expect(laptop.delete("/v1/sessions/{session}", session=phone.session), 204)
    expect(phone.get("/v1/me"), 401)
    expect(laptop.delete("/v1/sessions/{session}", session=phone.session), 404)
    expect(laptop.delete("/v1/sessions/current"), 204)
    expect(laptop.get("/v1/me"), 401)


def test_an_administrator_ends_sessions(world):
    address = somebody(world)
    admin_address = "boss@" + address.split("@")[1]
    ann = world.sign_in(address)
    world.person(ann.tenant, admin_address, "tenant-administrator")
    boss = world.sign_in(admin_address)
    path = PERSON + "/sessions"
    assert [one["id"] for one in expect(boss.get(path, tenant=ann.tenant, person=ann.person), 200)["items"]] == [ann.session]
    expect(boss.delete(path + "/{session}", tenant=ann.tenant, person=ann.person, session=ann.session), 204)
    expect(ann.get("/v1/me"), 401)
    several = [world.sign_in(address) for _ in range(3)]
    expect(boss.delete(path, tenant=ann.tenant, person=ann.person), 204)
    assert [one.get("/v1/me").status for one in several] == [401] * 3
    # Nobody suspended goes on.
    ann = world.sign_in(address)
    expect(boss.patch(PERSON, {"status": "suspended"}, tenant=ann.tenant, person=ann.person), 200)
    lib.wait_until(lambda: ann.get("/v1/me").status == 401, 5, what="a suspended person's token is refused")
    expect(world.client().post("/v1/sessions", {"address": address, "password": PASSWORD}), 401)


def test_a_new_password_ends_other_sessions(world):
    address = somebody(world)
    here, there = world.sign_in(address), world.sign_in(address)
    said = here.put("/v1/me/password", {"current": "not this one", "new": OTHER_PASSWORD})
    assert said.status == 422 and said.pointers == ["/current"], said
    said = here.put("/v1/me/password", {"current": PASSWORD, "new": "password123"})
    assert said.status == 422 and said.pointers == ["/new"], said
    expect(there.get("/v1/me"), 200)
    expect(here.put("/v1/me/password", {"current": PASSWORD, "new": OTHER_PASSWORD}), 204)
    expect(here.get("/v1/me"), 200)
    expect(there.get("/v1/me"), 401)
    expect(world.client().post("/v1/sessions", {"address": address, "password": PASSWORD}), 401)
    world.sign_in(address, OTHER_PASSWORD)
    world.imap(address, OTHER_PASSWORD).close()


def test_a_token_for_a_program(world):
    """It does what its owner may and no more than it was made for, is listed among the sessions, and outlives a new password."""
    address = somebody(world, "tenant-administrator")
    ann = world.sign_in(address)
    made = expect(ann.post("/v1/me/tokens", {"name": "Terraform", "roles": ["read-only"], "days": 30}), 201)
    program = world.client(made["token"])
    expect(program.get(PEOPLE, tenant=ann.tenant), 200)
    expect(program.post(PEOPLE, {"address": "x@" + address.split("@")[1], "name": "X"}, tenant=ann.tenant), 403)
    assert "Terraform" in [one["name"] for one in expect(ann.get("/v1/sessions"), 200)["items"] if one["kind"] == "token"]
    expect(ann.put("/v1/me/password", {"current": PASSWORD, "new": OTHER_PASSWORD}), 204)
    expect(program.get(PEOPLE, tenant=ann.tenant), 200)
    expect(ann.delete("/v1/sessions/{session}", session=made["id"]), 204)
    expect(program.get(PEOPLE, tenant=ann.tenant), 401)
    for wrong, pointer in (({"name": "X", "days": 0}, "/days"), ({"name": "X", "days": 4000}, "/days"), ({"name": "X", "roles": ["emperor"]}, "/roles/0"), ({"name": ""}, "/name")):
        said = ann.post("/v1/me/tokens", wrong)
        assert said.status == 422 and said.pointers == [pointer], f"{wrong}: {said}"


def test_a_program_changes_no_account(world):
    """A token makes neither another one nor an app password, which might open more than it does, and ends nobody's session."""
    ann = world.sign_in(somebody(world, "tenant-administrator"))
    for limit in ({"roles": ["read-only"]}, {}):
        program = world.client(expect(ann.post("/v1/me/tokens", {"name": "Program", **limit}), 201)["token"])
        expect(program.get("/v1/me"), 200)
        for method, path, body in (("POST", "/v1/me/tokens", {"name": "More"}), ("POST", "/v1/me/app-passwords", {"name": "Out"}), ("DELETE", "/v1/sessions/{session}", None),
                                   ("PUT", "/v1/me/password", {"current": PASSWORD, "new": OTHER_PASSWORD}), ("POST", "/v1/me/second-factor", {"password": PASSWORD}),
                                   ("PATCH", "/v1/me", {"password": PASSWORD, "recovery_address": "eve@elsewhere.test"})):
            expect(program.ask(method, path, body, session=ann.session), 403)
    expect(ann.get("/v1/me"), 200)


def test_app_passwords(world):
    """Each opens what it was made for, shows when it was used, and opens nothing once it is taken back."""
    address = somebody(world)
    ann = world.sign_in(address)
    made = {opens: expect(ann.post("/v1/me/app-passwords", {"name": opens, "opens": [opens]}), 201) for opens in ("imap", "submission")}
    world.imap(address, made["imap"]["password"]).close()
    assert world.submit(address, address, password=made["submission"]["password"])
    assert "NO" in refused(world.imap, address, made["submission"]["password"])
    assert refused(world.submit, address, address, "Hello", made["imap"]["password"]) == 535
    expect(world.client().post("/v1/sessions", {"address": address, "password": made["imap"]["password"]}), 401)

    def used():
        items = expect(ann.get("/v1/me/app-passwords"), 200)["items"]
        assert all("password" not in one or one["password"] is None for one in items), items
        return {one["name"] for one in items if one.get("used")} == {"imap", "submission"}
    lib.wait_until(used, 10, 0.1, "the day of the last use")
    expect(ann.delete("/v1/me/app-passwords/{app_password}", app_password=made["imap"]["id"]), 204)
    assert "NO" in refused(world.imap, address, made["imap"]["password"])
    expect(ann.delete("/v1/me/app-passwords/{app_password}", app_password=made["imap"]["id"]), 404)


def second_factor(world, address):
    """Somebody with one: their client, the secret, the recovery codes."""
    ann = world.sign_in(address)
    said = ann.post("/v1/me/second-factor", {"password": "not this one"})
    assert said.status == 422 and said.pointers == ["/password"], said
    made = expect(ann.post("/v1/me/second-factor", {"password": PASSWORD}), 200)
    assert made["uri"].startswith("otpauth://totp/") and f"secret={made['secret']}" in made["uri"]
    # Until its first code it does not count.
    world.sign_in(address)
    said = ann.post("/v1/me/second-factor/confirm", {"code": "000000" if totp(made["secret"]) != "000000" else "000001"})
    assert said.status == 422 and said.pointers == ["/code"], said
    codes = expect(ann.post("/v1/me/second-factor/confirm", {"code": totp(made["secret"], -1)}), 200)["recovery_codes"]
    assert len(codes) == len(set(codes)) == 10
    return ann, made["secret"], codes


def test_the_second_factor(world):
    address = somebody(world)
    ann, secret, codes = second_factor(world, address)
    assert expect(ann.get("/v1/me"), 200)["two_factor"] is True
    sign = {"address": address, "password": PASSWORD}
    said = world.client().post("/v1/sessions", sign)
    assert said.status == 401 and said["type"] == "urn:penfold:second-factor", said
    # Who does not know the password is not told that there is a code.
    assert world.client().post("/v1/sessions", {**sign, "password": "not this one"})["type"] == "about:blank"
    # A code by time is taken once, those of the past are not taken.
    code = totp(secret)
    expect(world.client().post("/v1/sessions", {**sign, "code": code}), 201)
    assert world.client().post("/v1/sessions", {**sign, "code": code}).status == 401
    assert world.client().post("/v1/sessions", {**sign, "code": totp(secret, -5)}).status == 401
    # So is each recovery code, with the stroke or without.
    for code in (codes[0], codes[1].replace("-", ""), codes[2].upper()):
        expect(world.client().post("/v1/sessions", {**sign, "code": code}), 201)
        assert world.client().post("/v1/sessions", {**sign, "code": code}).status == 401, code


def test_mail_clients_beside_a_second_factor(world):
    """The typed password opens neither IMAP nor submission any more, at once; an app password does."""
    address = somebody(world)
    world.imap(address).close()
    ann, _, _ = second_factor(world, address)
    assert "NO" in refused(world.imap, address)
    assert refused(world.submit, address, address) == 535
    made = expect(ann.post("/v1/me/app-passwords", {"name": "Mail"}), 201)
    world.imap(address, made["password"]).close()
    assert world.submit(address, address, password=made["password"])
    said = ann.post("/v1/me/second-factor/remove", {"password": "not this one"})
    assert said.status == 422 and said.pointers == ["/password"], said
    expect(ann.post("/v1/me/second-factor/remove", {"password": PASSWORD}), 204)
    world.sign_in(address)
    world.imap(address).close()


def test_an_administrator_takes_a_lost_factor_away(world):
    address = somebody(world)
    ann, _, _ = second_factor(world, address)
    world.person(ann.tenant, "desk@" + address.split("@")[1], "help-desk")
    desk = world.sign_in("desk@" + address.split("@")[1])
    expect(desk.delete(PERSON + "/second-factor", tenant=ann.tenant, person=ann.person), 204)
    world.sign_in(address)


def forget(world, *addresses):
    """At once, since each answer takes its time, whoever there is."""
    with ThreadPoolExecutor(len(addresses)) as pool:
        said = list(pool.map(lambda who: world.client().post("/v1/password-resets", {"address": who}), addresses))
    return [expect(one, 202) for one in said]


def test_a_forgotten_password(world):
    """The answer is always 202; the letter comes to the recovery address, and what is in it works once."""
    address, elsewhere = somebody(world), somebody(world)
    ann = world.sign_in(address)
    said = ann.patch("/v1/me", {"recovery_address": elsewhere, "password": "not this one"})
    assert said.status == 422 and said.pointers == ["/password"], said
    expect(ann.patch("/v1/me", {"recovery_address": elsewhere, "password": PASSWORD}), 200)
    said = forget(world, address, elsewhere, "nobody@nowhere.test", "nobody@" + address.split("@")[1])
    assert all(one.status == 202 and one.text == said[0].text and sorted(one.fields) == sorted(said[0].fields) for one in said), said
    letter = world.read(elsewhere, "A new password")
    token = re.search(r"pfr_\w+", letter).group()
    assert address in letter and f"From: postmaster@{address.split('@')[1]}" in letter
    expect(world.client(token).get("/v1/me"), 401)
    said = world.client().post("/v1/password-resets/finish", {"token": token, "password": "password123"})
    assert said.status == 422 and said.pointers == ["/password"], said
    expect(world.client().post("/v1/password-resets/finish", {"token": token[:-1] + ("0" if token[-1] != "0" else "1"), "password": THIRD_PASSWORD}), 401)
    expect(world.client().post("/v1/password-resets/finish", {"token": token, "password": THIRD_PASSWORD}), 204)
    expect(ann.get("/v1/me"), 401)
    world.sign_in(address, THIRD_PASSWORD)
    expect(world.client().post("/v1/password-resets/finish", {"token": token, "password": OTHER_PASSWORD}), 401)


def test_many_letters_are_one(world):
    """Whoever asks again and again fills nobody's mailbox."""
    address, elsewhere = somebody(world), somebody(world)
    expect(world.sign_in(address).patch("/v1/me", {"recovery_address": elsewhere, "password": PASSWORD}), 200)
    forget(world, address)
    world.read(elsewhere, "A new password")
    forget(world, *[address] * 5)
    world.receive(elsewhere, "The last one")
    world.read(elsewhere, "The last one")
    imap = world.imap(elsewhere)
    assert imap.select("INBOX")["exists"] == 2
    imap.close()


def test_a_second_factor_stays_beyond_a_forgotten_password(world):
    address, elsewhere = somebody(world), somebody(world)
    ann, secret, _ = second_factor(world, address)
    expect(ann.patch("/v1/me", {"recovery_address": elsewhere, "password": PASSWORD}), 200)
    forget(world, address)
    token = re.search(r"pfr_\w+", world.read(elsewhere, "A new password")).group()
    expect(world.client().post("/v1/password-resets/finish", {"token": token, "password": THIRD_PASSWORD}), 204)
    said = world.client().post("/v1/sessions", {"address": address, "password": THIRD_PASSWORD})
    assert said.status == 401 and said["type"] == "urn:penfold:second-factor", said
    world.sign_in(address, THIRD_PASSWORD, code=totp(secret))
