"""The whole service beside the local cloud: two SMTP edges, two IMAP edges, one for HTTP, and the functions as Lambda runs them. Until Ctrl-C.

Usage: localstack/service. Makes a tenant with two people in an empty cloud and says how to sign in.
"""
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time

from processes import ACCOUNT_PORT, Service, penfold, program

PEOPLE = (("ann@demo.test", "Ann Demo"), ("bob@demo.test", "Bob Demo"))


def seed(work):
    """A file for the first edge, and the passwords; nothing where the demo tenant is there already."""
    if "Demo" in penfold("--cloud", "tenant", "list").stdout:
        return None, {}
    passwords = {address: secrets.token_hex(6) for address, _ in PEOPLE}
    path = os.path.join(work, "seed.toml")
    with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        people = ", ".join(f'{{ address = "{a}", name = "{n}", password = "{passwords[a]}" }}' for a, n in PEOPLE)
        f.write(f'[[tenant]]\nname = "Demo"\ndomains = ["demo.test"]\npeople = [{people}]\n')
    return path, passwords


def ports(edges, name):
    return ", ".join(f"127.0.0.1:{e.port[name]}" for e in edges)


def announce(service, passwords):
    (ann, _), (bob, _) = PEOPLE
    enter, penfold_path, shown = "localstack/with-aws", program("penfold"), passwords.get(ann, "PASSWORD")
    print(f"""Penfold serves beside the local cloud, in a network of its own
  SMTP         {ports(service.smtp, "smtp")} (MX)
  submission   {ports(service.smtp, "submission")} (STARTTLS), {ports(service.smtp, "submissions")} (TLS)
  IMAP         {ports(service.imap, "imap")} (STARTTLS), {ports(service.imap, "imaps")} (TLS)
  HTTP         {ports(service.http, "https")} (TLS), functions 127.0.0.1:{ACCOUNT_PORT}
  logs         {service.work}
People to try it with:""")
    for address, _ in PEOPLE:
        known = f"password {passwords[address]}" if passwords else f"(for a new password: {enter} {penfold_path} --cloud password set {address})"
        print(f"  {address}  {known}")
    print(f"""{enter} COMMAND runs a command in that network, such as a mail client or a shell:
  printf 'From: <{bob}>\\nTo: <{ann}>\\nSubject: Hello\\n\\nIt works.\\n' > hello.eml
  {enter} curl smtp://127.0.0.1:{service.smtp[0].port["smtp"]} --mail-from {bob} --mail-rcpt {ann} -T hello.eml --crlf
  {enter} curl 'imap://127.0.0.1:{service.imap[1].port["imap"]}/INBOX;MAILINDEX=1' --user {ann}:{shown}
  {enter} curl http://127.0.0.1:{ACCOUNT_PORT}/v1/whoami --user {ann}:{shown}
Ctrl-C ends it.""", flush=True)


def serve(work):
    path, passwords = seed(work)
    with Service(work, path) as service:
        processes = service.edges + service.hosts
        try:
            service.start()
            announce(service, passwords)
            while all(p.alive() for p in processes):
                time.sleep(1)
        except KeyboardInterrupt:
            print("ending", file=sys.stderr)
            bad = service.stop()
            sys.stderr.writelines(f"{line}\n" for line in bad)
            return 1 if bad else 0
        ended = next(p for p in processes if not p.alive())
        print(f"{ended.name} has ended; its log ends:\n{ended.tail()}", file=sys.stderr)
        return 1


def main():
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    for n in (signal.SIGINT, signal.SIGTERM):
        signal.signal(n, signal.default_int_handler)
    work = tempfile.mkdtemp(prefix="penfold-service-")
    try:
        return serve(work)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
