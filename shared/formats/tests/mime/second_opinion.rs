//! mail-parser's view of the same mail, where the two ought to agree.

use mail_parser::{Address, MessageParser, MimeHeaders};
use penfold_formats::mime::{Mailbox, body_text, decode_body, decode_header};

use crate::{check, crlf};

/// (message, leaves): mail as clients of the day write it.
pub const MAILS: [(&str, usize); 4] = [
    (include_str!("mails/plain.eml"), 1),
    (include_str!("mails/alternative.eml"), 4),
    (include_str!("mails/report.eml"), 3),
    (include_str!("mails/japanese.eml"), 1),
];

#[test]
fn subjects_dates_ids_and_addresses() {
    for (mail, _) in MAILS {
        let message = crlf(mail);
        let (ours, theirs) = (check(&message).envelope, MessageParser::default().parse(&message).unwrap());
        assert_eq!(ours.subject.as_deref().map(decode_header).as_deref(), theirs.subject());
        assert_eq!(ours.sent, theirs.date().map(|date| date.to_timestamp()));
        let id = ours.message_id.as_deref().map(|id| String::from_utf8_lossy(id).trim_matches(['<', '>']).to_owned());
        assert_eq!(id.as_deref(), theirs.message_id());
        assert_eq!(shown(&ours.from), listed(theirs.from()));
        assert_eq!(shown(&ours.to), listed(theirs.to()));
        assert_eq!(shown(&ours.cc), listed(theirs.cc()));
    }
}

fn shown(list: &[Mailbox]) -> Vec<(Option<String>, String)> {
    let text = |text: &Option<Box<[u8]>>| String::from_utf8_lossy(text.as_deref().unwrap_or_default()).into_owned();
    let addresses = list.iter().filter(|address| address.host.is_some());
    addresses
        .map(|address| (address.name.as_deref().map(decode_header), format!("{}@{}", text(&address.mailbox), text(&address.host))))
        .collect()
}

fn listed(list: Option<&Address<'_>>) -> Vec<(Option<String>, String)> {
    let Some(list) = list else { return Vec::new() };
    list.iter().map(|address| (address.name.as_ref().map(ToString::to_string), address.address().unwrap_or_default().to_owned())).collect()
}

#[test]
fn parts_and_what_is_in_them() {
    for (mail, leaves) in MAILS {
        let message = crlf(mail);
        let summary = check(&message);
        let theirs = MessageParser::default().parse(&message).unwrap();
        let mut ours = Vec::new();
        collect(&summary.root, &mut ours);
        let theirs: Vec<_> = theirs.parts.iter().filter(|part| !part.is_multipart()).collect();
        assert_eq!((ours.len(), theirs.len()), (leaves, leaves));
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!((ours.body.start, ours.body.end), (theirs.offset_body, theirs.offset_end));
            let body = ours.body_of(&message);
            match &theirs.body {
                mail_parser::PartType::Text(text) | mail_parser::PartType::Html(text) => assert_eq!(body_text(ours, body), *text),
                mail_parser::PartType::Binary(data) | mail_parser::PartType::InlineBinary(data) => {
                    assert_eq!(decode_body(ours, body), **data)
                }
                _ => {}
            }
            assert_eq!(ours.filename().as_deref(), theirs.attachment_name());
        }
    }
}

fn collect<'p>(part: &'p penfold_formats::mime::Part, leaves: &mut Vec<&'p penfold_formats::mime::Part>) {
    if part.is_multipart() {
        part.children.iter().for_each(|child| collect(child, leaves));
    } else {
        leaves.push(part);
    }
}
