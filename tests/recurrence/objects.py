"""Calendar objects by chance, the same for the same seed: what clients may write by RFC 5545, in all the forms that it has."""
import base64
import datetime
import random

UTC = datetime.timezone.utc
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"]
# A zone that nobody knows by its name.
OWN = ("BEGIN:VTIMEZONE", "TZID:/example.org/Own", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:-0330", "TZOFFSETTO:-0330", "TZNAME:OWN", "END:STANDARD", "END:VTIMEZONE")
WORDS = ["plain", "two words", "comma, semicolon; both", "back\\slash", "a\nline", "ümläut", "日本語の予定", "emoji 🎉🎂", "tab\there", "100% & <b>\"quoted\"</b>", "colon: here", "^caret^", "ﷺ", "  spaces  "]
PLACES = ["Europe/Berlin office", "Raum 3, links", "“Quoted”", "a;b;c"]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def escaped(text):
    """RFC 5545 §3.3.11."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


class Maker:
    def __init__(self, seed):
        self.dice = random.Random(seed)

    def chance(self, percent):
        return self.dice.randrange(100) < percent

    def words(self, most=4):
        return " ".join(self.dice.choice(WORDS) for _ in range(self.dice.randint(1, most)))

    def folded(self, line):
        """Anywhere between two characters, and not only where it is too long (RFC 5545 §3.1)."""
        parts, width = [], self.dice.choice([20, 40, 60, 60])
        while len(line.encode()) > width:
            at = width
            while len(line[:at].encode()) > width:
                at -= 1
            parts.append(line[:at])
            line = line[at:]
        return "\r\n ".join([*parts, line]) + "\r\n"

    def parameter(self, name, value):
        # RFC 6868 §3.1. Others do not keep spaces at the end of one that is not quoted.
        value = value.strip().replace("^", "^^").replace("\n", "^n").replace('"', "^'")
        return f';{name}="{value}"' if any(letter in value for letter in ":;,") or self.chance(20) else f";{name}={value}"

    def person(self, name, number):
        line = name + self.parameter("CN", self.words(2).replace("\t", " "))
        if name == "ATTENDEE":
            line += f";PARTSTAT={self.dice.choice(['ACCEPTED', 'DECLINED', 'NEEDS-ACTION'])};ROLE=REQ-PARTICIPANT;RSVP={self.dice.choice(['TRUE', 'FALSE'])}"
            if self.chance(20):
                line += ';MEMBER="mailto:a@example.org","mailto:b@example.org"'
        return f"{line}:mailto:{name.lower()}{number}@example.org"

    def moment(self):
        """Between eight and six by the clock: no clock is changed then."""
        return datetime.datetime(self.dice.randint(2001, 2027), self.dice.randint(1, 12), self.dice.randint(1, 28), self.dice.randint(8, 17), self.dice.choice([0, 15, 30, 59]), self.dice.choice([0, 0, 30]))

    def form(self):
        """How times of one object are written: (parameters, what is behind a time)"""
        kind = self.dice.choice(["utc", "floating", "zone", "zone", "zone", "own", "date"])
        return {"utc": ("", "Z"), "floating": ("", ""), "zone": (f";TZID={self.dice.choice(ZONES)}", ""), "own": (self.parameter("TZID", OWN[1][5:]), ""), "date": (";VALUE=DATE", None)}[kind]

    @staticmethod
    def written(time, form):
        return time.strftime("%Y%m%d") if form[1] is None else time.strftime("%Y%m%dT%H%M%S") + form[1]

    def rule(self):
        frequency = self.dice.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
        parts = [f"FREQ={frequency}", f"COUNT={self.dice.randint(2, 12)}"]
        if self.chance(40):
            parts.append(f"INTERVAL={self.dice.randint(2, 4)}")
        if frequency == "WEEKLY" and self.chance(50):
            parts.append("WKST=" + self.dice.choice(["MO", "SU"]))
        self.dice.shuffle(parts)
        return ";".join(parts)

    def texts(self, number):
        out = [f"SUMMARY{self.parameter('LANGUAGE', 'en') if self.chance(20) else ''}:{escaped(self.words())}"]
        if self.chance(60):
            out.append("DESCRIPTION:" + escaped(self.words(12)))
        if self.chance(40):
            out.append(f"location{self.parameter('ALTREP', 'https://example.org/a?b=c;d')}:{escaped(self.dice.choice(PLACES))}")
        if self.chance(40):
            out.append("CATEGORIES:" + ",".join(escaped(self.words(1)) for _ in range(self.dice.randint(1, 3))))
        if self.chance(20):
            out.append(f"GEO:{self.dice.uniform(-90, 90):.6f};{self.dice.uniform(-180, 180):.6f}")
        if self.chance(20):
            out.append("ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:" + base64.b64encode(self.dice.randbytes(self.dice.randint(1, 200))).decode())
        if self.chance(20):
            out.append("ATTACH:https://example.org/file?name=a;b,c")
        if self.chance(40):
            out.append(f"X-Thing{self.parameter('X-Kind', self.words(2).replace(chr(9), ' '))}:{escaped(self.words())}")
        if self.chance(30):
            out += [self.person("ORGANIZER", number), *(self.person("ATTENDEE", n) for n in range(self.dice.randint(1, 4)))]
        if self.chance(30):
            out += [f"PRIORITY:{self.dice.randint(0, 9)}", f"SEQUENCE:{self.dice.randint(0, 50)}", "CLASS:" + self.dice.choice(["PUBLIC", "PRIVATE", "CONFIDENTIAL"]), f"URL:https://example.org/{number}?a=b,c"]
        return out

    def alarm(self):
        return ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:" + escaped(self.words()), self.dice.choice(["TRIGGER:-PT15M", "TRIGGER;RELATED=END:PT5M", "TRIGGER;VALUE=DATE-TIME:20260101T080000Z"]), "END:VALARM"]

    def dated(self, kind, form, start, length):
        days = form[1] is None
        out = [f"DTSTART{form[0]}:{self.written(start, form)}"]
        end = start + (datetime.timedelta(days=length) if days else datetime.timedelta(minutes=15 * length))
        if self.chance(50):
            out.append(f"{'DUE' if kind == 'VTODO' else 'DTEND'}{form[0]}:{self.written(end, form)}")
        else:
            out.append(f"DURATION:P{length}D" if days else f"DURATION:PT{15 * length}M")
        return out

    def object(self, kind, number):
        """Text of one VEVENT or VTODO with its overrides."""
        form, start, length = self.form(), self.moment(), self.dice.randint(1, 8)
        head = [f"BEGIN:{kind}", f"UID:object-{number}@example.org", "DTSTAMP:20260101T000000Z"]
        main = head + self.dated(kind, form, start, length) + self.texts(number)
        lines = list(OWN) if "/example.org/Own" in form[0] else []
        override = []
        if kind == "VEVENT" and self.chance(50):
            rule = self.rule()
            main.append("RRULE:" + rule)
            daily = rule.count("FREQ=DAILY") and "INTERVAL" not in rule
            if daily and self.chance(60):
                main.append(f"EXDATE{form[0]}:{self.written(start + datetime.timedelta(days=1), form)}")
            if self.chance(30):
                main.append(f"RDATE{form[0]}:{self.written(start + datetime.timedelta(days=400, hours=1), form)}")
            if self.chance(40):
                moved = start + datetime.timedelta(days=0 if form[1] is None else 3, hours=0 if form[1] is None else 1)
                override = [*head, f"RECURRENCE-ID{form[0]}:{self.written(start, form)}", *self.dated(kind, form, moved, length), *self.texts(number), f"END:{kind}"]
        if self.chance(30):
            main += self.alarm()
        lines += [*main, f"END:{kind}", *override]
        return "".join(self.folded(line) for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//By chance//EN", *lines, "END:VCALENDAR"])
