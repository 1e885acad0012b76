//! RFC 2046: multiparts and embedded messages; RFC 2049 appendix A.

use crate::{body, check, crlf, shape, string};

/// §5.1.1, the first example: preamble, implicit and explicit types, epilogue.
const SIMPLE: &str = "From: Nathaniel Borenstein <nsb@bellcore.com>
To: Ned Freed <ned@innosoft.com>
Date: Sun, 21 Mar 1993 23:56:48 -0800 (PST)
Subject: Sample message
MIME-Version: 1.0
Content-type: multipart/mixed; boundary=\"simple boundary\"

This is the preamble.  It is to be ignored, though it
is a handy place for composition agents to include an
explanatory note to non-MIME conformant readers.

--simple boundary

This is implicitly typed plain US-ASCII text.
It does NOT end with a linebreak.
--simple boundary
Content-type: text/plain; charset=us-ascii

This is explicitly typed plain US-ASCII text.
It DOES end with a linebreak.

--simple boundary--

This is the epilogue.  It is also to be ignored.
";

#[test]
fn simple_multipart() {
    let message = crlf(SIMPLE);
    let summary = check(&message);
    assert_eq!(shape(&summary.root), "multipart/mixed(text/plain, text/plain)");
    assert_eq!(body(&message, &summary, &[1]), "This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.");
    assert_eq!(body(&message, &summary, &[2]), "This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n");
    assert_eq!((summary.root.children[0].lines, summary.root.children[1].lines), (1, 2));
    assert_eq!(summary.root.children[1].header_of(&message), b"Content-type: text/plain; charset=us-ascii\r\n\r\n");
    assert_eq!(summary.preview, "This is implicitly typed plain US-ASCII text. It does NOT end with a linebreak.");
    assert!(!summary.attachment);
}

#[test]
fn bare_line_feeds_part_it_in_the_same_way() {
    let message = SIMPLE.as_bytes();
    let summary = check(message);
    assert_eq!(shape(&summary.root), "multipart/mixed(text/plain, text/plain)");
    assert_eq!(body(message, &summary, &[2]), "This is explicitly typed plain US-ASCII text.\nIt DOES end with a linebreak.\n");
}

/// §5.1.5: in a digest the default is message/rfc822.
#[test]
fn digest() {
    let message = crlf(
        "From: Moderator-Address\nTo: Recipient-List\nDate: Mon, 22 Mar 1994 13:34:51 +0000\nSubject: Internet Digest, volume 42\nMIME-Version: 1.0
Content-Type: multipart/mixed;\n              boundary=\"---- main boundary ----\"

------ main boundary ----

  ...Introductory text or table of contents...

------ main boundary ----
Content-Type: multipart/digest;
              boundary=\"---- next message ----\"

------ next message ----

From: someone-else
Date: Fri, 26 Mar 1993 11:13:32 +0200
Subject: my opinion

...body goes here ...

------ next message ----

From: someone-else-again
Date: Fri, 26 Mar 1993 10:07:13 -0500
Subject: my different opinion

... another body goes here ...

------ next message ------

------ main boundary ------
",
    );
    let summary = check(&message);
    assert_eq!(
        shape(&summary.root),
        "multipart/mixed(text/plain, multipart/digest(message/rfc822(text/plain), message/rfc822(text/plain)))"
    );
    let second = &summary.root.children[1].children[1];
    let envelope = second.message.as_ref().unwrap();
    assert_eq!(string(&envelope.subject), "my different opinion");
    assert_eq!(envelope.sent, Some(733_158_433));
    assert_eq!(second.lines, 5);
    assert_eq!(second.children[0].lines, 1);
}

