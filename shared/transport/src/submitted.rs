//! What a message gets when a person hands it in (RFC 6409 §8): pure. What is signed later is signed as it is after this.

use crate::date;
use crate::header::Header;
use penfold_types::{AcceptanceId, Domain, Timestamp};
use std::fmt::Write;
use std::ops::Range;

/// What to do to the bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What to take out, in order.
    pub gaps: Vec<Range<usize>>,
    /// Whole lines to put in front.
    pub front: String,
    /// What to put behind: a header without its empty line is no message that others can add to.
    pub behind: &'static str,
}

/// `sender`: the domain that a Message-ID of ours names.
pub(crate) fn changes(header: &Header, message: &[u8], acceptance: AcceptanceId, sender: &Domain, at: Timestamp) -> Changes {
    let mut front = String::new();
    if !header.message_id {
        // RFC 5322 §3.6.4.
        let _ = write!(front, "Message-ID: <{acceptance}@{sender}>\r\n");
    }
    if !header.date {
        front.push_str("Date: ");
        date::write(at, &mut front);
        front.push_str("\r\n");
    }
    let behind = match (header.ended, message.last()) {
        (true, _) => "",
        (false, Some(b'\n') | None) => "\r\n",
        (false, Some(_)) => "\r\n\r\n",
    };
    Changes { gaps: header.blind.clone(), front, behind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header;

    fn changed(message: &str) -> String {
        let id = AcceptanceId::from_bytes([0; 16]);
        let head = header::read(message.as_bytes(), "mx.test");
        let changes = changes(&head, message.as_bytes(), id, &"x.test".parse().unwrap(), Timestamp::from_seconds(0));
        let (mut out, mut at) = (changes.front, 0);
        for gap in changes.gaps {
            out.push_str(&message[at..gap.start]);
            at = gap.end;
        }
        out.push_str(&message[at..]);
        out.push_str(changes.behind);
        out
    }

    const ADDED: &str = "Message-ID: <00000000000000000000000000@x.test>\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\n";

    #[test]
    fn nobody_sees_who_got_a_blind_copy() {
        let message = "Bcc: a@x.test,\r\n\tb@x.test\r\nFrom: c@x.test\r\nbCC : d@x.test\r\nMessage-Id: <1@x.test>\r\n\
                       Resent-Bcc: f@x.test\r\n g@x.test\r\ndate: today\r\nX-Bcc: h\r\nBcc:\r\n\r\nBcc: body\r\n";
        assert_eq!(changed(message), "From: c@x.test\r\nMessage-Id: <1@x.test>\r\ndate: today\r\nX-Bcc: h\r\n\r\nBcc: body\r\n");
        assert_eq!(changed("Bcc: a\r\n\r\nText\r\n"), format!("{ADDED}\r\nText\r\n"));
    }

    #[test]
    fn every_message_has_an_id_and_a_date() {
        assert_eq!(
            changed("From: a\r\n\r\nMessage-ID: body\r\nDate: body\r\n"),
            format!("{ADDED}From: a\r\n\r\nMessage-ID: body\r\nDate: body\r\n")
        );
        assert_eq!(
            changed("Date: x\r\nResent-Message-ID: <1>\r\n\r\n"),
            format!("{}Date: x\r\nResent-Message-ID: <1>\r\n\r\n", &ADDED[..49])
        );
        assert_eq!(changed("Message-ID: x\r\nResent-Date: y\r\n\r\n"), format!("{}Message-ID: x\r\nResent-Date: y\r\n\r\n", &ADDED[49..]));
    }

    #[test]
    fn a_header_alone_gets_its_end() {
        for message in ["From: a", "From: a\r\n", "From: a\r\n\r\n"] {
            assert_eq!(changed(message), format!("{ADDED}From: a\r\n\r\n"));
        }
        assert_eq!(changed(""), format!("{ADDED}\r\n"));
        assert_eq!(changed("Bcc: a"), format!("{ADDED}\r\n\r\n"));
    }
}
