//! The public face of `penfold_formats::mime`: the standards' own examples, hostile mail, properties, a second opinion.

mod hostile;
mod property;
mod rfc2045;
mod rfc2046;
mod rfc2047;
mod rfc5322;
mod rfc9051;
mod search;
mod second_opinion;
mod text;

use penfold_formats::mime::{Mailbox, Part, Summary, summarise};

/// Text lines with the line ends of mail.
pub fn crlf(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

/// The structure in one line: `multipart/mixed(text/plain, message/rfc822(text/html))`.
pub fn shape(part: &Part) -> String {
    let children: Vec<String> = part.children.iter().map(shape).collect();
    let name = format!("{}/{}", part.kind, part.subtype);
    if children.is_empty() { name } else { format!("{name}({})", children.join(", ")) }
}

/// The body of the part at a path of numbers from 1, as IMAP counts; an embedded message is passed through.
pub fn body<'m>(message: &'m [u8], summary: &Summary, path: &[usize]) -> &'m str {
    let mut part = &summary.root;
    for number in path {
        while part.message.is_some() {
            part = &part.children[0];
        }
        part = &part.children[number - 1];
    }
    std::str::from_utf8(part.body_of(message)).unwrap()
}

/// Addresses as `name|mailbox|host`, with NIL where there is none.
pub fn flat(list: &[Mailbox]) -> Vec<String> {
    let text = |text: &Option<Box<[u8]>>| text.as_ref().map_or("NIL".to_owned(), |text| String::from_utf8_lossy(text).into_owned());
    list.iter().map(|address| format!("{}|{}|{}", text(&address.name), text(&address.mailbox), text(&address.host))).collect()
}

pub fn string(text: &Option<Box<[u8]>>) -> String {
    String::from_utf8_lossy(text.as_deref().unwrap_or(b"NIL")).into_owned()
}

/// What must hold of every summary of every message.
pub fn check(message: &[u8]) -> Summary {
    let summary = summarise(message);
    let encoded = summary.encode();
    assert!(encoded.len() <= penfold_formats::mime::MAX_ENCODED, "encoded to {} bytes", encoded.len());
    assert_eq!(Summary::decode(&encoded).as_ref(), Some(&summary));
    assert!(summary.preview.chars().count() <= 120);
    assert!(summary.references.len() <= 20);
    let length = u32::try_from(message.len()).unwrap();
    assert_eq!((summary.root.header.start, summary.root.body.end), (0, length));
    let parts = check_part(&summary.root, 0);
    assert!(parts <= 2 * penfold_formats::mime::MAX_PARTS);
    summary
}

fn check_part(part: &Part, depth: usize) -> usize {
    assert!(depth <= penfold_formats::mime::MAX_DEPTH);
    assert!(part.header.start <= part.header.end && part.header.end == part.body.start && part.body.start <= part.body.end);
    assert_eq!(part.kind == "multipart", part.is_multipart());
    let embedded = part.kind == "message" && (part.subtype == "rfc822" || part.subtype == "global");
    assert_eq!(embedded, part.message.is_some());
    if embedded {
        assert_eq!(part.children.len(), 1);
        assert_eq!((part.body.start, part.body.end), (part.children[0].header.start, part.children[0].body.end));
    }
    let mut at = part.body.start;
    let mut parts = 1;
    for child in &part.children {
        assert!(child.header.start >= at && child.body.end <= part.body.end, "{:?} in {:?}", child.header, part.body);
        at = child.body.end;
        parts += check_part(child, depth + 1);
    }
    parts
}
