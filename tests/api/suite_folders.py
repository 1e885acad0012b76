"""Rights to single folders: given by the API or over IMAP, they are the same; another client, imaplib, finds exactly what is open."""
import imaplib
import ssl

from penfold_api import expect
from world import PASSWORD, PEOPLE, PERSON

TENANT = "/v1/tenants/{tenant}"
MAILBOX = TENANT + "/shared-mailboxes/{mailbox}"
FOLDERS, RIGHTS = PERSON + "/folders", PERSON + "/folders/{folder}/rights"
RIGHT = RIGHTS + "/{address}"


class Office:
    """ann, who has folders; bob and cid, who may see some; boss, who gives rights; eve elsewhere."""

    def __init__(self, world):
        self.world, self.domain = world, f"f{world.number()}.test"
        self.tenant = world.tenant(f"Office {self.domain}", self.domain)
        world.person(self.tenant, self.of("boss"), "tenant-administrator")
        self.people = {name: world.person(self.tenant, self.of(name)) for name in ("ann", "bob", "cid")}
        self.boss = world.sign_in(self.of("boss"))
        self.ann = self.imap("ann")
        for name in ("Work", "Work/Deep", "Private"):
            self.done(self.ann.create(name))
            self.done(self.ann.append(name, None, None, f"Subject: in {name}\r\n\r\nIt works.\r\n".encode()))

    def of(self, name):
        return f"{name}@{self.domain}"

    def done(self, answer):
        kind, data = answer
        assert kind == "OK", answer
        return data

    def imap(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = imaplib.IMAP4_SSL("127.0.0.1", self.world.port["imaps"], ssl_context=context, timeout=30)
        client.login(self.of(name), PASSWORD)
        return client

    def place(self, folder="Work", owner="ann"):
        items = expect(self.boss.get(FOLDERS, tenant=self.tenant, person=self.people[owner]), 200)["items"]
        return {"tenant": self.tenant, "person": self.people[owner], "folder": next(one["id"] for one in items if one["path"] == folder)}

    def others(self, client):
        """The folders of others that a client sees and can select."""
        lines = [line.decode() for line in self.done(client.list('"Other Users"', "*")) if line]
        return sorted(line.split('"/" ')[1].strip('"').removeprefix("Other Users/") for line in lines if "Noselect" not in line)

    def name(self, folder):
        return f'"Other Users/{self.of("ann")}/{folder}"'


def test_given_by_the_api(world):
    """What is given is what is read back, what IMAP tells, and all that the other can do."""
    office = Office(world)
    boss, ann, bob = office.boss, office.ann, office.imap("bob")
    work = office.place()
    listed = expect(boss.get(FOLDERS, tenant=office.tenant, person=office.people["ann"]), 200)["items"]
    assert [(one["path"], one.get("use"), one["items"]) for one in listed if one["path"] in ("INBOX", "Work/Deep")] == [("INBOX", "inbox", 0), ("Work/Deep", None, 1)], listed
    assert {one["id"]: one["path"] for one in listed}[next(one["parent"] for one in listed if one["path"] == "Work/Deep")] == "Work"
    assert expect(boss.get(RIGHTS, **work), 200)["items"] == [] and office.others(bob) == []
    for role, letters in (("reviewer", "lr"), ("contributor", "li"), ("author", "lrsi"), ("publishing-author", "lrsik"), ("editor", "lrswite"), ("publishing-editor", "lrswikte"), ("owner", "lrswipkxtea")):
        expect(boss.put(RIGHT, {"role": role}, address=office.of("bob"), **work), 204)
        assert expect(boss.get(RIGHTS, **work), 200)["items"] == [{"address": office.of("bob"), "kind": "person", "name": "Somebody", "role": role, "rights": letters}]
        told = office.done(bob.myrights(office.name("Work")) if hasattr(bob, "myrights") else bob._simple_command("MYRIGHTS", office.name("Work")))
        assert told and office.others(bob) == [office.of("ann") + "/Work"]
        expect(boss.put(RIGHT, {"rights": letters[::-1]}, address=office.of("bob"), **work), 204)
        assert expect(boss.get(RIGHTS, **work), 200)["items"][0]["role"] == role
    expect(boss.put(RIGHT, {"rights": "lrx"}, address=office.of("bob"), **work), 204)
    assert expect(boss.get(RIGHTS, **work), 200)["items"][0] == {"address": office.of("bob"), "kind": "person", "name": "Somebody", "rights": "lrx"}
    # ann sees the same; what she changes is what the API tells.
    acl = office.done(ann.getacl("Work"))[0].decode()
    assert f"{office.of('bob')} lrxc" in acl and office.of("ann") in acl, acl
    office.done(ann.setacl("Work", office.of("bob"), "lrs"))
    assert expect(boss.get(RIGHTS, **work), 200)["items"][0]["rights"] == "lrs"
    office.done(bob.select(office.name("Work")))
    assert b"in Work" in office.done(bob.fetch("1", "(BODY[])"))[0][1]
    assert bob.select(office.name("Private"))[0] == bob.select(office.name("Nothing"))[0] == "NO"
    office.done(ann.deleteacl("Work", office.of("bob")))
    assert expect(boss.get(RIGHTS, **work), 200)["items"] == [] and office.others(bob) == []
    expect(boss.delete(RIGHT, address=office.of("bob"), **work), 404)


def test_each_right_by_the_second_client(world):
    """With one letter beside lookup and reading: one thing can be done, and nothing else."""
    office = Office(world)
    boss, bob, work = office.boss, office.imap("bob"), office.place()
    name, wrong, tried = office.name("Work"), [], 0
    tries = {
        "s": lambda: bob.store("1", "+FLAGS", "(\\Seen)"), "w": lambda: bob.store("1", "+FLAGS", "(\\Flagged)"), "t": lambda: bob.store("1", "+FLAGS", "(\\Deleted)"),
        "i": lambda: bob.append(name, None, None, b"Subject: x\r\n\r\nx\r\n"), "k": lambda: bob.create(office.name(f"Work/n{world.number()}")),
        "a": lambda: bob.getacl(name), "e": lambda: bob.expunge(),
    }
    for letter in tries:
        expect(boss.put(RIGHT, {"rights": "lr" + letter}, address=office.of("bob"), **work), 204)
        try:
            office.done(bob.select(name))
        except imaplib.IMAP4.readonly:
            # RFC 4314 §5.2: there is nothing that these rights change in it. The library would refuse to go on.
            bob.untagged_responses.pop("READ-ONLY")
        for needed, act in tries.items():
            kind, said = act()
            tried += 1
            if (kind == "OK") != (needed == letter) or kind == "NO" and b"NOPERM" not in said[0]:
                wrong.append(f"with lr{letter}, what needs {needed}: {kind} {said}")
    print(f"api folders: {tried} acts under 7 sets of rights, {len(wrong)} not as they should be")
    assert not wrong, "\n".join(wrong)


def test_groups_and_everybody(world):
    """Who comes into a group sees what it sees, who leaves it no longer; `anyone` is everybody here and nobody elsewhere."""
    office = Office(world)
    boss, bob, cid, work = office.boss, office.imap("bob"), office.imap("cid"), office.place()
    group = expect(boss.post(TENANT + "/groups", {"address": office.of("crew"), "name": "Crew"}, tenant=office.tenant), 201)["id"]
    expect(boss.put(RIGHT, {"role": "editor"}, address=office.of("crew"), **work), 204)
    assert office.others(bob) == []
    expect(boss.post(TENANT + "/groups/{group}/members", {"addresses": [office.of("bob")]}, tenant=office.tenant, group=group), 200)
    assert office.others(bob) == [office.of("ann") + "/Work"] and office.others(cid) == []
    office.done(bob.select(office.name("Work")))
    expect(boss.delete(TENANT + "/groups/{group}/members/{address}", tenant=office.tenant, group=group, address=office.of("bob")), 204)
    kind, said = bob.fetch("1", "(FLAGS)")
    assert kind == "NO" and b"NOPERM" in said[0], said
    private = office.place("Private")
    expect(boss.put(RIGHT, {"role": "reviewer"}, address="anyone", **private), 204)
    assert office.others(bob) == office.others(cid) == [office.of("ann") + "/Private"]
    assert expect(boss.get(RIGHTS, **private), 200)["items"][0] == {"address": "anyone", "kind": "anyone", "name": "", "role": "reviewer", "rights": "lr"}
    elsewhere = Office(world)
    assert elsewhere.others(elsewhere.imap("bob")) == []
    assert elsewhere.imap("bob").select(office.name("Private"))[0] == "NO"
    expect(boss.delete(RIGHT, address="anyone", **private), 204)
    assert office.others(bob) == office.others(cid) == []


def test_who_is_gone_comes_back_without(world):
    """A person who is deleted and restored finds nothing open; nor does a right stay in the list."""
    office = Office(world)
    boss, work = office.boss, office.place()
    expect(boss.put(RIGHT, {"role": "owner"}, address=office.of("bob"), **work), 204)
    expect(boss.delete(PERSON, tenant=office.tenant, person=office.people["bob"]), 204)
    assert expect(boss.get(RIGHTS, **work), 200)["items"] == []
    expect(boss.put(RIGHT, {"role": "owner"}, address=office.of("bob"), **work), 404)
    expect(boss.post(TENANT + "/deleted/{deleted}/restore", tenant=office.tenant, deleted=office.people["bob"]), 200, 204)
    expect(boss.put(PERSON + "/password", {"password": PASSWORD}, tenant=office.tenant, person=office.people["bob"]), 204)
    assert expect(boss.get(RIGHTS, **work), 200)["items"] == []
    assert office.others(office.imap("bob")) == []


def test_what_is_refused(world):
    """Wrong bodies name their field; nobody outside can be named; who saw an older list changes nothing; a rehearsal neither."""
    office = Office(world)
    boss, work = office.boss, office.place()
    bob = office.of("bob")
    for body, pointer in (({}, "/role"), ({"role": "reviewer", "rights": "lr"}, "/rights"), ({"rights": "lrq"}, "/rights"), ({"rights": "L"}, "/rights"), ({"rights": "r"}, "/rights"), ({"role": "emperor"}, "/role")):
        said = boss.put(RIGHT, body, address=bob, **work)
        assert said.status == 422 and said.pointers == [pointer], said
    other = Office(world)
    answers = [boss.put(RIGHT, {"role": "reviewer"}, address=who, **work) for who in (other.of("bob"), "nobody@nowhere.test", office.of("nobody"), "not-an-address")]
    assert {(said.status, said.text) for said in answers} == {(404, answers[0].text)}, answers
    assert boss.put(RIGHT, {"role": "reviewer"}, address=office.of("ann"), **work).status in (400, 409, 422)
    theirs = {**work, "folder": other.place()["folder"]}
    assert boss.get(RIGHTS, **theirs).status == boss.put(RIGHT, {"role": "reviewer"}, address=bob, **theirs).status == 404
    expect(boss.put(RIGHT, {"role": "owner"}, query={"dry_run": "true"}, address=bob, **work), 204)
    listed = expect(boss.get(RIGHTS, **work), 200)
    assert listed["items"] == []
    expect(boss.put(RIGHT, {"role": "reviewer"}, fields={"If-Match": listed.fields["etag"]}, address=bob, **work), 204)
    expect(boss.put(RIGHT, {"role": "owner"}, fields={"If-Match": listed.fields["etag"]}, address=bob, **work), 412)
    expect(boss.delete(RIGHT, fields={"If-Match": listed.fields["etag"]}, address=bob, **work), 412)
    assert expect(boss.get(RIGHTS, **work), 200)["items"][0]["role"] == "reviewer"


def test_of_a_shared_mailbox(world):
    """Whoever is no member sees the folders that are open, and no others."""
    office = Office(world)
    boss, tenant = office.boss, office.tenant
    mailbox = expect(boss.post(TENANT + "/shared-mailboxes", {"address": office.of("info"), "name": "Info"}, tenant=tenant), 201)["id"]
    expect(boss.post(MAILBOX + "/members", {"addresses": [office.of("ann")]}, tenant=tenant, mailbox=mailbox), 200)
    office.done(office.ann.create(f'"Other Users/{office.of("info")}/Cases"'))
    folders = {one["path"]: one["id"] for one in expect(boss.get(MAILBOX + "/folders", tenant=tenant, mailbox=mailbox), 200)["items"]}
    place = {"tenant": tenant, "mailbox": mailbox, "folder": folders["Cases"], "address": office.of("bob")}
    rights = MAILBOX + "/folders/{folder}/rights"
    expect(boss.put(rights + "/{address}", {"role": "editor"}, **place), 204)
    assert expect(boss.get(rights, **place), 200)["items"][0]["role"] == "editor"
    bob = office.imap("bob")
    assert office.others(bob) == [office.of("info") + "/Cases"]
    expect(boss.delete(rights + "/{address}", **place), 204)
    assert office.others(bob) == []


def test_it_is_all_noted(world):
    """Who gave what to whom, who looked at names, and who looked into another's folder, once a day."""
    office = Office(world)
    boss, work = office.boss, office.place()
    expect(boss.put(RIGHT, {"role": "reviewer"}, address=office.of("bob"), **work), 204)
    office.done(office.ann.setacl("Work", office.of("cid"), "lr"))
    bob = office.imap("bob")
    for _ in range(3):
        office.done(bob.select(office.name("Work"), readonly=True))
    items = expect(boss.get(TENANT + "/audit", query={"limit": 200}, tenant=office.tenant), 200)["items"]
    acts = [(one["act"], one["actor"], one["target"]) for one in items]
    # A rehearsal sees as much, and is noted as well.
    expect(boss.get(FOLDERS, query={"dry_run": "true"}, tenant=office.tenant, person=office.people["ann"]), 200)
    assert expect(boss.get(TENANT + "/audit", query={"limit": 1}, tenant=office.tenant), 200)["items"][0]["act"] == "mailbox.open"
    ann = office.of("ann")
    assert acts.count(("folder.rights", office.of("boss"), ann)) == 1 and acts.count(("folder.rights", ann, ann)) == 1, acts
    assert acts.count(("mailbox.open", office.of("bob"), ann)) == 1 and acts.count(("mailbox.open", office.of("boss"), ann)) == 1, acts
    text = [one["detail"] for one in items if one["act"] == "folder.rights"]
    assert any(office.of("bob") in one and one.endswith(" lr") for one in text) and all("Work" not in one for one in text), text
    assert expect(boss.get(TENANT + "/audit/verify", tenant=office.tenant), 200)["whole"] is True
    assert PEOPLE
