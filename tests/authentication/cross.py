#!/usr/bin/env python3
"""dkimpy verifies what Penfold signs, and Penfold verifies what dkimpy signs and seals.

usage: cross.py [--rounds N] [--seed N]
Takes the example `authenticate` from $PENFOLD_AUTHENTICATE, or target/debug/examples.
"""
import argparse
import base64
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, ".venv", "bin", "python")
if os.path.exists(VENV) and not sys.prefix.startswith(os.path.join(ROOT, ".venv")):
    os.execv(VENV, [VENV, *sys.argv])
sys.dont_write_bytecode = True
import dkim  # noqa: E402
from nacl.signing import SigningKey  # noqa: E402

OURS = os.environ.get("PENFOLD_AUTHENTICATE", os.path.join(ROOT, "target", "debug", "examples", "authenticate"))
FORMS = [(h, b) for h in (b"simple", b"relaxed") for b in (b"simple", b"relaxed")]


def ours(*args):
    return subprocess.run([OURS, *args], check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def message(rng):
    """A message with folds, odd white space, repeated fields, empty lines at its end, and text in other scripts."""
    word = lambda: "".join(rng.choice("abc XYZ\t;:=.-_äß日") for _ in range(rng.randint(1, 30))).strip() or "x"  # noqa: E731
    fields = ["From: " + rng.choice(["Ann", '"Ann, B"']) + " <ann@example.com>", "To: b@x.test,\r\n\tc@y.test", f"Subject: {word()}\r\n  {word()}",
              "Date: Mon, 01 Jan 2024 01:02:03 +0000", f"Message-ID: <{rng.random()}@example.com>", "Received: from a by b; c", "X-Empty:",
              "Content-Type: text/plain;\r\n charset=utf-8", "Received: from d by e; f"]
    rng.shuffle(fields)
    lines = [rng.choice(["", " ", "\t", word(), word() + "  ", "  " + word() + " \t" + word()]) for _ in range(rng.randint(0, 20))]
    body = "".join(line + "\r\n" for line in lines) + "\r\n" * rng.randint(0, 3)
    return ("\r\n".join(fields) + "\r\n\r\n" + body).encode()


class Keys:
    """dkimpy's side: an RSA key and an Ed25519 key at selectors of example.com."""

    def __init__(self):
        self.rsa = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True, capture_output=True).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=self.rsa, check=True, capture_output=True).stdout
        signing = SigningKey.generate()
        self.ed25519 = base64.b64encode(bytes(signing))
        self.records = {
            "rsa._domainkey.example.com": "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode(),
            "ed._domainkey.example.com": "v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(signing.verify_key)).decode(),
        }


def lookup(records):
    def txt(name, timeout=5):
        return records[name.decode().rstrip(".")].encode()
    return txt


def we_sign(work, rng):
    paths = [os.path.join(work, name) for name in ("message", "signed", "records")]
    write(paths[0], message(rng))
    ours("sign", "example.com", *paths)
    records = dict(line.split("\t") for line in read(paths[2]).decode().splitlines())
    signed = read(paths[1])
    for index in (0, 1):
        assert dkim.DKIM(signed).verify(idx=index, dnsfunc=lookup(records)), f"signature {index} does not verify:\n{signed.decode()}"
        try:
            altered = dkim.DKIM(signed + b"x\r\n").verify(idx=index, dnsfunc=lookup(records))
        except dkim.ValidationError:
            altered = False
        assert not altered, "a longer body verifies"


def they_sign(work, rng, keys):
    plain = message(rng)
    for algorithm, selector, key in ((b"rsa-sha256", b"rsa", keys.rsa), (b"ed25519-sha256", b"ed", keys.ed25519)):
        for form in FORMS:
            signed = dkim.sign(plain, selector, b"example.com", key, canonicalize=form, signature_algorithm=algorithm) + plain
            found = verdict(work, signed, keys)
            assert re.search(r"dkim=pass \(\d+-bit key\) header.d=example.com", found), f"{form}: {found}{signed.decode()}"
            found = verdict(work, signed + b"x\r\n", keys)
            assert "dkim=fail" in found, f"{form}: {found}"


def they_seal(work, rng, keys):
    sealed = message(rng)
    for hop in range(1, 4):
        result = b"none" if hop == 1 else b"pass"
        sealed = re.sub(rb"(?m)^Authentication-Results:.*\r\n", b"", sealed)
        sealed = b"Authentication-Results: lists.example.org; arc=%s; spf=pass smtp.mfrom=a@example.com\r\n" % result + sealed
        sealed = b"".join(dkim.arc_sign(sealed, b"rsa", b"example.com", keys.rsa, b"lists.example.org")) + sealed
        found = verdict(work, sealed, keys)
        assert f"arc=pass (i={hop} d=example.com)" in found, f"{found}{sealed.decode()}"
    assert "arc=fail" in verdict(work, sealed + b"x\r\n", keys)


def verdict(work, data, keys):
    records = "".join(f"{name}\t{text}\n" for name, text in keys.records.items())
    found = ours("verify", write(os.path.join(work, "theirs"), data), write(os.path.join(work, "zone"), records.encode()))
    return re.sub(r"\r\n\t", " ", found)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--rounds", type=int, default=12)
    args.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = args.parse_args()
    rng, keys = random.Random(args.seed), Keys()
    with tempfile.TemporaryDirectory() as work:
        for number in range(args.rounds):
            try:
                we_sign(work, rng)
                they_sign(work, rng, keys)
                they_seal(work, rng, keys)
            except AssertionError:
                print(f"failed in round {number}; --seed {args.seed} plays it again")
                raise
    print(f"{args.rounds} messages, both ways, plain and sealed: passed")


if __name__ == "__main__":
    main()
