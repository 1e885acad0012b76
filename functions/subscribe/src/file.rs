//! What a file of a calendar holds: pure.

use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::BASE32HEX_NOPAD;
use penfold_formats::icalendar::{Limits, split};
use penfold_mailbox::{Kind, Mark, NewObject};

/// Objects of one file.
const OBJECTS: usize = 20_000;

/// A file that can be used.
pub struct File {
    pub objects: Vec<(NewObject, Mark)>,
    /// What was left out.
    pub skipped: u64,
    /// Seconds until it is to be looked at again, as it says.
    pub refresh: Option<u64>,
}

/// One sentence for whoever subscribed.
pub type Fault = &'static str;

/// The hash of a file or an object, apart from when it was written out: some servers say another DTSTAMP at each download.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut stamp = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        // RFC 5545 §3.1: what begins with a blank goes on with the line before it.
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            stamp = line.get(..7).is_some_and(|name| name.eq_ignore_ascii_case(b"DTSTAMP")) && matches!(line.get(7), Some(b':' | b';'));
        }
        if !stamp {
            context.update(line);
        }
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

fn first_16(hash: &[u8]) -> Mark {
    let mut out = [0; 16];
    out.copy_from_slice(&hash[..16]);
    out
}

/// What an object of a UID is called.
fn name(uid: &str) -> String {
    let hash = digest::digest(&digest::SHA256, uid.as_bytes());
    format!("{}.ics", BASE32HEX_NOPAD.encode(&hash.as_ref()[..16]).to_lowercase())
}

/// A file that breaks off is as good as none: what is missing in it was not deleted.
fn is_whole(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    let begins = text.get(..15).is_some_and(|begin| begin.eq_ignore_ascii_case(b"BEGIN:VCALENDAR"));
    let end = text.len().checked_sub(13).and_then(|at| text.get(at..));
    begins && end.is_some_and(|end| end.eq_ignore_ascii_case(b"END:VCALENDAR"))
}

/// Events alone are taken; what cannot be one is left out and counted.
pub fn read(bytes: &Bytes) -> Result<File, Fault> {
    if bytes.trim_ascii().is_empty() {
        return Err("the file is empty");
    }
    if !is_whole(bytes) {
        return Err("the file is no calendar, or breaks off");
    }
    let lines = bytes.len();
    let limits = Limits { octets: bytes.len(), lines, components: 2 * OBJECTS + 1000, ..Limits::default() };
    let split = split(bytes, &limits);
    if split.objects.len() > OBJECTS || split.skipped.iter().any(|fault| fault.text == "more components than are taken") {
        return Err("the calendar holds more than 20,000 events");
    }
    let mut skipped = split.skipped.len() as u64;
    let mut objects = Vec::with_capacity(split.objects.len());
    for object in &split.objects {
        let text = Bytes::copy_from_slice(object.bytes());
        let mark = first_16(&hash(&text));
        match penfold_calendar::object(Kind::Events, &name(object.uid()), text) {
            Ok(new) => objects.push((new, mark)),
            Err(_) => skipped += 1,
        }
    }
    if objects.is_empty() && skipped > 0 {
        return Err("the file holds no event that can be read");
    }
    Ok(File { objects, skipped, refresh: split.refresh })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(uid: &str, rest: &str) -> String {
        format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\n{rest}END:VEVENT\r\n")
    }

    fn calendar(head: &str, events: &[String]) -> Bytes {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{head}{}END:VCALENDAR\r\n", events.concat()).into()
    }

    #[test]
    fn a_stamp_that_alone_differs_is_no_change() {
        let file = calendar("", &[event("a", "SUMMARY:x\r\n"), event("b", "DESCRIPTION:one\r\n DTSTAMP:two\r\n")]);
        let text = String::from_utf8(file.to_vec()).unwrap();
        let later = text.replace("DTSTAMP:20260101T000000Z", "DTSTAMP;X=1:2026\r\n 0202T000000Z");
        assert_eq!(hash(&file), hash(later.as_bytes()));
        assert_ne!(hash(&file), hash(text.replace(" DTSTAMP:two", " DTSTAMP:three").as_bytes()));
        let marks =
            |text: &str| read(&text.to_owned().into()).unwrap().objects.into_iter().map(|(new, mark)| (new.name, mark)).collect::<Vec<_>>();
        assert_eq!(marks(&text), marks(&later));
        assert_ne!(marks(&text), marks(&text.replace("SUMMARY:x", "SUMMARY:y")));
    }

    #[test]
    fn what_is_bad_is_left_out_and_counted() {
        let file = calendar(
            "REFRESH-INTERVAL;VALUE=DURATION:P1D\r\nX-PUBLISHED-TTL:PT1H\r\n",
            &[
                event("a", ""),
                event("", ""),
                "BEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20260101T000000Z\r\nEND:VTODO\r\n".to_owned(),
                event("b", "RRULE:x\r\n"),
            ],
        );
        let read = read(&file).unwrap();
        assert_eq!((read.objects.len(), read.skipped, read.refresh), (1, 3, Some(86_400)));
    }

    #[test]
    fn what_is_no_calendar_is_none() {
        let whole = calendar("", &[event("a", "")]);
        for wrong in [&b""[..], b" \r\n", b"<html></html>", &whole[..whole.len() - 20], &whole[10..], &[0xff; 40]] {
            assert!(read(&Bytes::copy_from_slice(wrong)).is_err(), "{wrong:?}");
        }
        assert!(read(&calendar("", &[event("", "")])).is_err());
        assert!(read(&calendar("", &[])).unwrap().objects.is_empty());
        assert!(read(&[b"\xef\xbb\xbf", &whole[..]].concat().into()).is_ok());
    }
}
