#!/usr/bin/env python3
"""No open relay: nobody sends to other domains but a person who signed in, and only as themselves; and no answer tells who exists.

usage: relay_open.py [TEST..]
Two tenants, and a host in this process as smart host, which must never see what strangers bring, by whatever address it is meant for. What
a signed-in person sends must come there: so the test can fail.
"""
import argparse
import base64
import email
import email.utils
import itertools
import json
import os
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import penfold_testlib as lib  # noqa: E402
from penfold_sink import Sink  # noqa: E402

PASSWORD = "secret"
HOST = "mail.ours.test"
ANN, BOB, CARL, IDN = "ann@ours.test", "bob@ours.test", "carl@theirs.test", "ida@bücher.test"
TENANTS = [("Ours", ["ours.test", "bücher.test"], [(ANN, PASSWORD, "Ann"), (BOB, PASSWORD, "Bob"), (IDN, PASSWORD, "Ida")]),
           ("Theirs", ["theirs.test"], [(CARL, PASSWORD, "Carl")])]
MINE = {"ann@ours.test", "ann+lists@ours.test"}
NOBODY = "550 5.1.1 No such recipient here"

# Ways to write the address X of somebody outside so that a careless host takes it for its own, and passes it on. `{l}` and `{d}`: local part
# and domain of X.
TRICKS = """
{l}@{d} | {l}@{D} | {l}@{d}. | {l}@{d}.. | {l} @{d} | {l}@ {d} | {l}@[127.0.0.1] | {l}@[10.9.8.7] | {l}@[IPv6:::1] | {l}@127.0.0.1 | {l}@[{d}] | {l}@{d}@ours.test
{l}@ours.test@{d} | {l}%{d}@ours.test | {l}%{d}%ours.test@ours.test | {l}%{d}@mail.ours.test | {l}%{d} | {l}%{d}@[127.0.0.1] | {l}%{d}@localhost | {l}%{d}@
"{l}@{d}"@ours.test | "{l}@{d}" | "{l}%{d}"@ours.test | "{l}"@{d} | "{l}\\@{d}"@ours.test | "{l}@{d}"@mail.ours.test | "{l}@{d}"@[127.0.0.1] | "ann@ours.test"@{d}
"{l}@{d}\\"@ours.test | "{l}@{d}> "@ours.test | "\\{l}@{d}"@ours.test | {d}!{l}@ours.test | {d}!{l} | ours.test!{d}!{l} | ours.test!{d}!{l}@ours.test | {d}!{l}@{d}
@{d}:{l}@ours.test | @ours.test:{l}@{d} | @ours.test,@{d}:ann@ours.test | @ours.test,@mail.ours.test:{l}@{d} | @{d}:ann@ours.test | @ours.test:@{d}:{l}@{d} | @ours.test:"{l}@{d}"@ours.test
@:{l}@{d} | @{d} | ours.test:{l}@{d} | {l}:{d}@ours.test | {l}@{d},ann@ours.test | ann@ours.test,{l}@{d} | ann@ours.test {l}@{d} | {l}/{d}@ours.test | {l}={d}@ours.test
<{l}@{d}> | ann@ours.test><{l}@{d} | ann@ours.test> ORCPT=rfc822;{l}@{d} | {l}@{d}(ann@ours.test) | (ann@ours.test){l}@{d} | {l}@{d}\tann@ours.test | {l}@ours.test.{d} | {l}@{d}.ours.test
{l}@ | @ | "" | ""@{d} | .{l}@{d} | {l}..x@{d} | ours.test@{d} | {l}@localhost | {l}@mail.ours.test | {l}@sub.ours.test | {l}@test | postmaster@{d} | postmaster%{d}@ours.test
bounces+{l}={d}@ours.test | SRS0=xx=yy={d}={l}@ours.test | prvs=123456789={l}@{d} | {l}+ann@{d} | ann+{l}@{d} | mailto:{l}@{d} | smtp:{l}@{d} | SMTP:{l}@{d}@ours.test | /o=x/cn={l}@{d}
IMCEASMTP-{l}+40{d}@ours.test | IMCEARFC822-{l}+40{d}@ours.test | |/bin/false | "|/bin/false"@{d} | \\{l}@{d} | ~{l}@{d} | {l}@xn--fa-hia.{d} | {l}@ours。{d} | {l}＠{d} | {l}@оurs.test
аnn@ours.test | {l}@ours.test\u200b.{d} | {l}@Ours.test\u0307 | {l}@{d}\x00@ours.test | {l}@{d}\x01 | {l}@ours.test\u2024{d} | {l}@bücher.{d} | {l}@bu\u0308cher.test
"""


