//! RFC 5322 appendix A: addresses, groups, white space, comments and obsolete forms; dates; header fields; msg-ids.

use penfold_formats::mime::{addresses, header_fields, message_ids, parse_date, summarise, unfold};

use crate::{check, crlf, flat, string};

/// A.1.1
#[test]
fn a_message_from_one_person_to_another() {
    let message = crlf(
        "From: John Doe <jdoe@machine.example>\nSender: Michael Jones <mjones@machine.example>\nTo: Mary Smith <mary@example.net>\nSubject: Saying Hello\nDate: Fri, 21 Nov 1997 09:55:06 -0600\nMessage-ID: <1234@local.machine.example>\n\nThis is a message just to say hello.\nSo, \"Hello\".\n",
    );
    let summary = check(&message);
    let envelope = &summary.envelope;
    assert_eq!(flat(&envelope.from), ["John Doe|jdoe|machine.example"]);
    assert_eq!(flat(&envelope.sender), ["Michael Jones|mjones|machine.example"]);
    assert_eq!(flat(&envelope.reply_to), ["John Doe|jdoe|machine.example"]);
    assert_eq!(flat(&envelope.to), ["Mary Smith|mary|example.net"]);
    assert_eq!((string(&envelope.subject), string(&envelope.message_id)), ("Saying Hello".into(), "<1234@local.machine.example>".into()));
    assert_eq!(
        (string(&envelope.date), envelope.sent, envelope.sent_zone),
        ("Fri, 21 Nov 1997 09:55:06 -0600".into(), Some(880_127_706), -360)
    );
    assert_eq!(summary.preview, "This is a message just to say hello. So, \"Hello\".");
}

/// A.1.2
#[test]
fn different_types_of_mailboxes() {
    assert_eq!(flat(&addresses(b"\"Joe Q. Public\" <john.q.public@example.com>")), ["Joe Q. Public|john.q.public|example.com"]);
    assert_eq!(
        flat(&addresses(b"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>")),
        ["Mary Smith|mary|x.test", "NIL|jdoe|example.org", "Who?|one|y.test"]
    );
    assert_eq!(
        flat(&addresses(b"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>")),
        ["NIL|boss|nil.test", "Giant; \"Big\" Box|sysservices|example.net"]
    );
}

