//! MIME: every summary keeps what `check` says, and every decoder ends.
#![no_main]

#[path = "../../shared/formats/tests/mime/check.rs"]
mod check;

use libfuzzer_sys::fuzz_target;
use penfold_formats::mime::{
    Needle, Part, Summary, addresses, body_text, decode_body, decode_header, message_ids, parse_date, text_contains,
};

fuzz_target!(|message: &[u8]| {
    let summary = check::check(message);
    visit(&summary.root, message);
    let needle = Needle::new(&decode_header(message.get(..16).unwrap_or(message)));
    text_contains(&summary.root, message, &needle);
    addresses(message);
    parse_date(message);
    message_ids(message);
    if let Some(read) = Summary::decode(message) {
        assert_eq!(Summary::decode(&read.encode()), Some(read));
    }
});

fn visit(part: &Part, message: &[u8]) {
    let body = part.body_of(message);
    assert!(decode_body(part, body).len() <= body.len());
    assert!(body_text(part, body).len() <= 3 * body.len());
    part.filename();
    part.children.iter().for_each(|child| visit(child, message));
}