def tricks(victim):
    local, domain = victim.rsplit("@", 1)
    texts = [one for line in TRICKS.strip("\n").split("\n") for one in line.split(" | ")]
    for text in texts:
        text = text.encode("latin-1", "backslashreplace").decode("unicode_escape") if "\\u" in text or "\\x" in text or "\\t" in text else text
        yield text.replace("\\\\", "\\").replace("{l}", local).replace("{d}", domain).replace("{D}", domain.upper())


class Line:
    """A connection that comes back after the server hung up on too many errors."""

    def __init__(self, port, user=None, password=PASSWORD, tls=False, hello="stranger.test"):
        self.make = lambda: lib.Smtp("127.0.0.1", port, tls=tls, hello=hello)
        self.user, self.password, self.smtp, self.asked = user, password, None, 0

    def fresh(self):
        if self.smtp:
            self.smtp.close()
        self.smtp, self.asked = self.make(), 0
        if self.user:
            self.smtp.login(self.user, self.password)

    def ask(self, line):
        """The answer to one command, as a line."""
        if isinstance(line, str):
            line = line.encode()
        self.smtp.s.sendall(line + b"\r\n")
        code, text = self.smtp.reply()
        return f"{code} {text}"

    def attempt(self, sender, to, data):
        """What a whole transaction is answered: (to MAIL, to RCPT, to the end of DATA), as far as it comes."""
        if self.smtp is None or self.asked > 6:
            self.fresh()
        self.asked += 1
        said = []
        try:
            said.append(self.ask(f"MAIL FROM:<{sender}> SMTPUTF8"))
            if said[-1].startswith("250"):
                said.append(self.ask(f"RCPT TO:<{to}>"))
            if len(said) == 2 and said[-1].startswith("250"):
                if self.ask("DATA").startswith("354"):
                    said.append(self.ask(lib.stuff(data) + b"."))
            else:
                self.ask("RSET")
        except EOFError:
            self.smtp = None
            said.append("closed")
        return tuple(said)

    def close(self):
        if self.smtp:
            self.smtp.close()


def message(sender, to, mark, extra="", body="text\r\n"):
    return (f"From: {sender}\r\nTo: <someone@elsewhere.test>\r\nSubject: {mark}\r\nDate: Wed, 25 Nov 2026 10:00:00 +0100\r\n"
            f"Message-ID: <{mark}.{time.time_ns()}@elsewhere.test>\r\n{extra}\r\n{body}").encode()


