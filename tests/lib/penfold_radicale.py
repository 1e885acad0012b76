"""Radicale, as another server of CalDAV and CardDAV: what the suites of DAV are tried on, and what the bench measures beside us."""
import os
import subprocess
import sys

import penfold_testlib as lib
from penfold_dav import Dav, body, expect

KINDS = {"calendar/": "VEVENT", "tasks/": "VTODO", "contacts/": "VCARD"}


class Radicale:
    """One process on a free port of 127.0.0.1, from the venv; whoever is in `people` has `password`."""

    host = "127.0.0.1"

    def __init__(self, work, people, password, label="radicale"):
        self.data, self.people, self.password = os.path.join(work, label), people, password
        self.port = dict(zip(("http",), lib.free_ports(1)))
        self.process, self.log = None, os.path.join(work, label + ".log")

    def start(self):
        program = os.path.join(os.path.dirname(sys.executable), "radicale")
        if not os.access(program, os.X_OK):
            raise SystemExit("radicale is missing: run scripts/setup-test clients")
        os.makedirs(self.data, exist_ok=True)
        with open(os.path.join(self.data, "users"), "w", encoding="utf-8") as f:
            f.writelines(f"{one}:{self.password}\n" for one in self.people)
        config = os.path.join(self.data, "config")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"[server]\nhosts = {self.host}:{self.port['http']}\nmax_connections = 100\n"
                    f"[auth]\ntype = htpasswd\nhtpasswd_filename = {self.data}/users\nhtpasswd_encryption = plain\ndelay = 0\n"
                    f"[storage]\nfilesystem_folder = {self.data}/collections\n[rights]\ntype = owner_only\n[logging]\nlevel = warning\n")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, "--config", config], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        lib.wait_until(self.answers, 60, 0.05, "Radicale")
        return self

    def answers(self):
        assert self.process.poll() is None, self.tail()
        try:
            lib.dial(self.host, self.port["http"]).close()
            return True
        except OSError:
            return False

    def settle(self, user):
        """Gives somebody the collections that Penfold's people start with."""
        dav = Dav(self.host, self.port["http"], user, self.password)
        home = dav.home()["calendars"]
        for name, kind in KINDS.items():
            if kind == "VCARD":
                inner = "<d:resourcetype><d:collection/><card:addressbook/></d:resourcetype>"
            else:
                inner = f'<d:resourcetype><d:collection/><c:calendar/></d:resourcetype><c:supported-calendar-component-set><c:comp name="{kind}"/></c:supported-calendar-component-set>'
            expect(dav.ask("MKCOL", home + name, body("d:mkcol", f"<d:set><d:prop>{inner}<d:displayname>{name[:-1]}</d:displayname></d:prop></d:set>")), 201)
        dav.close()

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    stop = kill

    def tail(self, size=3000):
        try:
            with open(self.log, "rb") as f:
                f.seek(max(0, os.path.getsize(self.log) - size))
                return f.read().decode(errors="replace")
        except OSError:
            return "(no log)"
