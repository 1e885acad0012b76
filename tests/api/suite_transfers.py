"""Imports and exports: people by the thousand, each bad row reported; mailboxes as archives; killed in the middle."""
import io
import os
import tarfile
import time

import penfold_testlib as lib
from company import CSV, EXPORT, EXPORTS, IMPORT, IMPORTS, TENANT
from penfold_api import expect
from world import PASSWORD, PEOPLE

ROWS = int(os.environ.get("API_ROWS", "100000"))


class House:
    """A tenant and its administrator."""

    def __init__(self, world):
        self.world, n = world, world.number()
        self.domain = f"t{n}.test"
        self.tenant = world.tenant(f"Transfers {n}", self.domain)
        self.boss = f"boss@{self.domain}"
        world.person(self.tenant, self.boss, "tenant-administrator")
        self.client = world.sign_in(self.boss)

    def ask(self, method, path, body=None, *statuses, fields=None, query=None, **named):
        return expect(self.client.ask(method, path, body, fields=fields, query=query, tenant=self.tenant, **named), *statuses)

    def order(self, file, status=202, **how):
        one = self.ask("POST", IMPORTS, how, 201)["id"]
        self.ask("PUT", IMPORT + "/content", file, status, fields=CSV, **{"import": one})
        return one

    def ended(self, one, path=IMPORT, seconds=600):
        name, seen = path.rsplit("{", 1)[1][:-1], []

        def found():
            now = self.ask("GET", path, None, 200, **{name: one})
            seen.append((now["done"], now["failed"]))
            return now if now["state"] not in ("uploading", "waiting", "running") else None
        now = lib.wait_until(found, seconds, 0.25, f"the end of the {name}")
        assert seen == sorted(seen), f"progress goes one way: {seen}"
        return now.body, len(set(seen))

    def problems(self, one, path=IMPORT):
        name, found, cursor = path.rsplit("{", 1)[1][:-1], [], None
        while True:
            page = self.ask("GET", path + "/problems", None, 200, query={"cursor": cursor} if cursor else None, **{name: one})
            found += page["items"]
            cursor = page.body.get("next")
            if not cursor:
                return found

    def export(self, **order):
        one = self.ask("POST", EXPORTS, order, 202)["id"]
        now, _ = self.ended(one, EXPORT)
        assert (now["state"], now["failed"]) == ("done", 0), now
        return now

    def download(self, one, status=200, **fields):
        """Octets, as they are."""
        line = self.client
        said = line.ask("GET", EXPORT + "/content", fields=fields, tenant=self.tenant, export=one)
        return expect(said, status)


