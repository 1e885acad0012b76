"""Schemathesis against the description that the server gives of itself: whatever is sent, the answer is one that is described, and no 5xx."""
import json
import os
import re
import subprocess
import sys
import time

from company import GROUP, MEMBERS, TENANT, Company, calendar, new_link, new_subscription, own_export, own_import, request, sign_up
from penfold_api import expect
from penfold_openapi import Description
from world import PASSWORD

HERE = os.path.dirname(os.path.abspath(__file__))
# Requests by chance for each operation, beside the boundaries of every field, which are always tried.
EXAMPLES = int(os.environ.get("API_EXAMPLES", "5"))
SEED = os.environ.get("API_SEED", "1")
# Not asked here, with the reason.
LEFT_OUT = {
    "POST /v1/sessions": "whoever guesses passwords waits, on purpose; suite_account looks at its answers",
    "POST /v1/password-resets": "each answer takes two seconds, on purpose; the same suite looks at it",
    "POST /v1/password-resets/finish": "the same for tokens of letters",
}
# Checks that are not for this service, with the reason.
NOT_CHECKED = {
    "positive_data_acceptance": "a description does not say which domains exist",
    "ignored_auth": "without a token everybody shares the limit of their network; suite_matrix asks every operation as nobody",
    "missing_required_header": "the same: requests of this suite always have a token",
    "object_level_authorization": "suite_matrix does it for all callers",
}
# What is never done in so many requests, with the reason.
NEVER_DONE = {"PUT /v1/me/imports/{import}/content": "no calendar is written by chance", "POST /v1/me/second-factor/confirm": "a code of the moment is not guessed", **{key: "an image is not found by chance" for key in ("PUT /v1/tenants/{tenant}/branding/logo", "PUT /v1/tenants/{tenant}/people/{person}/photo", "PUT /v1/me/photo")}, "GET /v1/me/photo": "there is one only where one was put", "POST /v1/me/links": "the id of a calendar of one's own is not found by chance"}
ADMINISTRATORS = 6


class Narrowed:
    """The description, in which ids are some that are there, addresses are in the company's domain and the password is the right one, so that more than
    refusals is seen. What is used up is not what the rest is asked of, and no tenant that is asked about is closed: so nobody locks themselves out."""

    def __init__(self, world, company, people):
        text = expect(world.client().get("/v1/openapi.json"), 200).text
        self.document = json.loads(text.replace("example.test", company.domain))
        waiting, self.left_out = sign_up(company, proved=False), []
        self.signup = waiting.fields["Authorization"].split()[1]
        # Whose sessions and app passwords are the ones that are named, and so the only one who can take them back.
        world.person(company.tenant, f"ann@{company.domain}")
        owner, other = (world.sign_in(f"ann@{company.domain}") for _ in range(2))
        theirs = {"sessions/{session}": ["DELETE"], "me/app-passwords/{app_password}": ["DELETE"], "me/links": ["POST"], "me/links/{link}": ["DELETE"],
            "me/subscriptions/{subscription}": ["GET", "PATCH", "DELETE"], "me/subscriptions/{subscription}/refresh": ["POST"]}
        for kind, one in (("imports", "{import}"), ("exports", "{export}")):
            theirs |= {f"me/{kind}": ["POST"], f"me/{kind}/{one}": ["GET", "DELETE"], f"me/{kind}/{one}/problems": ["GET"], f"me/{kind}/{one}/cancel": ["POST"]}
        theirs |= {"me/imports/{import}/content": ["PUT"], "me/exports/{export}/content": ["GET"]}
        self.of = {f"{method} /v1/{path}": owner.token for path, methods in theirs.items() for method in methods}
        own = {"signup": waiting.named["signup"], "session": other.session, "app_password": expect(owner.post("/v1/me/app-passwords", {"name": "X"}), 201)["id"], "link": new_link(owner)}
        # A group that those who ask own and are in, and that somebody wants to be in.
        asked = company.asker()
        ours = {"group": asked["group"], "address": f"ann@{company.domain}"}
        company.ask("PATCH", GROUP, {"add_owners": people}, 200, group=asked["group"])
        company.ask("POST", MEMBERS["group"], {"addresses": [*people, ours["address"]]}, 200, group=asked["group"])
        for method, path, operation in Description(self.document).operations():
            if f"{method} {path}" in LEFT_OUT:
                self.left_out.append(operation["operationId"])
                continue
            group = asked if "/requests/" in path else ours
            # One for each, since one of them takes it away.
            for name, new in (("subscription", new_subscription), ("import", own_import), ("export", own_export)):
                if path.startswith("/v1/me/") and "{" + name + "}" in path:
                    own[name] = new(owner)
            named = group if path.startswith("/v1/me/groups/") else own if TENANT not in path else request(company, method, path, used_up=True).named
            for one in operation["parameters"]:
                if one["in"] == "path" and one["name"] in named:
                    one["schema"] = {"type": "string", "enum": [named[one["name"]]]}
        schemas = self.document["components"]["schemas"]
        for schema in schemas.values():
            for name in {"password", "current"} & set(schema.get("properties", {})):
                if schema["properties"][name].get("type") == "string":
                    schema["properties"][name] = {"type": "string", "enum": [PASSWORD]}
        for name in ("NewPerson", "NewGroup", "NewSharedMailbox", "Alias"):
            schemas[name]["properties"]["address"] = {"type": "string", "pattern": f"^[a-z]{{1,12}}[0-9]{{0,6}}@{re.escape(company.domain)}$"}
        for name in ("NewLink", "NewOwnImport", "NewOwnExport"):
            schemas[name]["properties"]["collection"] = {"type": "string", "enum": [calendar(owner)]}
        schemas["TenantChange"]["properties"]["status"] = {"type": "string", "enum": ["active"]}


