"""The description as people use it: examples that are taken as they stand, and answers that are as they are described."""
from company import CONTACTS, IMAGE, LOGO, PERSON, TENANT, Company, me, request, reset, sign_up
from penfold_api import expect, totp
from penfold_openapi import Description
from world import PASSWORD

_town = []


# What only its owner finds.
OWN = ("/v1/me/groups/{group}", "/v1/me/links", "/v1/me/subscriptions", "/v1/me/imports", "/v1/me/exports")


def own(company, method, path, caller):
    return path.startswith(OWN) and me(company, method, path, caller) or request(company, method, path, used_up=True)


class Town:
    """The world that the examples speak of: example.test, where ann is the administrator."""

    def __init__(self, world):
        self.world, self.description = world, Description(expect(world.client().get("/v1/openapi.json"), 200).body)
        self.company = Company(world, "Examples", "example.test", "side.test")
        world.person(self.company.tenant, "ann@example.test", "tenant-administrator")

    def ann(self):
        ann = self.world.sign_in("ann@example.test")
        ann.world, ann.address = self.world, "ann@example.test"
        return ann

    def ask(self, method, path, operation, example):
        """As it stands, but for what is made anew each time: ids, codes and tokens of letters."""
        needs, company = operation["x-permission"], self.company
        client = self.world.client() if needs == "public" else company.by if needs == "operator" else self.ann()
        one = sign_up(company, proved=False) if "{signup}" in path else own(company, method, path, client)
        if "collection" in example:
            example = {**example, "collection": one.body["collection"]}
        if path.endswith("/second-factor/confirm"):
            example = {**example, "code": totp(expect(client.post("/v1/me/second-factor", {"password": PASSWORD}), 200)["secret"])}
        if path.endswith("/password-resets/finish"):
            example = {**example, "token": reset(company)}
        kind, _ = self.description.body(operation)
        if kind != "application/json":
            example, one.fields = example.encode(), {"Content-Type": kind}
        said = client.ask(method, path, example, fields=one.fields, **one.named)
        # As it was, for the next example.
        if path == "/v1/me/password":
            self.company.ask("PUT", PERSON + "/password", {"password": PASSWORD}, 204, person=client.person)
        if path.endswith("/second-factor/confirm"):
            expect(client.post("/v1/me/second-factor/remove", {"password": PASSWORD}), 204)
        return said


def town(world):
    if not _town or _town[0].world is not world:
        _town[:] = [Town(world)]
    return _town[0]


def test_the_description_is_sound(world):
    """Names that are one operation's each, an answer and a permission for each, and nothing that is described nowhere."""
    description = town(world).description
    assert description.document["openapi"].startswith("3.1")
    seen, wrong = {}, []
    schemas = description.document["components"]["schemas"]
    for method, path, operation in description.operations():
        seen.setdefault(operation.get("operationId"), []).append(f"{method} {path}")
        if not operation.get("summary") or not operation.get("x-permission"):
            wrong.append(f"{method} {path} has no summary or no permission")
        if not any(status.startswith("2") for status in operation["responses"]) or "default" not in operation["responses"]:
            wrong.append(f"{method} {path} has no answer")
        wrong += [f"{method} {path}: its {status} has no description" for status, answer in operation["responses"].items() if not answer.get("description")]
        named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        if named != {part.split("}")[0] for part in path.split("{")[1:]}:
            wrong.append(f"{method} {path} has the parameters {named}")
        if (operation["x-permission"] == "public") == bool(operation.get("security")):
            wrong.append(f"{method} {path} is {operation['x-permission']}, with security {operation.get('security')}")
    wrong += [f"{name} is the name of {all_of}" for name, all_of in seen.items() if len(all_of) > 1 or not name]

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)
    used = {one.rsplit("/", 1)[-1] for one in references(description.document)}
    wrong += [f"{name} is described nowhere" for name in used - set(schemas)]
    assert not wrong, "\n".join(wrong)


