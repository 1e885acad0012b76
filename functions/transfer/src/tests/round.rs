//! Whatever is in a calendar, its export goes in again as it was.

use super::objects::Place;
use super::*;
use penfold_calendar::object;
use penfold_formats::icalendar::Object as Calendar;
use penfold_mailbox::{Kind as Holding, Span};
use penfold_types::Env;
use std::fmt::Write as _;

/// Objects by chance, the same for the same seed.
struct Dice(Env);

impl Dice {
    fn one_of<'a>(&self, of: &[&'a str]) -> &'a str {
        of[self.0.below(of.len() as u64) as usize]
    }

    fn often(&self, of: u64) -> bool {
        self.0.below(of) == 0
    }

    /// A zone's name, and its definition where the object brings one: two mean different things by the same name.
    fn zone(&self) -> (&'static str, String) {
        let name = self.one_of(&["Own Zone", "Europe/Berlin", "Asia/Tokyo", "/example.com/Own", "W. Europe Standard Time"]);
        let known = matches!(name, "Europe/Berlin" | "Asia/Tokyo" | "W. Europe Standard Time");
        if known && self.often(2) {
            return (name, String::new());
        }
        let offset = self.one_of(&["+0100", "+0200", "-0730"]);
        let more = self.one_of(&["", "X-LIC-LOCATION:Somewhere\r\n", "LAST-MODIFIED:20240101T000000Z\r\n"]);
        let text = format!(
            "BEGIN:VTIMEZONE\r\nTZID:{name}\r\n{more}BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        );
        (name, text)
    }

    /// A line that is folded somewhere, by one of both blanks, and between the octets of a character too.
    fn folded(&self, name: &str) -> Vec<u8> {
        let text: String = (0..self.0.below(120))
            .map(|_| self.one_of(&["a", "ü", "漢", "\\n", "\\,", " ", "\t", "🙂", "BEGIN:VEVENT", ":", ";"]))
            .collect();
        let mut out = name.as_bytes().to_vec();
        for byte in text.bytes() {
            if self.often(20) {
                out.extend_from_slice(self.one_of(&["\r\n ", "\r\n\t"]).as_bytes());
            }
            out.push(byte);
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    fn part(&self, uid: &str, (day, hour): (u64, u64), zone: Option<&str>, exception: bool) -> Vec<u8> {
        let time = |name: &str, hour: u64| match zone {
            Some(zone) => format!("{name};TZID={zone}:2026{:02}{:02}T{hour:02}0000\r\n", 1 + day / 28, 1 + day % 28),
            None => format!("{name}:2026{:02}{:02}T{hour:02}0000Z\r\n", 1 + day / 28, 1 + day % 28),
        };
        let mut out =
            format!("{}\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n", self.one_of(&["BEGIN:VEVENT", "BEGIN:VEVENT", "begin:vevent"]))
                .into_bytes();
        if exception {
            out.extend_from_slice(time("RECURRENCE-ID", hour).as_bytes());
            out.extend_from_slice(time("DTSTART", hour + 1).as_bytes());
        } else {
            out.extend_from_slice(time("DTSTART", hour).as_bytes());
            out.extend_from_slice(self.one_of(&["", "DURATION:PT1H\r\n", "duration:PT30M\r\n"]).as_bytes());
        }
        for name in ["SUMMARY:", "DESCRIPTION;X-A=\"b;c:d\":", "X-OWN:"] {
            if self.often(2) {
                out.extend(self.folded(name));
            }
        }
        if self.often(4) {
            out.extend_from_slice(b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n");
        }
        out.extend_from_slice(b"END:VEVENT\r\n");
        out
    }

    /// A series with exceptions or a single event, as some client writes it.
    fn object(&self, number: usize) -> Vec<u8> {
        let uid = format!("{number}-{}", self.one_of(&["x", "a@b.test", "ü{}", "with space", "LONG".repeat(30).as_str()]));
        let (zone, definition) = self.zone();
        let zone = Some(zone).filter(|_| !self.often(4));
        let at = (self.0.below(300), self.0.below(20));
        let mut parts = vec![self.part(&uid, at, zone, false)];
        if self.often(3) {
            let rule = self.one_of(&["RRULE:FREQ=DAILY;COUNT=400\r\n", "RRULE:FREQ=WEEKLY;COUNT=99\r\n", "RRULE:FREQ=DAILY\r\n"]);
            let end = parts[0].len() - "END:VEVENT\r\n".len();
            parts[0].splice(end..end, rule.bytes());
            for n in 1..=self.0.below(3) {
                parts.push(self.part(&uid, (at.0 + 7 * n, at.1), zone, true));
            }
        }
        if zone.is_some() || self.often(8) {
            parts.push(definition.into_bytes());
        }
        // In any order.
        for at in 1..parts.len() {
            parts.swap(at, self.0.below(at as u64 + 1) as usize);
        }
        let head = self.one_of(&["", "CALSCALE:GREGORIAN\r\n", "X-WR-CALNAME:Mine\r\n"]);
        let text =
            [b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n", head.as_bytes(), &parts.concat(), b"END:VCALENDAR\r\n"].concat();
        if self.often(3) { text.into_iter().filter(|byte| *byte != b'\r').collect() } else { text }
    }
}

/// What an object says: its components octet by octet, and when it is.
fn said(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<Span>) {
    let new = object(Holding::Events, "x.ics", Bytes::copy_from_slice(bytes)).unwrap();
    (Calendar::read(bytes).unwrap().parts().map(<[u8]>::to_vec).collect(), new.span)
}

async fn all(place: &Place) -> BTreeMap<String, (Vec<Vec<u8>>, Option<Span>)> {
    let all = place.bytes().await.into_values();
    all.map(|bytes| (Calendar::read(&bytes).unwrap().uid().to_owned(), said(&bytes))).collect()
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_out_goes_in_equal() {
    for seed in 100..140 {
        let house = house(seed).await;
        let (from, to) = (house.place(Holding::Events, "from").await, house.place(Holding::Events, "to").await);
        let dice = Dice(house.simulated.env());
        let mut put = 0;
        for number in 0..60 {
            let bytes = Bytes::from(dice.object(number));
            match object(Holding::Events, &format!("{number}.ics"), bytes.clone()) {
                Ok(new) => {
                    from.mailbox.put_object(from.folder, &new, &|_| true).await.unwrap();
                    put += 1;
                }
                Err(fault) => panic!("{fault:?}: {}", String::from_utf8_lossy(&bytes)),
            }
        }
        let file = house.take_out(&from).await;
        let one = house.work(&house.take_in(&to, Existing::Refuse, &file).await).await;
        assert_eq!((one.done, one.failed), (put, 0), "seed {seed}: {:?}", house.wrong(&one).await);
        let (before, after) = (all(&from).await, all(&to).await);
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "seed {seed}");
        for (uid, one) in &before {
            let mut difference = String::new();
            if *one != after[uid] {
                write!(difference, "{:?}\n{:?}", one.1, after[uid].1).unwrap();
                for part in one.0.iter().chain(&after[uid].0) {
                    write!(difference, "\n{}", String::from_utf8_lossy(part)).unwrap();
                }
            }
            assert!(difference.is_empty(), "seed {seed}: {uid}: {difference}\n{}", String::from_utf8_lossy(&file));
        }
        // And back to where it came from without a change.
        let head = from.mailbox.head().await.unwrap().modseq;
        let again = house.work(&house.take_in(&from, Existing::Update, &file).await).await;
        assert_eq!((again.done, again.failed, from.mailbox.head().await.unwrap().modseq), (put, 0, head), "seed {seed}");
    }
}

/// The same with lines that end as on other systems: what they say is the same.
#[tokio::test(start_paused = true)]
async fn a_file_with_other_line_ends_says_the_same() {
    let house = house(141).await;
    let (from, to) = (house.place(Holding::Events, "from").await, house.place(Holding::Events, "to").await);
    let dice = Dice(house.simulated.env());
    for number in 0..100 {
        let new = object(Holding::Events, &format!("{number}.ics"), Bytes::from(dice.object(number))).unwrap();
        from.mailbox.put_object(from.folder, &new, &|_| true).await.unwrap();
    }
    let file: Vec<u8> = house.take_out(&from).await.into_iter().filter(|byte| *byte != b'\r').collect();
    let one = house.work(&house.take_in(&to, Existing::Refuse, &file).await).await;
    assert_eq!((one.done, one.failed), (100, 0), "{:?}", house.wrong(&one).await);
    let plain = |all: BTreeMap<String, (Vec<Vec<u8>>, Option<Span>)>| {
        let without = |part: Vec<u8>| part.into_iter().filter(|byte| *byte != b'\r').collect::<Vec<u8>>();
        all.into_iter().map(|(uid, (parts, span))| (uid, parts.into_iter().map(without).collect::<Vec<_>>(), span)).collect::<Vec<_>>()
    };
    assert!(plain(all(&from).await) == plain(all(&to).await));
}
