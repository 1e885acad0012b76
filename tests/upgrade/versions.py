"""An earlier build of the service beside the present one: where the binaries are, and which of the two the next process is."""
import os
import subprocess

import processes

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAMES = ("penfold", *processes.FUNCTIONS)


class Versions:
    def __init__(self, old, new):
        self.where = {"old": old, "new": new}
        for directory in (old, new):
            if missing := [n for n in NAMES if not os.access(os.path.join(directory, n), os.X_OK)]:
                raise SystemExit(f"{directory} lacks {', '.join(missing)}: build it with `cargo build --workspace --all-features --locked`")

    def use(self, version):
        """What is started from now on is of this version; what runs already stays what it is."""
        processes.BIN = self.where[version]
        os.environ["PENFOLD"] = os.path.join(self.where[version], "penfold")
        return version


def base():
    with open(os.path.join(ROOT, "tests", "upgrade", "base")) as f:
        return f.read().strip()


def build_base():
    """The directory of the binaries of the commit in `base`, built once, apart from everything else."""
    commit = base()
    home = os.path.join(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "upgrade", commit[:12])
    target, source = os.path.join(home, "target"), os.path.join(home, "source")
    built = os.path.join(target, "debug")
    if os.path.exists(os.path.join(home, "built")):
        return built
    if subprocess.run(["git", "-C", ROOT, "cat-file", "-e", f"{commit}^{{commit}}"]).returncode:
        raise SystemExit(f"the commit {commit} of tests/upgrade/base is not in this clone: git fetch --unshallow")
    print(f"building {commit[:12]}, once", flush=True)
    os.makedirs(source, exist_ok=True)
    # Files alone, so that git keeps no record of a second worktree.
    archive = subprocess.Popen(["git", "-C", ROOT, "archive", commit], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", source], stdin=archive.stdout, check=True)
    assert archive.wait() == 0
    environment = {k: v for k, v in os.environ.items() if k != "PENFOLD"} | {"CARGO_TARGET_DIR": target}
    subprocess.run(["cargo", "build", "--workspace", "--all-features", "--locked", "--bins"], cwd=source, env=environment, check=True)
    open(os.path.join(home, "built"), "w").close()
    return built


def directory(path):
    """Of `--old`: a directory of binaries, or one of them."""
    return os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path))
