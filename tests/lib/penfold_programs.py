"""Programs of others beside the one under test: their files and logs in one directory, and what became of them."""
import os
import socket
import subprocess

import penfold_testlib as lib


class Programs:
    """What is started in `work`."""

    def __init__(self, work):
        self.work, self.started = work, []
        # Programs that give up their rights look into it too.
        os.chmod(work, 0o755)

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def file(self, name, content, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(content)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def start(self, *command, env=None):
        log = open(self.path(os.path.basename(command[0]) + ".log"), "ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))
        self.started.append((command, process))
        return process

    def wait_port(self, address, port=25):
        def there():
            for command, process in self.started:
                assert process.poll() is None, f"{' '.join(command)} ended with {process.returncode}\n{self.logs()}"
            try:
                socket.create_connection((address, port), timeout=1).close()
                return True
            except OSError:
                return False
        lib.wait_until(there, 60, 0.05, f"{address}:{port}")

    def logs(self, size=3000):
        out = []
        for name in sorted(os.listdir(self.work)):
            if name.endswith(".log"):
                with open(self.path(name), "rb") as f:
                    f.seek(max(0, os.path.getsize(self.path(name)) - size))
                    out.append(f"--- {name}\n" + f.read().decode(errors="replace"))
        return "\n".join(out)
