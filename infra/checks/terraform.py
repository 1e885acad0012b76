"""Terraform's own opinion, with a stand-in for the provider: `validate` of each environment, and `test` of what they come to.
usage: terraform.py SCHEMA"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hcl

PROVIDER = "registry.terraform.io/hashicorp/aws"


def types(root):
    found = {"resource": set(), "data": set()}
    for file in (root / "infra").rglob("*.tf"):
        if ".terraform" not in file.parts:
            for block in hcl.read(file.read_text()).blocks:
                if block.kind in found:
                    found[block.kind].add(block.labels[0])
    return {group: sorted(kinds) for group, kinds in found.items()}


def calls_modules(place):
    return any(block.kind == "module" for file in place.glob("*.tf") for block in hcl.read(file.read_text()).blocks)


def run(place, environment, *arguments):
    done = subprocess.run(["terraform", f"-chdir={place}", *arguments], env=environment, text=True, capture_output=True)
    if done.returncode != 0:
        print(f"terraform {' '.join(arguments)} in {place.name}:\n{done.stdout}{done.stderr}")
    return done


def main():
    begin = time.perf_counter()
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        # In a copy: Terraform leaves a directory behind in each place where it runs.
        shutil.copytree(root / "infra", place / "infra", ignore=shutil.ignore_patterns(".cache", ".terraform*", "__pycache__"))
        (place / "types.json").write_text(json.dumps(types(root)))
        socket = str(place / "provider.sock")
        server = subprocess.Popen([sys.executable, Path(__file__).with_name("standin.py"), sys.argv[1], socket, place / "types.json"], stdout=subprocess.PIPE, text=True)
        try:
            if server.stdout.readline().strip() != "ready":
                print("the stand-in for the provider did not start")
                return 1
            reattach = {PROVIDER: {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": server.pid, "Test": True, "Addr": {"Network": "unix", "String": socket}}}
            environment = os.environ | {"TF_REATTACH_PROVIDERS": json.dumps(reattach), "TF_CLI_CONFIG_FILE": "/dev/null", "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
            places = sorted(p for p in (place / "infra/envs").iterdir()) + sorted({p.parent for p in (place / "infra/modules").rglob("*.tftest.hcl")})
            return check(places, environment, begin)
        finally:
            server.terminate()
            server.wait()


def check(places, environment, begin):
    status, tests, valid = 0, 0, []
    for place in places:
        # A test validates, too, and only what calls modules has anything to initialise.
        steps = [("init", "-backend=false", "-input=false")] if calls_modules(place) else []
        steps.append(("test", "-no-color") if list(place.glob("*.tftest.hcl")) else ("validate", "-no-color"))
        for step in steps:
            done = run(place, environment, *step)
            if done.returncode != 0:
                status = 1
                break
            if step[0] == "test":
                tests += int(re.search(r"(\d+) passed", done.stdout).group(1))
        else:
            valid.append(place.name)
    print(f"terraform: {', '.join(valid)} are valid, {tests} tests passed, {time.perf_counter() - begin:.1f} s")
    return status


if __name__ == "__main__":
    sys.exit(main())