class Suite:
    def __init__(self, server, sink):
        self.server, self.sink, self.port = server, sink, server.port
        self.asked, self.taken_here, self.seen, self.controls, self.meant, self.number = 0, 0, 0, [], {}, itertools.count()

    def mark(self, word):
        return f"{word}-{next(self.number)}"

    def control(self):
        """A person sends as usual: the sink has it, and nothing else came there since the control before."""
        mark = self.mark("control")
        line = Line(self.port["submissions"], ANN, tls=True)
        said = line.attempt(ANN, "friend@outside.test", message(f"<{ANN}>", "friend@outside.test", mark))
        line.close()
        assert len(said) == 3 and said[2].startswith("250"), said
        lib.wait_until(lambda: any(mark.encode() in one.data for one in self.sink.taken), 60, what="what a person sends comes to the sink")
        self.controls.append(mark)
        subjects = [email.message_from_bytes(one.data)["Subject"] for one in self.sink.taken]
        assert subjects == self.controls, f"the sink has what it must not have: {set(subjects) - set(self.controls)}"
        for one in self.sink.taken[self.seen:]:
            self.seen += 1
            wanted = self.meant.get(email.message_from_bytes(one.data)["Subject"], "friend@outside.test")
            assert one.sender in MINE | {""} and one.recipients == [wanted], (one.sender, one.recipients, wanted)
        # What is on its way, or was: nothing but that.
        code, text = lib.command(["--data", self.server.data, "queue", "list", "--all", "--json"])
        rows = [json.loads(row) for row in text.splitlines()]
        assert code == 0 and len(rows) == len(self.controls), f"exit {code}: {len(rows)} on their way, and {len(self.controls)} should be"
        odd = [row for row in rows if row["recipients"][0]["to"].isascii() and not row["recipients"][0]["to"].lower().endswith("@" + row["destination"])]
        assert not odd, odd

    def bring(self, line, senders, recipients, what):
        """Every address, by every sender; what is answered must be a refusal, or it is for somebody here."""
        answers = {}
        for to in recipients:
            for sender in senders:
                said = line.attempt(sender, to, message(f"<{sender or ANN}>", to, self.mark(what)))
                self.asked += 1
                self.taken_here += len(said) == 3 and said[2].startswith("250")
                assert said[-1][0] in "25c", f"{what}: <{sender}> to <{to}>: {said}"
                answers.setdefault(to, said[-1])
        return answers


def test_control(t):
    """Ends by itself as the control of what went before."""


def test_stranger_on_mx(t):
    line = Line(t.port["smtp"])
    answers = t.bring(line, ["", "stranger@elsewhere.test", ANN, "nobody@ours.test", f"postmaster@{HOST}"], tricks("victim@outside.test"), "mx")
    line.close()
    for to, said in answers.items():
        ours = to.startswith("@") and to.endswith(f":{ANN}") or to.startswith(f"{ANN}> ORCPT=")
        assert said.startswith("5") or ours, f"<{to}>: {said}"
    # Positive: our own people, however they are written, do get it.
    line = Line(t.port["smtp"])
    for to in (ANN, "ANN@OURS.TEST", '"ann"@ours.test', "ann+x@ours.test", f"@one.test,@two.test:{ANN}", "ida@xn--bcher-kva.test", IDN, CARL):
        said = line.attempt("stranger@elsewhere.test", to, message("<stranger@elsewhere.test>", to, t.mark("mx")))
        assert len(said) == 3 and said[2].startswith("250"), f"<{to}>: {said}"
    line.close()


def test_stranger_on_submission(t):
    for port, tls in (("submission", False), ("submissions", True)):
        line = Line(t.port[port], tls=tls)
        for sender, to in itertools.product(["", "stranger@elsewhere.test", ANN, "nobody@ours.test", CARL], ["victim@outside.test", ANN, "nobody@ours.test"]):
            said = line.attempt(sender, to, message(f"<{sender}>", to, t.mark("submission")))
            assert said == (said[0],) and said[0].startswith("530 5.7.0"), said
            t.asked += 1
        said = line.ask("RCPT TO:<victim@outside.test>")
        assert said.startswith("503"), said
        said = line.ask("DATA")
        assert said.startswith("503"), said
        line.close()