/// RFC 2049 appendix A, shortened where it says that data follow.
#[test]
fn complex_multipart() {
    let message = crlf(
        "MIME-Version: 1.0\nFrom: Nathaniel Borenstein <nsb@nsb.fv.com>\nTo: Ned Freed <ned@innosoft.com>
Date: Fri, 07 Oct 1994 16:15:05 -0700 (PDT)\nSubject: A multipart example
Content-Type: multipart/mixed;\n              boundary=unique-boundary-1

This is the preamble area of a multipart message.

--unique-boundary-1

  ... Some text appears here ...

[Note that the blank between the boundary and the start
 of the text in this part means no header fields were
 given and this is text in the US-ASCII character set.]

--unique-boundary-1
Content-type: text/plain; charset=US-ASCII

This could have been part of the previous part, but
illustrates explicit versus implicit typing of body
parts.

--unique-boundary-1
Content-Type: multipart/parallel; boundary=unique-boundary-2

--unique-boundary-2
Content-Type: audio/basic
Content-Transfer-Encoding: base64

AAAA

--unique-boundary-2
Content-Type: image/jpeg
Content-Transfer-Encoding: base64

AAAA

--unique-boundary-2--

--unique-boundary-1
Content-type: text/enriched

This is <bold><italic>enriched.</italic></bold>

--unique-boundary-1
Content-Type: message/rfc822

From: (mailbox in US-ASCII)
To: (address in US-ASCII)
Subject: (subject in US-ASCII)
Content-Type: Text/plain; charset=ISO-8859-1
Content-Transfer-Encoding: Quoted-printable

  ... Additional text in ISO-8859-1 goes here ...

--unique-boundary-1--
",
    );
    let summary = check(&message);
    assert_eq!(
        shape(&summary.root),
        "multipart/mixed(text/plain, text/plain, multipart/parallel(audio/basic, image/jpeg), text/enriched, message/rfc822(text/plain))"
    );
    let inner = &summary.root.children[4];
    assert_eq!(string(&inner.message.as_ref().unwrap().subject), "(subject in US-ASCII)");
    assert_eq!(inner.children[0].encoding, "quoted-printable");
    assert!(summary.attachment);
}

/// A boundary that begins with another's text is not taken for it; white space after a boundary is padding.
#[test]
fn boundaries_that_begin_alike() {
    let message = crlf(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab  \t\n\n1\n--abc\n--ab--\n\n--a--x\n--a\n\n2\n--a-- \n--a\nno part",
    );
    let summary = check(&message);
    assert_eq!(shape(&summary.root), "multipart/mixed(multipart/mixed(text/plain), text/plain)");
    assert_eq!(body(&message, &summary, &[1, 1]), "1\r\n--abc");
    assert_eq!(body(&message, &summary, &[2]), "2");
}

#[test]
fn an_outer_boundary_ends_inner_parts() {
    let message = crlf(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nSubject: in\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--a\n\n2",
    );
    let summary = check(&message);
    assert_eq!(shape(&summary.root), "multipart/mixed(message/rfc822(multipart/mixed(text/plain)), text/plain)");
    assert_eq!(body(&message, &summary, &[1, 1]), "1");
    assert_eq!(body(&message, &summary, &[2]), "2");
}

#[test]
fn parts_without_anything_in_them() {
    let message = crlf(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\n--a\n\n--a\nContent-Type: text/html\n--a\nContent-Type: message/rfc822\n--a\nContent-Type: message/rfc822\n\nSubject: x\n\n--a--",
    );
    let summary = check(&message);
    assert_eq!(
        shape(&summary.root),
        "multipart/mixed(text/plain, text/plain, text/html, message/rfc822(text/plain), message/rfc822(text/plain))"
    );
    assert_eq!(string(&summary.root.children[4].message.as_ref().unwrap().subject), "x");
}

#[test]
fn a_multipart_without_its_boundary_is_text() {
    for header in ["multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed; boundary=\"  \"", "multipart/mixed; boundary=zz"] {
        let message = crlf(&format!("Content-Type: {header}\n\n--\n\n--a\nx\n"));
        let summary = check(&message);
        assert_eq!(shape(&summary.root), "text/plain", "{header}");
        assert_eq!(summary.root.lines, 4);
    }
}

/// RFC 2231 §3 allows it, and somebody does it.
#[test]
fn a_boundary_in_pieces() {
    let message = crlf("Content-Type: multipart/mixed; boundary*0=\"a b\"; boundary*1=c\n\n--a bc\n\nx\n--a bc--\n");
    assert_eq!(shape(&check(&message).root), "multipart/mixed(text/plain)");
}

#[test]
fn paper_clips() {
    let clip = |header: &str| {
        check(&crlf(&format!("Content-Type: {header}\n\n--a\n\nx\n--a\nContent-Type: image/png\nContent-ID: <i>\n\n\n--a--"))).attachment
    };
    assert!(clip("multipart/mixed; boundary=a"));
    assert!(!clip("multipart/related; boundary=a"));
    assert!(!clip("multipart/alternative; boundary=a"));
    let root = |header: &str| check(&crlf(&format!("Content-Type: {header}\n\nx"))).attachment;
    assert!(root("application/pdf") && root("text/plain\nContent-Disposition: attachment") && root("text/plain; name=x"));
    assert!(!root("text/html") && !root("text/plain; name=x\nContent-Disposition: inline"));
}