def run(world, who, company, tokens, people=()):
    begin, narrowed = time.monotonic(), Narrowed(world, company, list(people))
    place = {name: os.path.join(world.work, f"{who}.{name}") for name in ("description.json", "tokens.json", "answers.json")}
    with open(place["description.json"], "w", encoding="utf-8") as f:
        json.dump(narrowed.document, f)
    with open(place["tokens.json"], "w", encoding="utf-8") as f:
        json.dump({"callers": tokens, "signup": narrowed.signup, "of": narrowed.of}, f)
    program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    command = [program, "--config-file", os.path.join(HERE, "schemathesis.toml"), "run", place["description.json"],
               "--url", f"http://127.0.0.1:{world.port['http']}", "--checks", "all", "--exclude-checks", ",".join(NOT_CHECKED),
               "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", SEED, "--continue-on-failure", "--no-shrink",
               "--generation-database", "none", "--suppress-health-check", "all", "--request-timeout", "30", "--warnings", "off", "--no-color", "--output-truncate", "false",
               *(part for name in narrowed.left_out for part in ("--exclude-operation-id", name))]
    env = dict(os.environ, SCHEMATHESIS_HOOKS="conformance_hooks", API_TOKENS=place["tokens.json"], API_ANSWERS=place["answers.json"], PYTHONPATH=HERE)
    ended = subprocess.run(command, cwd=world.work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    said = ended.stdout.decode(errors="replace")
    counts = re.findall(r"^ +(\d+ generated.*)", said, re.M)
    with open(place["answers.json"], encoding="utf-8") as f:
        answers = json.load(f)
    if os.environ.get("API_TIMES"):
        print(json.dumps(answers))
    done_of = {key: sum(count for status, count in found.items() if status[0] == "2") for key, found in answers.items()}
    print(f"api conformance: {who}: {' '.join(counts)}; {sum(done_of.values())} requests were done, of {sum(map(bool, done_of.values()))} operations "
          f"({time.monotonic() - begin:.1f} s)", flush=True)
    assert ended.returncode == 0 and counts, re.sub(r"(?m)^(.{400}).*", r"\1", said)[-40_000:]
    return narrowed, done_of


def never_done(narrowed, done_of, permissions):
    """Operations of these permissions that were refused each time, and so prove little."""
    operations = {f"{method} {path}": operation["x-permission"] for method, path, operation in Description(narrowed.document).operations()}
    return sorted(key for key, needs in operations.items() if permissions(needs) and not done_of.get(key) and key not in NEVER_DONE and key not in LEFT_OUT)


def test_as_an_administrator(world):
    company = Company(world, "Own Ltd", "own.test", "part.test")
    people = [f"admin{n}@own.test" for n in range(ADMINISTRATORS)]
    for address in people:
        world.person(company.tenant, address, "tenant-administrator")
    left = never_done(*run(world, "administrator", company, [world.sign_in(address).token for address in people], people), lambda needs: needs != "operator")
    assert not left, f"never done: {left}"


def test_as_the_operator(world):
    company = Company(world, "Served Ltd", "served.test", "served-part.test")
    left = never_done(*run(world, "operator", company, [world.an_operator().token for _ in range(ADMINISTRATORS)]), lambda needs: needs not in ("signed-in", "session"))
    assert not left, f"never done: {left}"