def test_commands_that_give_rights(t):
    line = Line(t.port["smtp"])
    line.fresh()
    for command in (f"XCLIENT ADDR=127.0.0.1 LOGIN={ANN}", "XFORWARD ADDR=127.0.0.1", "ETRN outside.test", "ATRN outside.test", "TURN", "AUTH PLAIN AGFubgBzZWNyZXQ=",
                    "AUTH EXTERNAL =", "SEND FROM:<ann@ours.test>", "SAML FROM:<ann@ours.test>", "BURL imap://x LAST", "PROXY TCP4 127.0.0.1 127.0.0.1 1 2"):
        said = line.ask(command)
        assert said.startswith("5"), f"{command}: {said}"
    for parameter in (f"AUTH={ANN}", "AUTH=<>", "BY=120;R", "HOLDFOR=1", "TRANSID=<1>"):
        said = line.ask(f"MAIL FROM:<{ANN}> {parameter}")
        if said.startswith("250"):
            said = line.ask("RCPT TO:<victim@outside.test>")
            line.ask("RSET")
        assert said.startswith("5"), f"{parameter}: {said}"
    line.fresh()
    assert line.ask(f"MAIL FROM:<{ANN}>").startswith("250")
    for parameters in (f"ORCPT=rfc822;{ANN}", "NOTIFY=SUCCESS,FAILURE,DELAY", f"NOTIFY=NEVER ORCPT=rfc822;{ANN}", "RRVS=2026-01-01T00:00:00Z", ""):
        said = line.ask(f"RCPT TO:<victim@outside.test> {parameters}".strip())
        assert said.startswith("5"), f"{parameters}: {said}"
    line.close()


def test_what_is_sent_before_tls_is_forgotten(t):
    """A stranger in the middle puts commands behind STARTTLS, in the clear."""
    smtp = lib.Smtp("127.0.0.1", t.port["submission"])
    smtp.s.sendall(f"STARTTLS\r\nMAIL FROM:<{ANN}>\r\nRCPT TO:<victim@outside.test>\r\nDATA\r\n".encode())
    code, _ = smtp.reply()
    try:
        if code == 220:
            smtp._take(lib.wrap_tls(smtp.s, "127.0.0.1"))
            smtp.ehlo()
            smtp.login(ANN, PASSWORD)
            code, text = (smtp.s.sendall(b"RCPT TO:<victim@outside.test>\r\n"), smtp.reply())[1]
            assert code == 503, (code, text)
    except (OSError, EOFError):
        pass  # hung up: as good
    t.asked += 1


SMUGGLED = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\n\x00.\r\n", b"\r\r\n.\r\r\n")


def smuggle(mark, sender, end, recipient):
    inner = message(f"<{sender}>", recipient, mark + "-inner")
    body = b"text" + end + f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode() + inner
    return message(f"<{sender}>", recipient, mark)[:-len(b"text\r\n")] + body


def test_smuggling(t):
    """What some hosts take for the end of the data, and others not (CVE-2023-51764 and others)."""
    for port, tls, user, sender, to in (("smtp", False, None, "stranger@elsewhere.test", ANN), ("submissions", True, ANN, ANN, BOB)):
        for end in SMUGGLED:
            smtp = lib.Smtp("127.0.0.1", t.port[port], tls=tls)
            if user:
                smtp.login(user, PASSWORD)
            for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>"):
                smtp.cmd(command, 250)
            smtp.cmd("DATA", 354)
            smtp.s.sendall(smuggle(t.mark("smuggled"), sender, end, "victim@outside.test") + b"\r\n.\r\nNOOP\r\n")
            first = smtp.reply()
            assert first[0] // 100 in (2, 5) and smtp.reply()[0] == 250, f"{end!r}: {first}"
            if first[0] == 250:
                assert end == b"\r\r\n.\r\r\n" or b"\x00" in end, f"{end!r} is taken: {first}"
            smtp.close()
            t.asked += 1


