"""The life of a tenant: on trial, active, suspended, closed; and people who come back."""
import re

import penfold_testlib as lib
from penfold_api import expect
from world import PASSWORD, PEOPLE, PERSON, refused

TENANT = "/v1/tenants/{tenant}"


def company(world):
    """A tenant with an administrator (a client), and the address of another person."""
    domain = f"l{world.number()}.test"
    tenant = world.tenant(f"Company {domain}", domain)
    world.person(tenant, f"boss@{domain}", "tenant-administrator")
    world.person(tenant, f"bob@{domain}")
    return world.sign_in(f"boss@{domain}"), f"bob@{domain}"


def status(world, tenant, stage):
    assert expect(world.operator.patch(TENANT, {"status": stage}, tenant=tenant), 200)["status"] == stage


def test_suspended(world):
    """What is there is read; nothing is changed or sent; mail waits at its senders. Then everything goes on."""
    boss, bob = company(world)
    world.receive(bob, "Before")
    world.read(bob, "Before")
    status(world, boss.tenant, "suspended")
    assert refused(world.receive, bob, "Meanwhile") // 100 == 4
    assert refused(world.submit, bob, bob) // 100 in (4, 5)
    assert "It works." in world.read(bob, "Before")
    imap = world.imap(bob)
    imap.select("INBOX")
    for act in ('STORE 1 +FLAGS (\\Flagged)', 'COPY 1 INBOX', 'CREATE "New"', 'RENAME "Drafts" "New"'):
        assert refused(imap.cmd, act), act
    assert refused(imap.append, "INBOX", b"Subject: x\r\n\r\nx\r\n")
    assert imap.fetch("1 (FLAGS)")
    # Its administrators see everything and change nothing, the state least of all.
    boss = world.sign_in("boss@" + bob.split("@")[1])
    expect(boss.get(PEOPLE, tenant=boss.tenant), 200)
    said = boss.post(PEOPLE, {"address": "new@" + bob.split("@")[1], "name": "New"}, tenant=boss.tenant)
    assert said.status == 403 and said["type"] == "urn:penfold:suspended", said
    expect(boss.patch(TENANT, {"status": "active"}, tenant=boss.tenant), 403)
    status(world, boss.tenant, "active")
    world.receive(bob, "After")
    world.read(bob, "After")
    imap = world.imap(bob)
    imap.select("INBOX")
    imap.cmd('STORE 1 +FLAGS (\\Flagged)')
    assert world.submit(bob, bob, "And again")


def test_suspended_while_connected(world):
    """Whoever was signed in before is held to it as well; whoever sends, at the next message."""
    boss, bob = company(world)
    world.receive(bob, "Before")
    world.read(bob, "Before")
    imap, smtp = world.imap(bob), lib.Smtp("127.0.0.1", world.port["submissions"], tls=True)
    imap.select("INBOX")
    smtp.login(bob, PASSWORD)
    status(world, boss.tenant, "suspended")
    mine = f"From: {bob}\r\n\r\nx\r\n".encode()

    def held():
        try:
            imap.cmd('STORE 1 +FLAGS (\\Flagged)')
            return False
        except (lib.ImapError, EOFError):
            return True
    lib.wait_until(held, 10, 0.2, "a connection of before changes nothing")
    assert refused(smtp.send, bob, [bob], mine) // 100 in (4, 5)


def test_closed(world):
    """No mail, and nobody but administrators; who opens it again, or destroys it. What was there is there again."""
    boss, bob = company(world)
    world.receive(bob, "Before")
    world.read(bob, "Before")
    client = world.sign_in(bob)
    closed = expect(boss.patch(TENANT, {"status": "closed"}, tenant=boss.tenant), 200)
    assert closed["status"] == "closed" and closed["destroyed"] > closed["created"]
    assert refused(world.receive, bob) == 550
    expect(client.get("/v1/me"), 401)
    expect(world.client().post("/v1/sessions", {"address": bob, "password": PASSWORD}), 401)
    assert "NO" in refused(world.imap, bob)
    assert refused(world.submit, bob, bob) == 535
    boss = world.sign_in("boss@" + bob.split("@")[1])
    expect(boss.get(PEOPLE, tenant=boss.tenant), 200)
    expect(boss.post(PEOPLE, {"address": "new@" + bob.split("@")[1], "name": "New"}, tenant=boss.tenant), 403)
    opened = expect(boss.patch(TENANT, {"status": "active"}, tenant=boss.tenant), 200)
    assert opened["status"] == "active" and opened.body.get("destroyed") is None
    assert "It works." in world.read(bob, "Before")
    world.receive(bob, "After")
    world.read(bob, "After")


def test_the_grace_ends(world):
    """Who administers a tenant does not destroy it; the operator does so before its time, which is then over."""
    boss, _ = company(world)
    expect(world.operator.delete(TENANT, tenant=boss.tenant), 409)
    closed = expect(boss.patch(TENANT, {"status": "closed"}, tenant=boss.tenant), 200)
    expect(boss.delete(TENANT, tenant=boss.tenant), 403)
    expect(world.operator.delete(TENANT, tenant=boss.tenant), 202)
    left = expect(world.operator.get(TENANT, tenant=boss.tenant), 200, 404)
    assert left.status == 404 or left["destroyed"] < closed["destroyed"], (closed, left)