def test_every_example(world):
    """Every operation that takes a body has an example, which fits its description and is done as it stands."""
    t, wrong, done = town(world), [], 0
    for method, path, operation in t.description.operations():
        if "requestBody" not in operation:
            continue
        example = t.description.example(operation)
        if example is None and not t.description.takes_json(operation):
            continue
        if example is None:
            wrong.append(f"{method} {path} has no example")
            continue
        wrong += [f"{method} {path}: its example {fault}" for fault in t.description.faults(t.description.body(operation)[1]["schema"], example)]
        said = t.ask(method, path, operation, example)
        if said.status // 100 != 2:
            wrong.append(f"the example {example}: {said}")
        wrong += [f"{said}: {fault}" for fault in t.description.answer_faults(operation, said)]
        done += said.status // 100 == 2
    print(f"api examples: {done} examples are done as they stand")
    assert not wrong, "\n".join(wrong)


def test_everything_that_is_there(world):
    """Every GET answers 200 with what is described, and so does every change that takes no body."""
    t, wrong, done = town(world), [], 0
    ann = t.ann()
    for method, path, operation in t.description.operations():
        if "requestBody" in operation or "{signup}" in path and method != "GET":
            continue
        one = own(t.company, method, path, ann)
        if path == "/v1/sessions/{session}":
            one.named["session"] = t.ann().session
        if path == "/v1/me/app-passwords/{app_password}":
            one.named["app_password"] = expect(ann.post("/v1/me/app-passwords", {"name": "X"}), 201)["id"]
        if (method, path) == ("GET", "/v1/me/photo"):
            expect(ann.put(path, LOGO, fields=IMAGE), 204)
        client = t.company.by if operation["x-permission"] == "operator" else ann
        said = client.ask(method, path, fields=one.fields, **one.named)
        if said.status not in ((200,) if method == "GET" else (200, 202, 204)):
            wrong.append(repr(said))
        wrong += [f"{said}: {fault}" for fault in t.description.answer_faults(operation, said)]
        done += said.status // 100 == 2
    print(f"api examples: {done} requests without a body are answered as they are described")
    assert not wrong, "\n".join(wrong)


def test_what_is_made_is_found(world):
    """201 says where the new thing is, and there it is, with the same fields and the same tag."""
    t, wrong = town(world), []
    ann, company = t.ann(), t.company
    for path in (TENANT + "/people", TENANT + "/groups", TENANT + "/shared-mailboxes", CONTACTS, TENANT + "/domains", "/v1/tenants"):
        one = request(company, "POST", path, used_up=True)
        made = expect((company.by if path == "/v1/tenants" else ann).post(path, one.body, **one.named), 201)
        found = (company.by if path == "/v1/tenants" else ann).get(made.fields["location"])
        if found.status != 200 or found.body != made.body or found.fields.get("etag", made.fields["etag"]) != made.fields["etag"]:
            wrong.append(f"{made}\n   {found}")
    # What is listed is not more than what is found, nor something else.
    for path in (TENANT + "/people", TENANT + "/groups", TENANT + "/shared-mailboxes"):
        for one in expect(ann.get(path, tenant=company.tenant), 200)["items"]:
            found = expect(ann.get(f"{path}/{one['id']}", tenant=company.tenant), 200)
            differing = {name for name in one if one[name] != found.body[name]} - {"aliases", "posters", "owners"}
            if differing:
                wrong.append(f"{path}: {differing} of {one} and {found}")
    assert not wrong, "\n".join(wrong)


def test_a_problem_is_a_problem(world):
    """Whatever is wrong, the answer is described (RFC 9457), and names its field by a pointer into the body that was sent."""
    t, wrong = town(world), []
    ann = t.ann()
    for method, path, operation in t.description.operations():
        if not t.description.takes_json(operation):
            continue
        one = request(t.company, method, path, used_up=False)
        client = t.company.by if operation["x-permission"] == "operator" else ann
        for body, status in (({"surely-unknown": 1}, 422), ([], 422), (b"{", 400), (b"", 400)):
            said = client.ask(method, path, body, fields=one.fields, **one.named)
            # Without its own token a sign-up is not spoken of at all.
            if said.status != status or said.fields["content-type"] != "application/problem+json":
                wrong.append(f"{body}: {said}")
            elif status == 422 and isinstance(body, dict) and said.pointers != ["/surely-unknown"]:
                wrong.append(f"{body}: {said}")
            wrong += [f"{said}: {fault}" for fault in t.description.answer_faults(operation, said)]
    assert not wrong, "\n".join(wrong)
