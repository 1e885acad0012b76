"""Who may do what: every operation of the description, by every caller, in their own tenant and in another's.

What is expected stands in matrix.json; an operation that is missing there fails the suite.
"""
import json
import time

from company import PEOPLE, PERSON, TENANT, me, request
from matrix import CALLERS, PARTS, SOMEBODY_S, TABLE, allowed, matrix, missing_id, operations, without
from penfold_api import expect
from world import OTHER_PASSWORD, PASSWORD


def test_the_table_is_whole(world):
    """Every operation has its row, and every row its operation."""
    found, rows = {f"{method} {path}" for method, path in operations(world)}, TABLE["operations"]
    assert found == set(rows), f"not in matrix.json: {sorted(found - set(rows))}; not in the description: {sorted(set(rows) - found)}"
    odd = [key for key, row in rows.items() if len(row.replace(" ", "")) != len(CALLERS) or set(row) - set(".x ")]
    assert not odd, odd


def test_in_their_own_tenant(world):
    """Who may is let through, and it is done; who may not is refused before anything else is looked at."""
    m = matrix(world)
    begin = time.monotonic()
    for method, path in m.operations:
        key = f"{method} {path}"
        if key not in TABLE["operations"]:
            continue
        public = set(TABLE["operations"][key]) == {"x", " "}
        for name in ("nobody", "tenant-administrator") if public else CALLERS:
            may = allowed(key, name)
            one = (me(m.own, method, path, m.callers[name]) if may and hasattr(m.callers[name], "address") else None) or request(m.own, method, path, used_up=may)
            said = m.ask(name, method, path, one)
            m.done["tried"] += 1
            if may and said.status // 100 == 2:
                m.done["done"] += 1
            elif may:
                m.missing.append(f"{name} may: {said}")
            elif said.status != (401 if name == "nobody" else 403) and not (said.status == 404 and name in PARTS):
                m.leaks.append(f"{name} may not: {said}")
    print(f"api matrix: {len(m.operations)} operations by {len(CALLERS)} callers, {m.done['done']} of {m.done['tried']} done as they should ({time.monotonic() - begin:.1f} s)")
    assert not m.leaks and not m.missing, "\n".join(m.leaks + m.missing)
    assert m.done["done"] > m.done["tried"] / 4, "a matrix in which nothing is done proves nothing"


def test_in_another_tenant(world):
    """Another's tenant is not there, and is told apart from one that does not exist by nothing."""
    m, tried = matrix(world), 0
    m.leaks.clear()
    nowhere = missing_id(m.other.tenant)
    for method, path in m.operations:
        if "{tenant}" not in path:
            continue
        one = request(m.other, method, path, used_up=False)
        for name in CALLERS:
            if name == "the operator":
                continue
            said = m.ask(name, method, path, one)
            tried += 1
            if said.status != (401 if name == "nobody" else 404) and not (f"{method} {path}" == f"DELETE {TENANT}" and said.status == 403):
                m.leaks.append(f"{name}: {said}")
            elif name != "nobody":
                gone = m.ask(name, method, path, one, tenant=nowhere)
                if without(said, m.other.tenant) != without(gone, nowhere):
                    m.leaks.append(f"{name} tells them apart: {said} {gone}")
    print(f"api matrix: {tried} requests to another tenant, {len(m.leaks)} leaks")
    assert not m.leaks, "\n".join(m.leaks)


def test_with_ids_of_another_tenant(world):
    """In one's own tenant, what is another's is not there: the answer is that to an id that was never given."""
    m, tried = matrix(world), 0
    m.leaks.clear()
    for method, path in m.operations:
        key = f"{method} {path}"
        for name in [name for name in SOMEBODY_S if "{" + name + "}" in path]:
            theirs = request(m.other, method, path, used_up=False).named[name]
            nobodys, one = missing_id(theirs), request(m.own, method, path, used_up=False)
            for caller in CALLERS:
                said, gone = (m.ask(caller, method, path, one, **{name: value}) for value in (theirs, nobodys))
                tried += 1
                expected = (401,) if caller == "nobody" else (404,) if allowed(key, caller) else (403, 404)
                # Taking out who is not in is no mistake anywhere else, and tells nothing where both are answered alike.
                if said.status not in expected or without(said, theirs) != without(gone, nobodys):
                    m.leaks.append(f"{caller}, {name} of another: {said}\n   and of nobody: {gone}")
    print(f"api matrix: {tried} requests with ids of another tenant, {len(m.leaks)} leaks")
    assert not m.leaks, "\n".join(m.leaks)