def test_a_large_file_of_people(world):
    """Every hundredth row is wrong: those are reported with their lines, and all others are people who sign in and get mail."""
    house = House(world)
    bad = {
        0: ("nowhere,{n},\r\n", "address"), 1: ("p{n}@elsewhere.test,{n},\r\n", "address"), 2: (f"{house.boss},{{n}},\r\n", "address"),
        3: ("p{n}@" + house.domain + ",,\r\n", "name"), 4: ("p{n}@" + house.domain + ",{n},lots\r\n", "quota"),
    }
    rows, wrong = ["address,name,quota\r\n"], {}
    for n in range(1, ROWS + 1):
        if n % 100 == 0:
            text, column = bad[n // 100 % 5]
            rows.append(text.format(n=n))
            wrong[n + 1] = column
        else:
            rows.append(f"p{n}@{house.domain},\"Person {n}, of many\",{1000 + n}\r\n")
    file, begin = "".join(rows).encode(), time.monotonic()
    one = house.order(file)
    uploaded = time.monotonic() - begin
    now, looks = house.ended(one)
    took = time.monotonic() - begin
    assert (now["state"], now["done"], now["failed"], now["octets_done"]) == ("done", ROWS - len(wrong), len(wrong), len(file)), now
    found = house.problems(one)
    assert {one["line"]: one["column"] for one in found} == wrong and len(found) == len(wrong)
    assert all(one["detail"] for one in found)
    print(f"api transfers: {ROWS} rows of which {len(wrong)} are wrong: {len(file) >> 20} MiB uploaded in {uploaded:.1f} s, all done after {took:.1f} s, {ROWS / took:.0f} rows/s, "
          f"{looks} different states seen on the way")
    last = house.ask("GET", PEOPLE, None, 200, query={"q": f"p{ROWS - 1}@", "limit": 200})
    world.receive(f"p{ROWS - 1}@{house.domain}", "To one of many")
    proof = house.ask("GET", TENANT + "/audit/verify", None, 200)
    assert proof["whole"] and proof["number"] > ROWS * 0.9, proof
    assert last.status == 200


def test_what_came_in_signs_in_and_comes_out(world):
    house = House(world)
    file = f"address;name;password;aliases\r\nann@{house.domain};Ann;{PASSWORD};a.n@{house.domain} an@{house.domain}\r\nbob@{house.domain};Böb \"B\"\"b\";;\r\n"
    now, _ = house.ended(house.order("\ufeff".encode() + file.encode()))
    assert (now["state"], now["done"], now["failed"]) == ("done", 2, 0), now
    world.receive(f"an@{house.domain}", "To an alias")
    world.read(f"ann@{house.domain}", "To an alias")
    out = house.export(kind="people")
    text = house.download(out["id"])
    assert text.fields["content-type"].startswith("text/csv") and len(text.text.encode()) == out["octets"]
    # It reads back the same: nobody is another afterwards, but those with roles are left alone.
    back, _ = house.ended(house.order(text.text.encode(), existing="update"))
    assert (back["done"], back["failed"]) == (2, 1), house.problems(back["id"])
    assert house.download(house.export(kind="people")["id"]).text == text.text
    acts = [one["act"] for one in house.ask("GET", TENANT + "/audit", None, 200, query={"limit": 200})["items"]]
    assert {"import.order", "export.order", "export.download", "person.create"} <= set(acts) and "person.update" not in acts, acts


def test_a_rehearsal(world):
    house = House(world)
    file = f"address,name\nann@{house.domain},Ann\nnowhere,X\n".encode()
    now, _ = house.ended(house.order(file, rehearse=True))
    assert (now["state"], now["done"], now["failed"]) == ("done", 1, 1), now
    assert [one["address"] for one in house.ask("GET", PEOPLE, None, 200)["items"]] == [house.boss]


def test_files_that_are_none(world):
    house = House(world)
    for file, words in ((b"", "empty"), (b"name\nAnn\n", "address is missing"), (b"address,salary\n", "there are address, name"), (b"PK\x03\x04", "no column")):
        one = house.ask("POST", IMPORTS, {}, 201)["id"]
        said = house.ask("PUT", IMPORT + "/content", file, 422, fields=CSV, **{"import": one})
        assert words in said["errors"][0]["detail"], said
        house.ask("POST", IMPORT + "/cancel", None, 200, **{"import": one})
    one = house.ask("POST", IMPORTS, {}, 201)["id"]
    house.ask("PUT", IMPORT + "/content", b"address\n", 415, fields={"Content-Type": "application/zip"}, **{"import": one})
    house.ask("PUT", IMPORT + "/content", b"address\n" + b"x" * (65 << 20), 413, fields=CSV, **{"import": one})
    house.ask("PUT", IMPORT + "/content", b"address,name\n", 202, fields=CSV, **{"import": one})
    house.ask("PUT", IMPORT + "/content", b"address,name\n", 409, fields=CSV, **{"import": one})


def test_a_mailbox(world):
    """Every message, as it is, in an archive that others open; whole and in ranges; and a note in the audit log."""
    house = House(world)
    for n in range(3):
        world.receive(house.boss, f"Letter {n}")
        world.read(house.boss, f"Letter {n}")
    person = house.client.person
    out = house.export(kind="mailbox", mailbox=person)
    assert out["done"] == out["total"] == 3
    whole = raw(house, out["id"])
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        texts = [archive.extractfile(one).read().decode() for one in archive.getmembers()]
    assert sorted(text.split("Subject: ")[1].split("\r\n")[0] for text in texts) == ["Letter 0", "Letter 1", "Letter 2"]
    assert raw(house, out["id"], 206, "bytes=512-1023") == whole[512:1024] and raw(house, out["id"], 206, "bytes=-10") == whole[-10:]
    house.download(out["id"], 416, Range=f"bytes={len(whole)}-")
    acts = [(one["act"], one["detail"]) for one in house.ask("GET", TENANT + "/audit", None, 200)["items"]]
    assert ("export.order", f"mailbox {house.boss}") in acts, acts
    # Who takes people in does not read their mail.
    world.person(house.tenant, f"rm@{house.domain}", "recipient-management")
    manager = world.sign_in(f"rm@{house.domain}")
    expect(manager.post(EXPORTS, {"kind": "mailbox", "mailbox": person}, tenant=house.tenant), 403)
    expect(manager.get(EXPORT + "/content", tenant=house.tenant, export=out["id"]), 403)
    other = House(world)
    said, nobody = (house.ask("POST", EXPORTS, {"kind": "mailbox", "mailbox": one}, 422) for one in (other.client.person, other.tenant))
    assert said.text == nobody.text, "another's mailbox is not there"


def raw(house, one, status=200, asked=None):
    """Octets: the client reads text."""
    import urllib.request
    fields = {"Authorization": f"Bearer {house.client.token}", **({"Range": asked} if asked else {})}
    url = f"http://127.0.0.1:{house.world.port['http']}/v1/tenants/{house.tenant}/exports/{one}/content"
    with urllib.request.urlopen(urllib.request.Request(url, headers=fields), timeout=60) as answer:
        assert answer.status == status
        return answer.read()


def test_of_a_closed_tenant_everything_comes_out(world):
    house = House(world)
    one = house.ask("POST", IMPORTS, {}, 201)["id"]
    expect(world.operator.ask("PATCH", TENANT, {"status": "closed"}, tenant=house.tenant), 200)
    house.ask("PUT", IMPORT + "/content", b"address,name\n", 403, fields=CSV, **{"import": one})
    house.ask("POST", IMPORTS, {}, 403)
    assert house.boss in house.download(house.export(kind="people")["id"]).text


def test_killed_in_the_middle(world):
    """Each row is taken in once, and nobody is reported who was taken in before the end."""
    house, count, kills = House(world), 20_000, 0
    file = "address,name\n" + "".join(f"k{n}@{house.domain},Person {n}\n" if n % 50 else f"nowhere{n},X\n" for n in range(count))
    one = house.order(file.encode())
    while kills < 4:
        before = house.ask("GET", IMPORT, None, 200, **{"import": one})["done"]

        def moved():
            now = house.ask("GET", IMPORT, None, 200, **{"import": one})
            return now["done"] > before or now["state"] == "done"
        lib.wait_until(moved, 120, 0.05, "the import goes on")
        world.server.kill()
        world.server.start()
        world.port = world.server.port
        house.client.close()
        house.client.port = world.port["http"]
        kills += 1
    now, _ = house.ended(one)
    assert (now["state"], now["done"], now["failed"]) == ("done", count - count // 50, count // 50), now
    assert [one["line"] for one in house.problems(one)] == [n + 2 for n in range(0, count, 50)]
    print(f"api transfers: {count} rows with {kills} kills in between, each taken in once")
