"""A suite runs itself again inside a local cloud of its own."""
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.environ.get("PENFOLD_CLOUD_TOOLS") or os.path.join(ROOT, "localstack", ".tools")


def the_cloud(name, script, *arguments):
    """The exit status of `script --inside ARGUMENTS` there. Says in capitals where it cannot be had."""
    begin = time.monotonic()
    if (setup := subprocess.run([os.path.join(ROOT, "scripts", "setup-cloud")]).returncode) == 3:
        print(f"{name.upper()} WAS NOT TESTED BESIDE THE LOCAL CLOUD: see the line above\n0 passed, 0 failed, 1 skipped")
        return 0
    assert not setup
    with tempfile.TemporaryDirectory(prefix="penfold-state-") as state:
        done = subprocess.run([os.path.join(ROOT, "localstack", "with-aws"), os.path.join(TOOLS, "venv", "bin", "python"), "-B", script, "--inside", *arguments],
                              env=os.environ | {"PENFOLD_CLOUD_STATE": os.path.join(state, "state")})
    print(f"{name}: {time.monotonic() - begin:.1f} s")
    return done.returncode


if __name__ == "__main__":
    sys.exit(__doc__)