/// A.1.3
#[test]
fn group_addresses() {
    let list = addresses(b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;");
    assert_eq!(flat(&list), ["NIL|A Group|NIL", "Ed Jones|c|a.test", "NIL|joe|where.test", "John|jdoe|one.test", "NIL|NIL|NIL"]);
    assert!(list[0].is_group_start() && list[4].is_group_end() && !list[1].is_group_start() && !list[1].is_group_end());
    assert_eq!(flat(&addresses(b"Undisclosed recipients:;")), ["NIL|Undisclosed recipients|NIL", "NIL|NIL|NIL"]);
    assert_eq!(flat(&addresses(b"a:b@c")), ["NIL|a|NIL", "NIL|b|c", "NIL|NIL|NIL"]);
    assert_eq!(flat(&addresses(b"a:b:c@d;;;e@f")), ["NIL|a|NIL", "NIL|NIL|NIL", "NIL|b|NIL", "NIL|c|d", "NIL|NIL|NIL", "NIL|e|f"]);
}

/// A.5
#[test]
fn white_space_comments_and_other_oddities() {
    assert_eq!(flat(&addresses(b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>")), ["Pete|pete|silly.test"]);
    assert_eq!(
        flat(&addresses(
            b"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)"
        )),
        ["NIL|A Group|NIL", "Chris Jones|c|public.example", "NIL|joe|example.org", "John|jdoe|one.test", "NIL|NIL|NIL"]
    );
    assert_eq!(
        flat(&addresses(b"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;")),
        ["NIL|Hidden recipients|NIL", "NIL|NIL|NIL"]
    );
    assert_eq!(
        parse_date(b"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)"),
        Some((-27_723_480, -210))
    );
}

/// A.6.1 to A.6.3
#[test]
fn obsolete_forms() {
    assert_eq!(flat(&addresses(b"Joe Q. Public <john.q.public@example.com>")), ["Joe Q. Public|john.q.public|example.com"]);
    let list = addresses(b"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example");
    assert_eq!(flat(&list), ["Mary Smith|mary|example.net", "NIL|jdoe|test.example"]);
    assert_eq!(list[0].route.as_deref(), Some(&b"@node.test"[..]));
    assert_eq!(parse_date(b"21 Nov 97 09:55:06 GMT"), Some((880_106_106, 0)));
    let message = crlf(
        "From  : John Doe <jdoe@machine(comment).  example>\nTo    : Mary Smith\n  \n          <mary@example.net>\nSubject     : Saying Hello\nDate  : Fri, 21 Nov 1997 09(comment):   55  :  06 -0600\nMessage-ID  : <1234   @   local(blah)  .machine .example>\n\nx",
    );
    let envelope = check(&message).envelope;
    assert_eq!(flat(&envelope.from), ["John Doe|jdoe|machine.example"]);
    assert_eq!(flat(&envelope.to), ["Mary Smith|mary|example.net"]);
    assert_eq!((string(&envelope.subject), envelope.sent), ("Saying Hello".into(), Some(880_127_706)));
}

#[test]
fn addresses_as_people_and_programs_write_them() {
    for (raw, expected) in [
        ("root@example.org (Cron Daemon)", "Cron Daemon|root|example.org"),
        ("foo@bar.example <foo@bar.example>", "foo@bar.example|foo|bar.example"),
        ("root", "NIL|root|"),
        ("John Doe", "NIL|John Doe|"),
        ("<>", "NIL||"),
        ("Daemon <>", "Daemon||"),
        ("John Doe jdoe@example.org", "John Doe|jdoe|example.org"),
        ("\"a b\"@example.org", "NIL|a b|example.org"),
        ("a@[192.0.2.1]", "NIL|a|[192.0.2.1]"),
        ("\u{e4}@\u{f6}.example", "NIL|\u{e4}|\u{f6}.example"),
        ("Doe, <x@y>", "NIL|Doe|"),
        ("<x@y", "NIL|x|y"),
        ("<x@y> junk \"a, b\" <z>", "NIL|x|y"),
        ("x@", "NIL|x|"),
        ("\"unclosed <x@y>", "NIL|unclosed <x@y>|"),
        ("a\tb\r\n c <x@y>", "a b c|x|y"),
        ("\"A\" \"B\" <x@y>", "A B|x|y"),
    ] {
        assert_eq!(flat(&addresses(raw.as_bytes()))[0], expected, "{raw}");
    }
    for empty in ["", " ", ",,,", ";;", "(only a comment)", "(", "\""] {
        assert!(addresses(empty.as_bytes()).len() <= 1, "{empty}");
    }
}

/// §3.3 and §4.3.
#[test]
fn dates() {
    for (raw, expected) in [
        ("Mon, 1 Jan 2024 00:00:00 +0000", Some((1_704_067_200, 0))),
        ("1 jan 2024 00:00 EST", Some((1_704_085_200, -300))),
        ("Mon 1 January 2024 01:30:00 +0130 (x)", Some((1_704_067_200, 90))),
        ("Mon, 1 Jan 2024 00:00:00", Some((1_704_067_200, 0))),
        ("Mon, 1 Jan 2024 00:00:60 Z", Some((1_704_067_259, 0))),
        ("Mon Jan  1 00:00:00 2024", Some((1_704_067_200, 0))),
        ("Mon Jan  1 00:00:00 CET 2024", Some((1_704_067_200, 0))),
        ("29 Feb 2024 12:00:00 -0000", Some((1_709_208_000, 0))),
        ("01-Jan-2024 00:00:00 GMT", Some((1_704_067_200, 0))),
        ("1 Jan 70 00:00:00 GMT", Some((0, 0))),
        ("1 Jan 124 00:00:00 GMT", Some((1_704_067_200, 0))),
        ("1 Jan 0000 00:00:00 +2300", Some((-62_167_219_200, 1380))),
        ("31 Dec 9999 23:59:59 -2300", Some((253_402_300_799, -1380))),
        ("29 Feb 2023 12:00:00 +0000", None),
        ("31 Apr 2024 12:00:00 +0000", None),
        ("0 Apr 2024 12:00:00 +0000", None),
        ("1 Apr 2024 24:00:00 +0000", None),
        ("1 Apr 2024 12:60:00 +0000", None),
        ("1 Apr 2024 12:00:00 +0099", None),
        ("1 Apr 2024 12:00:00 +99999999999999999999", None),
        ("1 Apr 10000 12:00:00 +0000", None),
        ("1 Apr 99999999999999999999 12:00:00 +0000", None),
        ("1 Foo 2024 12:00:00 +0000", None),
        ("1 Apr 2024", None),
        ("2024-04-01T12:00:00Z", None),
        ("Mon", None),
        ("(((((", None),
        ("", None),
    ] {
        assert_eq!(parse_date(raw.as_bytes()), expected, "{raw}");
    }
}

#[test]
fn fields_whatever_they_are() {
    let header = b" stray\r\nA: 1\r\n\t2\r\nb :3\nno colon\n more: of it\n: 4\r\nC:\r\n\r\nD: not a field\r\n";
    let fields: Vec<_> = header_fields(header).collect();
    let expected: [(&[u8], &[u8], &[u8]); 6] = [
        (b"", b" stray\r\n", b" stray"),
        (b"A", b"A: 1\r\n\t2\r\n", b" 1\r\n\t2"),
        (b"b", b"b :3\n", b"3"),
        (b"", b"no colon\n more: of it\n", b"no colon\n more: of it"),
        (b"", b": 4\r\n", b" 4"),
        (b"C", b"C:\r\n", b""),
    ];
    assert_eq!(fields, expected);
    assert_eq!(unfold(b" 1\r\n\t2\n 3 "), b"1\t2 3");
    assert_eq!(header_fields(b"A: 1").collect::<Vec<_>>(), [(&b"A"[..], &b"A: 1"[..], &b" 1"[..])]);
    assert_eq!(header_fields(b"").count() + header_fields(b"\nA: 1").count() + header_fields(b"\r\nA: 1").count(), 0);
}

/// §3.6.4: the references of a reply, the nearest parent last.
#[test]
fn references_of_a_thread() {
    let message = b"In-Reply-To: Your message of Monday <3@x> (by \"y\")\r\nReferences: <1@x> <2@x>\r\n <3@x><2@x>\r\n\r\n";
    assert_eq!(summarise(message).references, ["<1@x>", "<2@x>", "<3@x>"]);
    let many: String = (0..100).map(|number| format!("<{number}@x>")).collect();
    let references = summarise(format!("References: {many}\r\n\r\n").as_bytes()).references;
    assert_eq!((references.len(), references[0].as_str(), references[19].as_str()), (20, "<80@x>", "<99@x>"));
    assert_eq!(message_ids(b"<a@b\r\n c> <> <\xff> < <x y> <d@e"), ["<a@bc>"]);
    assert!(message_ids(format!("<{}>", "a".repeat(2000)).as_bytes()).is_empty());
}
