"""The other engine for tests/bench/dav.py: the HTTP edge over DynamoDB and S3, as the local cloud has them."""
import json
import os
import shutil
import subprocess
import sys

import penfold_testlib as lib

ROOT = lib.ROOT
sys.path.append(os.path.join(ROOT, "localstack"))
import processes  # noqa: E402

CLOUD = "DynamoDB + S3"
KINDS = (("requests", "requests"), ("write", "writes"), ("read", "reads"), ("blob_put", "blob PUT"), ("blob_get", "blob GET"), ("queue", "queue"))


class Cloud:
    """An HTTP edge of its own, in the cloud that is around, with one person. Nothing else runs there, so its meter is of what it is asked."""

    def __init__(self, user):
        self.work, self.user, self.password = lib.scratch("bench-cloud"), user, None
        seed = lib.write_seed(os.path.join(self.work, "seed.toml"), [("Bench", [user.split("@")[1]], [(user, "secret", user)])])
        # DynamoDB Local tells another price of transactions than DynamoDB's, so units are counted by the documented rule (shared/aws/src/ledger.rs).
        self.edge = processes.Edge("http", 1, self.work, seed=seed, environment={"PENFOLD_VERIFY_UNITS": "1"})
        self.port = self.edge.port

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        self.edge.start()
        # Checking one costs no argon2.
        done = processes.penfold("--cloud", "password", "app", "add", self.user, "bench", "--json")
        assert not done.returncode, done.stdout + done.stderr
        self.password = next(line["password"] for line in map(json.loads, done.stdout.splitlines()) if line.get("password"))

    def __exit__(self, *_):
        self.edge.kill()
        lib.remove(self.work)


def measured(sizes, repeat):
    """Rows as dav.py has them, or nothing, with a line that says why."""
    program = os.path.join(processes.BIN, "penfold")
    if not os.access(program, os.X_OK) or subprocess.run([program, "edge", "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        print(f"NOT MEASURED ON {CLOUD}: {processes.BIN} has no penfold that knows edges (make build-all, or PENFOLD_CLOUD_BIN)", file=sys.stderr)
        return None
    if (setup := subprocess.run([os.path.join(ROOT, "scripts", "setup-cloud")]).returncode) == 3:
        print(f"NOT MEASURED ON {CLOUD}, for the reason above", file=sys.stderr)
        return None
    assert not setup and sizes, (setup, sizes)
    work = lib.scratch("bench-cloud-rows")
    try:
        path = os.path.join(work, "rows.json")
        subprocess.run([os.path.join(ROOT, "localstack", "with-aws"), sys.executable, os.path.join(ROOT, "tests", "bench", "dav.py"), "--inside", path,
                        "--sizes", ",".join(map(str, sizes)), "--repeat", str(repeat)], check=True, env=os.environ | {"PENFOLD_CLOUD_STATE": os.path.join(work, "state")})
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def units(row, side):
    spent = row["units"].get(side, {}) if row else {}
    return ", ".join(f"{round(spent[kind], 1):g} {name}" for kind, name in KINDS if spent.get(kind)) or "-"


def table(embedded, cloud):
    """What each operation costs in units on either engine, and how long it takes on the emulation."""
    known = {row["what"]: row for row in embedded}
    lines = [f"| what | embedded | {CLOUD} | {CLOUD}, emulated |", "|---|---|---|---|"]
    for row in cloud:
        lines.append(f"| {row['what']} | {units(known.get(row['what']), 'Penfold')} | {units(row, CLOUD)} | {row['ms'][CLOUD]:,.0f} ms |")
    return "\n".join(lines)