def test_no_second_message_leaves(t):
    """A person's own text cannot become a second message at the next host: one comes there, or none."""
    for end in SMUGGLED + (b"\r\n.\r\n",):
        smtp = lib.Smtp("127.0.0.1", t.port["submissions"], tls=True)
        smtp.login(ANN, PASSWORD)
        mark = t.mark("inside")
        data = smuggle(mark, ANN, end, "friend@outside.test")
        if end == b"\r\n.\r\n":
            data = lib.stuff(data)
        for command in (f"MAIL FROM:<{ANN}>", "RCPT TO:<friend@outside.test>"):
            smtp.cmd(command, 250)
        smtp.cmd("DATA", 354)
        smtp.s.sendall(data + b"\r\n.\r\n")
        code, text = smtp.reply()
        smtp.close()
        t.asked += 1
        if code == 250:
            t.controls.append(mark)
            lib.wait_until(lambda: any(mark.encode() in one.data for one in t.sink.taken), 60, what="it comes to the sink")


def test_sender_of_somebody_else(t):
    """Signed in, with the envelope of a colleague, of another tenant's person, of nobody, of somebody outside, and all tricks of those."""
    line = Line(t.port["submissions"], ANN, tls=True)
    answers = set()
    for victim in (CARL, BOB, "nobody@theirs.test", "nobody@ours.test", "boss@outside.test"):
        for sender in tricks(victim):
            # Hers: what she is called, with a detail too; and the first person of an organisation is its postmaster.
            if sender in ("postmaster@ours.test", "ann+bob@ours.test", "ann+nobody@ours.test") or sender.startswith("@") and sender.endswith(f":{ANN}") or sender.startswith(f"{ANN}> ORCPT="):
                continue
            said = line.attempt(sender, "friend@outside.test", message(f"<{ANN}>", "friend@outside.test", t.mark("sender")))
            t.asked += 1
            assert said[0].startswith("5") and len(said) == 1, f"from <{sender}>: {said}"
            answers.add(said[0])
    for sender in (CARL, BOB, "nobody@theirs.test", "nobody@ours.test", "boss@outside.test"):
        said = line.attempt(sender, "friend@outside.test", b"")
        assert said == ("553 5.7.1 The sender is not an address of yours",), said
    line.close()


def test_person_to_every_address(t):
    """What a person may send to, leaves as they wrote it, to that one place; and the rest is refused for good."""
    line = Line(t.port["submissions"], ANN, tls=True)
    later = []
    for to in tricks("victim@outside.test"):
        mark = t.mark("person")
        said = line.attempt(ANN, to, message(f"<{ANN}>", "friend@outside.test", mark))
        t.asked += 1
        if len(said) < 3:
            if not said[-1].startswith("5"):
                later.append(f"<{to}>: {said}")
        elif to.endswith(f":{ANN}") or to.startswith(f"{ANN}> ORCPT="):
            pass  # it is for herself
        else:
            plain = to.split(":", 1)[1] if to.startswith("@") else to
            assert plain.lower().endswith(("@outside.test", ".outside.test", "outside.test.ours.test", "@test", "@localhost", "@xn--fa-hia.outside.test")) \
                or any(word in plain for word in ("mail.ours.test", "sub.ours.test", "127.0.0.1")) or not plain.isascii(), f"<{to}>: {said}"
            t.controls.append(mark)
            t.meant[mark] = plain
            lib.wait_until(lambda: any(mark.encode() in one.data for one in t.sink.taken), 60, what=f"<{to}> leaves")
    line.close()
    assert not later, "to be tried again, for ever:\n" + "\n".join(later)


