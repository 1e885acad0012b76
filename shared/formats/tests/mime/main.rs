//! The public face of `penfold_formats::mime`: the standards' own examples, hostile mail, properties, a second opinion.

#![allow(clippy::unwrap_used)]

mod check;
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

pub use check::check;
use penfold_formats::mime::{Mailbox, Part, Summary};

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
