//! Previews.

use crate::{check, crlf};

fn preview(message: &str) -> String {
    check(&crlf(message)).preview
}

#[test]
fn of_plain_text() {
    assert_eq!(preview("\n  Hello,\n\n\tworld \n"), "Hello, world");
    assert_eq!(
        preview("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe =\nan alle"),
        "Grüße an alle"
    );
    assert_eq!(preview(""), "");
    let long = preview(&format!("\n{}", "wörter ".repeat(1000)));
    assert_eq!(long.chars().count(), 120);
    assert_eq!(preview(&format!("\n{}", "x".repeat(1000))), "x".repeat(120));
}

#[test]
fn white_space_for_16_kilobytes_and_no_more() {
    assert_eq!(preview(&format!("\n{}late", " ".repeat(10_000))), "late");
    assert_eq!(preview(&format!("\n{}late", " ".repeat(20_000))), "");
}

#[test]
fn of_html_where_there_is_no_plain_text() {
    let html = "<!DOCTYPE html><html><head><title>No</title><style>p { a: <b>; }</style></head><body><!-- no -->\n<p>Tom &amp; J&eacute;r<b>&ocirc;</b>me</p>1 < 2<br>three&nbsp;&#8364;&#x20AC;&zwnj;&bogus;&<script>if (a<b) {}</SCRIPT> end";
    assert_eq!(preview(&format!("Content-Type: text/html; charset=utf-8\n\n{html}")), "Tom & Jér&ocirc;me 1 < 2 three €€&bogus;& end");
    let both = "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>html\n--b\n\nplain\n--b--";
    assert_eq!(preview(both), "plain");
    let empty = "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>html\n--b--";
    assert_eq!(preview(empty), "html");
}

#[test]
fn not_of_attachments_or_embedded_messages() {
    let message = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\nno\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nno\n--b\nContent-Type: text/html\n\nyes\n--b--";
    assert_eq!(preview(message), "yes");
}

#[test]
fn a_character_that_is_cut_in_two_is_left_out() {
    let body = format!("{}ä", " ".repeat(16 * 1024 - 1));
    assert_eq!(preview(&format!("Content-Type: text/plain; charset=utf-8\n\n{body}")), "");
}

#[test]
fn hostile_html_ends() {
    for junk in ["<", "&", "<!--", "<style>", "</", "<style></x", "&#", "&#x110000;", "<a ", "&aaaaaaaaaaaaaaaa"] {
        check(format!("Content-Type: text/html\r\n\r\n{}", junk.repeat(20_000)).as_bytes());
    }
}