FORGED = ("From: <carl@theirs.test>", "From: Ann <carl@theirs.test>", f"From: carl@theirs.test, {ANN}", f"From: {ANN}, carl@theirs.test", f"From: <{ANN}>\r\nFrom: <carl@theirs.test>",
          f"From: <carl@theirs.test>\r\nFrom: <{ANN}>", f"FROM: <{ANN}>\r\nfrom: <carl@theirs.test>", f"From : <carl@theirs.test>\r\nFrom: <{ANN}>", f"From: <{ANN}>\r\nFrom : <carl@theirs.test>",
          "From : <carl@theirs.test>", "X-From: x", "From:", "From: undisclosed:;", "From: group: carl@theirs.test;", f"From: group: {ANN}, carl@theirs.test;", f"From: <@ours.test:carl@theirs.test>",
          f"From: \"{ANN}\" <carl@theirs.test>", f"From: ({ANN}) carl@theirs.test", f"From: carl@theirs.test ({ANN})", "From:\r\n <carl@theirs.test>", 
          f"From: <{ANN}>,\r\n\t<carl@theirs.test>", "From: <carl@theirs.test", "From: carl", "From: carl@[127.0.0.1]", f"From: <\"{ANN}\"@theirs.test>",
          "From: <bob@ours.test>", "From: =?utf-8?q?=3Ccarl=40theirs=2Etest=3E?=", f"From: <{ANN}>; <carl@theirs.test>", f"From: <carl@theirs.test> <{ANN}>",
          f"Fr\0om: x\r\nFrom: <{ANN}>\r\nFrom\t: <carl@theirs.test>", "\r\nFrom: <carl@theirs.test>", f" From: x\r\nFrom: <carl@theirs.test>")

# No address list by any grammar: what counts is the first address in it, and what another reader makes of the rest is not known.
NO_LIST = (f"From: <{ANN}@theirs.test>", f"From: <{ANN}> <carl@theirs.test>", f"From: <{ANN}\r\n @theirs.test>")


def authors(data):
    """Every address of every field that somebody might take for From."""
    head = data.split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace").replace("\r\n ", " ").replace("\r\n\t", "\t")
    fields = [line.partition(":")[2] for line in head.split("\r\n") if line.partition(":")[0].strip().lower() == "from"]
    found = []
    for field in fields:
        bare = email.utils.getaddresses([field])
        found += [address.lower() for _, address in bare if address]
        found += [piece.split(">")[0].strip().lower() for piece in field.split("<")[1:]]
    return set(found), len(fields)


def test_author_of_somebody_else(t):
    """The envelope is one's own, and From is not."""
    line = Line(t.port["submissions"], ANN, tls=True)
    wrong = []
    for sender in (ANN, ""):
        for field in FORGED + NO_LIST:
            mark = t.mark("author")
            data = message("x", "friend@outside.test", mark).replace(b"From: x", field.encode(), 1)
            said = line.attempt(sender, "friend@outside.test", data)
            t.asked += 1
            if said[-1].startswith("250") and len(said) == 3:
                t.controls.append(mark)
                lib.wait_until(lambda: any(mark.encode() in one.data for one in t.sink.taken), 60, what=f"{field!r} is taken, and comes to the sink")
                came = next(one for one in t.sink.taken if mark.encode() in one.data)
                found, count = authors(came.data)
                if count != 1 or not (found <= MINE or field in NO_LIST):
                    wrong.append(f"{field!r} leaves, with {count} From and the authors {sorted(found)}")
            else:
                assert said[-1][0] == "5", f"{field!r}: {said}"
    line.close()
    assert not wrong, "\n".join(wrong)


def test_sign_in_as_somebody_else(t):
    """One's own password with another's name, in every place that has one; and what is answered does not tell who exists."""
    def plain(*parts):
        return "AUTH PLAIN " + base64.b64encode("\0".join(parts).encode()).decode()
    answers = {}
    for who, line in (("carl", plain("", CARL, "wrong1")), ("nobody", plain("", "nobody@theirs.test", "wrong1")), ("outside", plain("", "x@outside.test", "wrong1")),
                      ("carl for ann", plain(CARL, ANN, PASSWORD)), ("nobody for ann", plain("nobody@theirs.test", ANN, PASSWORD)), ("four", plain("", ANN, PASSWORD, CARL))):
        smtp = lib.Smtp("127.0.0.1", t.port["submissions"], tls=True)
        smtp.s.sendall(line.encode() + b"\r\n")
        answers[who] = smtp.reply()
        smtp.close()
        t.asked += 1
    assert set(answers.values()) == {(535, answers["carl"][1])}, answers