def test_outside_of_their_part(world):
    """A role for a domain or a group reaches nobody outside, neither by id nor in lists nor by a new address."""
    m, tried = matrix(world), 0
    m.leaks.clear()
    for method, path in m.operations:
        # What people do with groups as people is not by a role.
        for name in [name for name in ("person", "group", "mailbox") if "{" + name + "}" in path and not path.startswith("/v1/me/")]:
            one = request(m.own, method, path, used_up=False)
            for caller in PARTS:
                said = m.ask(caller, method, path, one, **{name: m.own.far[name]})
                gone = m.ask(caller, method, path, one, **{name: missing_id(m.own.far[name])})
                tried += 1
                if said.status not in (403, 404) or without(said) != without(gone):
                    m.leaks.append(f"{caller}, {name} outside: {said}\n   and nobody: {gone}")
    for caller in PARTS:
        client = m.callers[caller]
        for path, kind in ((PEOPLE, "person"), (TENANT + "/groups", "group"), (TENANT + "/shared-mailboxes", "mailbox")):
            seen = [one["id"] for one in expect(client.get(path, query={"limit": 200}, tenant=m.own.tenant), 200)["items"]]
            if m.own.far[kind] in seen or m.own.things[kind] not in seen:
                m.leaks.append(f"{caller} sees in {path}: {seen}")
            said = client.post(path, {"address": f"n{world.number()}@{m.own.domain}", "name": "New"}, tenant=m.own.tenant)
            if said.status != 403:
                m.leaks.append(f"{caller}: {said}")
    # Nor does anybody take in whom they do not reach.
    far = f"far@{m.own.domain}"
    for caller in ("recipient-management of a domain", "recipient-management of a group"):
        said = m.callers[caller].post(TENANT + "/groups/{group}/members", {"addresses": [far]}, **m.own.things)
        if said.status not in (403, 404):
            m.leaks.append(f"{caller} takes {far} in: {said}")
        for to in (far, m.callers[caller].address, "anyone"):
            said = m.callers[caller].put(PERSON + "/folders/{folder}/rights/{address}", {"role": "reviewer"}, **(m.own.things | {"address": to}))
            if said.status not in (403, 404):
                m.leaks.append(f"{caller} opens a folder to {to}: {said}")
        said = m.callers[caller].post(PERSON + "/aliases", {"address": f"n{world.number()}@{m.own.domain}"}, **m.own.things)
        if said.status not in (403, 404):
            m.leaks.append(f"{caller} gives an address of another domain: {said}")
    print(f"api matrix: {tried} requests outside of a part, {len(m.leaks)} leaks")
    assert not m.leaks, "\n".join(m.leaks)


def test_nobody_rises(world):
    """Whoever resets an administrator's password could be them; so nobody does who is not one. And nobody gives roles but they."""
    m, own = matrix(world), matrix(world).own
    boss = world.person(own.tenant, f"boss{world.number()}@{own.part}", "tenant-administrator")
    own.join(expect(own.by.get(PERSON, tenant=own.tenant, person=boss), 200)["address"])
    place, wrong = {"tenant": own.tenant, "person": boss}, []
    for name in CALLERS[1:-1]:
        if name == "tenant-administrator":
            continue
        for method, path, body in (("PUT", PERSON + "/password", {"password": OTHER_PASSWORD}), ("DELETE", PERSON + "/second-factor", None), ("POST", PERSON + "/app-passwords", {"name": "X"}),
                                   ("PATCH", PERSON, {"recovery_address": "eve@elsewhere.test"}), ("PATCH", PERSON, {"status": "suspended"}), ("DELETE", PERSON, None),
                                   ("DELETE", PERSON + "/sessions", None), ("PUT", PERSON + "/delegates/{address}", {"right": "as"}), ("PUT", PERSON + "/roles", {"roles": []})):
            said = m.callers[name].ask(method, path, body, address=own.address, **place)
            if said.status not in (403, 404):
                wrong.append(f"{name}: {said}")
        client = m.callers[name]
        if hasattr(client, "person"):
            said = client.put(PERSON + "/roles", {"roles": [{"role": "tenant-administrator"}]}, tenant=own.tenant, person=client.person)
            if said.status not in (403, 404):
                wrong.append(f"{name} rises: {said}")
    # Nor by becoming somebody of more roles than one's own, below an administrator.
    reader = world.person(own.tenant, f"reader{world.number()}@{own.part}", "compliance")
    said = m.callers["help-desk"].put(PERSON + "/password", {"password": OTHER_PASSWORD}, tenant=own.tenant, person=reader)
    if said.status != 403:
        wrong.append(f"help-desk becomes compliance: {said}")
    # Nor by a group that a role is for: who manages recipients puts nobody into their own reach.
    members, keeper = TENANT + "/groups/{group}/members", m.callers["recipient-management of a group"]
    said = keeper.post(members, {"addresses": [f"far@{own.domain}"]}, tenant=own.tenant, group=own.crew)
    if said.status not in (403, 404):
        wrong.append(f"recipient-management of a group makes it larger: {said}")
    assert not wrong, "\n".join(wrong)
    world.sign_in(expect(own.by.get(PERSON, **place), 200)["address"])


