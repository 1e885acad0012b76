"""Runs all checks on infra/, and first on copies with one mistake each. usage: main.py SCHEMA [ROOT]"""

import sys
import time
from pathlib import Path

import selftest
import tree
from policy import Policy
from schema import Names, Schema
from wiring import Wiring


def check(root, schema):
    """Findings, and what was compared: modules, blocks, arguments."""
    findings = []
    places = sorted({p.parent.resolve() for p in (root / "infra").rglob("*.tf") if ".terraform" not in p.parts})
    modules = {place: tree.load(place, root, findings) for place in places}
    names = Names(modules, schema, findings)
    names.run()
    Wiring(modules, schema, findings).run()
    Policy(modules, root, root / "infra/checks/allowed.txt", findings).run()
    return sorted(set(findings), key=lambda f: (f.file, f.line, f.text)), (len(modules), sum(len(list(m.items())) for m in modules.values()), names.compared)


def main():
    begin = time.perf_counter()
    root = Path(__file__).resolve().parents[2]
    schema = Schema(sys.argv[1])
    found = selftest.run(root, lambda copy: check(copy, schema)[0])
    middle = time.perf_counter()
    findings, (modules, blocks, names) = check(root, schema)
    for finding in findings:
        print(finding)
    print(f"{modules} modules, {blocks} blocks, {names} names against the provider's schema: {len(findings)} findings, {time.perf_counter() - middle:.1f} s; "
          f"{found[0]} of {found[1]} planted mistakes found, {middle - begin:.1f} s")
    return 1 if findings or found[0] != found[1] else 0


if __name__ == "__main__":
    sys.exit(main())