def test_who_exists_is_not_told(t):
    """An address that exists and one that does not are answered alike, but for RCPT to a domain of ours, written as it is."""
    line = Line(t.port["smtp"])
    for verb in ("VRFY {}", "VRFY <{}>", "EXPN {}", "MAIL FROM:<{}>"):
        said = []
        for who in (ANN, "nobody@ours.test", CARL, "x@outside.test", "ann", "nobody"):
            if who in ("ann", "nobody") and verb.startswith("MAIL"):
                continue
            line.fresh()
            said.append(line.ask(verb.format(who)))
            t.asked += 1
        assert len(set(said)) == 1, f"{verb}: {said}"
    for make, user in ((lambda: Line(t.port["smtp"]), None), (lambda: Line(t.port["submissions"], ANN, tls=True), ANN)):
        line = make()
        sender = user or "stranger@elsewhere.test"
        for known, unknown in ((BOB, "nobb@ours.test"), (CARL, "cara@theirs.test")):
            for one, other in zip(tricks(known), tricks(unknown)):
                said = []
                for to in (one, other):
                    if line.smtp is None or line.asked > 6:
                        line.fresh()
                    line.asked += 1
                    assert line.ask(f"MAIL FROM:<{sender}> SMTPUTF8").startswith("250")
                    try:
                        said.append(line.ask(f"RCPT TO:<{to}>"))
                        line.ask("RSET")
                    except EOFError:
                        line.smtp = None
                        said.append("closed")
                    t.asked += 1
                assert said[0] == said[1] or (said[0].startswith("250") and said[1] == NOBODY), f"<{one}>, <{other}>: {said}"
        line.close()


def test_postmaster(t):
    """RFC 5321 §4.1.1.3: postmaster without a domain is ours; it never leaves, and a signed-in person's does not either."""
    line = Line(t.port["submissions"], ANN, tls=True)
    line.fresh()
    assert line.ask(f"MAIL FROM:<{ANN}>").startswith("250")
    said = line.ask("RCPT TO:<postmaster>")
    if said.startswith("250"):
        assert line.ask("DATA").startswith("354")
        said = line.ask(message(f"<{ANN}>", "postmaster", t.mark("postmaster")) + b".")
        assert said.startswith("250"), said
    line.close()
    t.asked += 1


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("only", nargs="*")
    args = args.parse_args()
    begin, work, failed, passed = time.monotonic(), lib.scratch("relay"), [], 0
    seed = lib.write_seed(os.path.join(work, "seed.toml"), TENANTS)
    sink = Sink().start()
    server = lib.Server(os.path.join(work, "data"), seed, extra=["--host-name", HOST, "--smart-host", f"smtp://127.0.0.1:{sink.port}"])
    try:
        suite = Suite(server.start(), sink)
        for name, test in [(n, f) for n, f in globals().items() if n.startswith("test_")]:
            if args.only and name.removeprefix("test_") not in args.only:
                continue
            try:
                test(suite)
                suite.control()
                passed += 1
            except Exception:
                failed.append(name)
                print(f"--- {name.removeprefix('test_')}\n{traceback.format_exc()}", flush=True)
                suite.controls = [email.message_from_bytes(one.data)["Subject"] for one in sink.taken]
            if not server.alive():
                print(f"the server ended; its log:\n{server.tail()}")
                server.start()
    finally:
        server.kill()
        sink.stop()
        lib.remove(work)
    print(f"relay: {suite.asked} tries, {suite.taken_here} for people here, {len(suite.controls)} left as they should")
    print(f"relay: {time.monotonic() - begin:.1f} s\n{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
