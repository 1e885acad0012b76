//! Internet messages: RFC 5322 headers, RFC 2045-2049 structure, RFC 2047 and 2231 words, RFC 9051 §7.5.2 facts.
//!
//! A message is parsed once, at acceptance, by [`summarise`]; the summary is stored beside the bytes and answers
//! ENVELOPE, BODYSTRUCTURE and every question about where a part is. Nothing in here fails: what is no MIME is one
//! text/plain part, and what passes a bound is cut, with [`Summary::cut`] saying so.

mod address;
mod bounds;
mod codec;
mod content;
mod cursor;
mod date;
mod envelope;
mod fields;
mod html;
mod msgid;
mod parameter;
mod preview;
mod search;
mod structure;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod transfer;
mod word;

pub use address::addresses;
pub use bounds::{MAX_DEPTH, MAX_ENCODED, MAX_PARTS};
pub use date::parse_date;
pub use envelope::envelope;
pub use fields::{Fields, header_fields, unfold};
pub use msgid::message_ids;
pub use parameter::parameter;
pub use search::{Needle, body_contains, contains_folded, text_contains};
pub use structure::summarise;
pub use summary::{Envelope, Mailbox, Part, Summary, Text};
pub use text::body_text;
pub(crate) use transfer::quoted_printable;
pub use transfer::{decode_body, known_encoding};
pub use word::decode_header;
