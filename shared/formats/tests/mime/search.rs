//! SEARCH: substrings whatever their case.

use penfold_formats::mime::{Needle, body_contains, contains_folded, summarise, text_contains};

use crate::crlf;

fn found(needle: &str, haystack: &str) -> bool {
    Needle::new(needle).is_in(haystack.as_bytes())
}

#[test]
fn ascii() {
    assert!(found("WoRlD", "hello, world") && found("", "") && found("", "x") && found("x", "X") && found("12", "0123"));
    assert!(!found("worlds", "hello, world") && !found("x", "") && !found("[", "{") && !found("@", "`"));
    assert!(contains_folded(b"HELLO", "ell") && !contains_folded(b"HELLO", "elk"));
}

#[test]
fn other_alphabets() {
    assert!(found("GRÜSSE", "viele grüsse") && found("привет", "ПРИВЕТ, мир") && found("ΟΔΟΣ", "οδος") && found("οδοσ", "ΟΔΟΣ"));
    assert!(found("日本", "東京、日本") && found("é", "CAFÉ") && found("ñandú", "un ÑANDÚ"));
    assert!(!found("é", "cafe") && !found("привет", "hello") && !found("ä", "Ã¤"));
    assert!(Needle::new("ä").is_in(b"\xff\xc3\x84\xff") && !Needle::new("ä").is_in(b"\xe4"));
}

#[test]
fn across_the_blocks_that_are_folded_at_once() {
    for length in [1, 2, 17, 511, 512, 513, 5000] {
        let needle: String = "needle".chars().cycle().take(length).collect();
        for before in [0, 1, 4000, 4094, 4095, 4096, 8190, 9000] {
            let haystack = format!("{}{}{}", "-".repeat(before), needle.to_uppercase(), "-".repeat(before % 7));
            assert!(found(&needle, &haystack), "{length} after {before}");
            assert!(!found(&format!("{needle}+"), &haystack));
        }
    }
}

#[test]
fn in_the_text_of_messages() {
    let message = crlf(
        "Subject: =?utf-8?B?w4RwZmVs?=\nX-Junk: Zebra\nContent-Type: multipart/mixed; boundary=b\n\nPreamble\n--b\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<b>Gr=FC=\n=DFe</b>\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\nContent-Description: Logo\n\nVGlnZXI=\n--b\nContent-Type: message/rfc822\n\nSubject: Inner\n\nCat\n--b\nContent-Transfer-Encoding: base64\n\nVGlnZXI=\n--b--\n",
    );
    let root = summarise(&message).root;
    let body = |needle: &str| body_contains(&root, &message, &Needle::new(needle));
    let text = |needle: &str| text_contains(&root, &message, &Needle::new(needle));
    assert!(body("grüße") && body("<B>") && body("tiger") && body("cat"));
    assert!(!body("zebra") && !body("äpfel") && !body("preamble") && !body("VGlnZXI") && !body("inner"));
    assert!(text("zebra") && text("äPFEL") && text("logo") && text("inner") && text("grüße") && text("x-junk: z"));
    assert!(!text("preamble") && !text("lion"));
}

/// i;ascii-casemap, seen from the naive side.
#[test]
fn agrees_with_the_naive_search() {
    let text = "The Quick brown FOX jumps over the lazy dog. äÖ \u{130} ß".repeat(200);
    for needle in ["quick BROWN", "fox jumps over the lazy dog. ", "dog.t", "Öä", "öä", "\u{e4}ö", "i\u{307}", "SS"] {
        assert_eq!(found(needle, &text), text.to_lowercase().contains(&needle.to_lowercase()), "{needle}");
    }
}

#[test]
fn in_a_folded_field_with_encoded_words() {
    let message = crlf(
        "A: one\nSubject: x\n two =?utf-8?Q?dr=C3=A9i?=\n =?utf-8?Q?_four?=\n five\nB: =?utf-8?Q?s=C3=AFx?=\nC: =?utf-8?Q?seven?=\n\n",
    );
    let root = summarise(&message).root;
    for (needle, there) in [("x two dréi four five", true), ("sïx", true), ("seven", true), ("oneSubject", false), ("five sïx", false)] {
        assert_eq!(text_contains(&root, &message, &Needle::new(needle)), there, "{needle}");
    }
}