def test_what_a_body_names(world):
    """Groups, domains and people of another tenant are not there in a body, either."""
    m, wrong = matrix(world), []
    own, other, boss = m.own, m.other, m.callers["tenant-administrator"]
    for kind, theirs in (("group", other.crew), ("domain", other.domain)):
        said, gone = (boss.put(PERSON + "/roles", {"roles": [{"role": "help-desk", kind: value}]}, **own.things) for value in (theirs, missing_id(theirs)))
        if said.status // 100 == 2 or without(said, theirs) != without(gone, missing_id(theirs)):
            wrong.append(f"a role for the {kind} of another: {said} {gone}")
    theirs, nobodys = f"target@{other.part}", "target@gone.test"
    for path, body in ((TENANT + "/shared-mailboxes/{mailbox}/members", lambda who: {"addresses": [who]}), (TENANT + "/groups/{group}/members", lambda who: {"addresses": [who]}),
                       (PEOPLE, lambda who: {"address": who, "name": "X"}), (PERSON + "/aliases", lambda who: {"address": who}),
                       (TENANT + "/groups", lambda who: {"address": who, "name": "X"}), (TENANT + "/shared-mailboxes", lambda who: {"address": who, "name": "X"})):
        said, gone = (boss.post(path, body(who), **own.things) for who in (theirs, nobodys))
        outside = path.endswith("/groups/{group}/members")
        if (said.status // 100 == 2) != outside or without(said, theirs, other.part) != without(gone, nobodys, "gone.test"):
            wrong.append(f"{path} with an address of another: {said} {gone}")
    said, gone = (boss.patch(TENANT + "/groups/{group}", {"who_may_post": "named", "add_posters": [who]}, **own.things) for who in (theirs, nobodys))
    if said.status != gone.status:
        wrong.append(f"posters: {said} {gone}")
    for field in ("recipient", "sender"):
        said, gone = (boss.get(TENANT + "/trace", query={field: who}, **own.things) for who in (theirs, nobodys))
        if without(said) != without(gone):
            wrong.append(f"trace by {field}: {said} {gone}")
    assert not wrong, "\n".join(wrong)


def test_the_last_administrator_stays(world):
    """By no way does a tenant lose the last of them."""
    tenant = world.tenant("Small Ltd", "small.test")
    world.person(tenant, "ann@small.test", "tenant-administrator")
    ann, wrong = world.sign_in("ann@small.test"), []
    place = {"tenant": tenant, "person": ann.person}
    for by in (ann, world.operator):
        for method, path, body in (("PUT", PERSON + "/roles", {"roles": []}), ("PUT", PERSON + "/roles", {"roles": [{"role": "tenant-administrator", "domain": "small.test"}]}),
                                   ("DELETE", PERSON, None), ("PATCH", PERSON, {"status": "suspended"})):
            said = by.ask(method, path, body, **place)
            if said.status // 100 == 2:
                wrong.append(repr(said))
                # As it was, for what is tried next.
                world.operator.patch(PERSON, {"status": "active"}, **place)
                world.operator.post(TENANT + "/deleted/{deleted}/restore", tenant=tenant, deleted=ann.person)
                world.operator.put(PERSON + "/password", {"password": PASSWORD}, **place)
                world.operator.put(PERSON + "/roles", {"roles": [{"role": "tenant-administrator"}]}, **place)
    assert not wrong, "\n".join(wrong)
    bob = world.person(tenant, "bob@small.test", "tenant-administrator")
    expect(ann.put(PERSON + "/roles", {"roles": []}, **place), 200)
    expect(ann.get(PEOPLE, tenant=tenant), 403)
    expect(world.sign_in("bob@small.test").delete(PERSON, tenant=tenant, person=ann.person), 204)
    assert bob


def test_acts_are_in_the_audit_log(world):
    """Whoever did it, under their own name; in one chain without a gap."""
    own = matrix(world).own
    reader = matrix(world).callers["compliance"]
    entries, cursor = [], None
    while True:
        page = expect(reader.get(TENANT + "/audit", query={"limit": 200, **({"cursor": cursor} if cursor else {})}, tenant=own.tenant), 200)
        entries, cursor = entries + page["items"], page.body.get("next")
        if not cursor:
            break
    numbers = [one["number"] for one in entries]
    assert numbers == list(range(len(numbers), 0, -1)), numbers[:20]
    proof = expect(reader.get(TENANT + "/audit/verify", tenant=own.tenant), 200)
    assert proof["whole"] is True and (proof["number"], proof["hash"]) == (numbers[0], entries[0]["hash"]), (proof, entries[0])
    acts = {one["act"] for one in entries}
    assert {"person.create", "person.delete", "role.set", "password.set", "group.create"} <= acts, sorted(acts)
    actors = {one["actor"] for one in entries}
    assert matrix(world).callers["recipient-management"].address in actors and any(actor.startswith("operator ") for actor in actors), sorted(actors)
    assert PASSWORD not in json.dumps(entries)