def test_a_trial_does_not_end_by_itself(world):
    """Whoever is on trial does not make themselves active; the operator does."""
    client = world.client()
    waiting = expect(client.post("/v1/signup", {"company": "Trial", "address": "ann@trial.test", "name": "Ann", "password": PASSWORD}), 201)
    client.token = waiting["token"]
    world.names.txt(waiting["proof"]["record"]["name"], waiting["proof"]["record"]["value"])
    expect(client.post("/v1/signup/{signup}/verify", {}, signup=waiting["id"]), 200)
    ann = world.sign_in("ann@trial.test")
    assert re.match(r"\d{4}-\d\d-\d\dT", expect(ann.get(TENANT, tenant=ann.tenant), 200)["trial_ends"])
    expect(ann.patch(TENANT, {"status": "active"}, tenant=ann.tenant), 403)
    # Not by closing and opening it, either.
    expect(ann.patch(TENANT, {"status": "closed"}, tenant=ann.tenant), 200)
    ann = world.sign_in("ann@trial.test")
    said = ann.patch(TENANT, {"status": "active"}, tenant=ann.tenant)
    assert said.status == 403 or said["status"] == "trial", said
    active = expect(world.operator.patch(TENANT, {"status": "active"}, tenant=ann.tenant), 200)
    assert active["status"] == "active" and active.body.get("trial_ends") is None, active


def test_the_pool_is_the_operator_s(world):
    """Nothing of a change is done where a part of it is refused."""
    boss, _ = company(world)
    before = expect(boss.get(TENANT, tenant=boss.tenant), 200)
    expect(boss.patch(TENANT, {"name": "Renamed", "pool": "fast"}, tenant=boss.tenant), 403)
    assert expect(boss.get(TENANT, tenant=boss.tenant), 200).body == before.body
    assert expect(world.operator.patch(TENANT, {"pool": "fast"}, tenant=boss.tenant), 200)["pool"] == "fast"
    assert expect(world.operator.patch(TENANT, {"pool": None}, tenant=boss.tenant), 200).body.get("pool") is None


def test_a_person_comes_back(world):
    """Deleted: no sign-in, no mail, the address is free. Restored: the same id, with the mail that was there."""
    boss, bob = company(world)
    world.receive(bob, "Before")
    world.read(bob, "Before")
    client = world.sign_in(bob)
    person = client.person
    expect(boss.delete(PERSON, tenant=boss.tenant, person=person), 204)
    expect(client.get("/v1/me"), 401)
    expect(boss.get(PERSON, tenant=boss.tenant, person=person), 404)
    assert refused(world.receive, bob) == 550
    assert "NO" in refused(world.imap, bob)
    deleted = expect(boss.get(TENANT + "/deleted", tenant=boss.tenant), 200)["items"]
    assert [(one["id"], one["address"], one["kind"]) for one in deleted] == [(person, bob, "person")]
    expect(boss.post(TENANT + "/deleted/{deleted}/restore", tenant=boss.tenant, deleted=person), 204)
    assert expect(boss.get(PERSON, tenant=boss.tenant, person=person), 200)["address"] == bob
    assert expect(boss.get(TENANT + "/deleted", tenant=boss.tenant), 200)["items"] == []
    expect(world.client().post("/v1/sessions", {"address": bob, "password": PASSWORD}), 401)
    expect(boss.put(PERSON + "/password", {"password": PASSWORD}, tenant=boss.tenant, person=person), 204)
    assert "It works." in world.read(bob, "Before")
    world.receive(bob, "After")
    world.read(bob, "After")


def test_an_address_that_somebody_else_has_now(world):
    """Whoever comes back does not take an address from whom it was given meanwhile."""
    boss, bob = company(world)
    person = world.sign_in(bob).person
    expect(boss.delete(PERSON, tenant=boss.tenant, person=person), 204)
    expect(boss.post(PEOPLE, {"address": bob, "name": "The next Bob", "password": PASSWORD}, tenant=boss.tenant), 201)
    expect(boss.post(TENANT + "/deleted/{deleted}/restore", tenant=boss.tenant, deleted=person), 409)
    imap = world.imap(bob)
    assert imap.select("INBOX")["exists"] == 0
    imap.close()


def test_keys_change_and_mail_stays(world):
    """After a new data key what was stored before is read, and so is what comes then."""
    boss, bob = company(world)
    made = expect(boss.post(PERSON + "/app-passwords", {"name": "Old"}, tenant=boss.tenant, person=world.sign_in(bob).person), 201)
    world.receive(bob, "Before")
    world.read(bob, "Before")
    for version in (2, 3):
        assert expect(boss.post(TENANT + "/rotate-key", tenant=boss.tenant), 200)["version"] == version
        world.receive(bob, f"After {version}")
        for subject in ("Before", f"After {version}"):
            assert "It works." in world.read(bob, subject, made["password"])
