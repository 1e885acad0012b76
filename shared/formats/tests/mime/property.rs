//! What holds for any bytes at all, and for real mail with pieces cut out, doubled and exchanged.

use penfold_formats::mime::{
    MAX_ENCODED, Needle, Part, Summary, addresses, body_text, decode_body, decode_header, header_fields, message_ids, parse_date, summarise,
};
use proptest::prelude::*;

use crate::check;
use crate::second_opinion::MAILS;

/// Pieces of which mail is made, so that random messages have structure.
const PIECES: [&str; 32] = [
    "\r\n",
    "\n",
    "\r\n\r\n",
    "--b",
    "--b--",
    "\r\n--b\r\n",
    "\r\n--c\r\n",
    "\r\n--b--\r\n",
    "\r\n--c--\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: multipart/digest; boundary=\"c\"\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: text/html; charset=utf-8\r\n",
    "Content-Type: x/y; name*0*=utf-8''a%C3; name*1*=%A4\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Disposition: attachment; filename=\"x y\"\r\n",
    "Content-ID: <a@b>\r\nContent-Language: de, en\r\nContent-Location: x\r\nContent-MD5: y\r\n",
    "From: A B <a@b>\r\n",
    "To: g:a@b,c@d;,\"q\\\"\" <e@f> (c)\r\n",
    "Sender: x@y\r\n",
    "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n",
    "Subject: =?utf-8?Q?=C3=A4?= =?utf-8?B?w6Q=?=\r\n",
    "References: <a@b> <c@d>\r\n",
    "text ",
    "=C3=A4=\r\n",
    "w6Q=\r\n",
    "<p>&amp;",
    "\t",
    "\0",
    "\u{e4}",
    "(",
];

fn message() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0..PIECES.len(), 0..60).prop_map(|picked| picked.iter().flat_map(|piece| PIECES[*piece].bytes()).collect())
}

/// A real mail after some bytes were replaced, ranges cut out, doubled or exchanged.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), 0..4_u8, any::<u8>());
    (0..MAILS.len(), proptest::collection::vec(change, 1..8)).prop_map(|(mail, changes)| {
        let mut bytes = crate::crlf(MAILS[mail].0);
        for (from, to, how, value) in changes {
            if bytes.is_empty() {
                break;
            }
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let (from, to) = (from.min(to), from.max(to));
            match how {
                0 => bytes[from] = value,
                1 => drop(bytes.drain(from..to)),
                2 => {
                    let copy = bytes[from..to].to_vec();
                    bytes.splice(to..to, copy);
                }
                _ => bytes.rotate_left(from),
            }
        }
        bytes
    })
}

fn everything(bytes: &[u8]) {
    let summary = check(bytes);
    visit(&summary.root, bytes);
    addresses(bytes);
    parse_date(bytes);
    decode_header(bytes);
    message_ids(bytes);
    let fields: Vec<u8> = header_fields(bytes).flat_map(|(_, whole, _)| whole.iter().copied()).collect();
    assert!(bytes.starts_with(&fields));
    Summary::decode(bytes);
}

fn visit(part: &Part, bytes: &[u8]) {
    let body = part.body_of(bytes);
    assert!(decode_body(part, body).len() <= body.len());
    assert!(body_text(part, body).len() <= 3 * body.len());
    part.filename();
    part.children.iter().for_each(|child| visit(child, bytes));
}

/// What fuzzing found worth keeping, again.
#[test]
fn the_kept_corpus() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/mime");
    let mut files = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        everything(&std::fs::read(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 50);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        everything(&bytes);
    }

    #[test]
    fn any_pieces(bytes in message()) {
        everything(&bytes);
    }

    #[test]
    fn any_mutation(bytes in mutated()) {
        everything(&bytes);
    }

    /// The same message with bare line feeds has the same parts.
    #[test]
    fn line_ends_do_not_matter(picked in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = picked.iter().map(|piece| PIECES[*piece]).collect::<String>().replace("\r\n", "\n");
        let (bare, full) = (summarise(text.as_bytes()), summarise(&crate::crlf(&text)));
        prop_assert_eq!(crate::shape(&bare.root), crate::shape(&full.root));
        prop_assert_eq!(bare.envelope, full.envelope);
    }

    #[test]
    fn whatever_is_read_can_be_written(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        bytes.splice(0..0, [1, 0]);
        if let Some(summary) = Summary::decode(&bytes) {
            let encoded = summary.encode();
            prop_assert!(encoded.len() <= MAX_ENCODED);
            prop_assert_eq!(Summary::decode(&encoded), Some(summary));
        }
    }

    #[test]
    fn search_is_what_the_naive_search_finds(haystack in "[a-cA-CäÄß\u{3b3}\u{393}]{0,60}", needle in "[a-cA-CäÄ\u{393}]{0,4}") {
        let folded = haystack.to_lowercase().contains(&needle.to_lowercase());
        prop_assert_eq!(Needle::new(&needle).is_in(haystack.as_bytes()), folded);
    }

    #[test]
    fn transfer_encodings_come_back(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let base64 = Part { encoding: "base64".into(), ..Part::default() };
        prop_assert_eq!(decode_body(&base64, encode_base64(&data).as_bytes()), data.clone());
        let quoted = Part { encoding: "quoted-printable".into(), ..Part::default() };
        let mut body: Vec<u8> = Vec::new();
        for byte in &data {
            body.extend(format!("={byte:02X}").bytes());
            if byte % 16 == 0 {
                body.extend(b"=\r\n");
            }
        }
        prop_assert_eq!(decode_body(&quoted, &body), data);
    }
}

fn encode_base64(data: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (count, chunk) in data.chunks(3).enumerate() {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for place in 0..4 {
            let letter = char::from(LETTERS[(word >> (18 - 6 * place) & 63) as usize]);
            text.push(if place <= chunk.len() { letter } else { '=' });
        }
        if count % 19 == 18 {
            text.push_str("\r\n");
        }
    }
    text
}
