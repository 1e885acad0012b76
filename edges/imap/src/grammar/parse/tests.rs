use super::*;
use crate::grammar::command::*;
use crate::grammar::framer::{Framer, Limits, Step};

fn read(wire: &str) -> Result<Tagged, Failure> {
    let mut framer = Framer::default();
    framer.push(wire.as_bytes());
    framer.push(b"\r\n");
    loop {
        match framer.next(&Limits::SIGNED_IN, false) {
            Step::Continue => {}
            Step::Command(raw) => return parse(&raw),
            other => panic!("{other:?}"),
        }
    }
}

fn command(wire: &str) -> Command {
    read(&format!("a {wire}")).map_err(|f| format!("{wire}: {f:?}")).unwrap().command
}

#[test]
fn every_command_is_known() {
    for wire in [
        "CAPABILITY",
        "noop",
        "LOGOUT",
        "ID NIL",
        "ID (\"name\" \"x\" \"version\" NIL)",
        "STARTTLS",
        "AUTHENTICATE PLAIN",
        "AUTHENTICATE PLAIN =",
        "AUTHENTICATE PLAIN AGEAYg==",
        "LOGIN a b",
        "LOGIN {1+}\r\na {1}\r\nb",
        "ENABLE CONDSTORE UTF8=ACCEPT",
        "SELECT INBOX",
        "SELECT INBOX ",
        "EXAMINE \"a b\" (CONDSTORE)",
        "SELECT x (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
        "SELECT x (QRESYNC (67890007 90060115194045000 41:211,214:541 (1:29997 41:211)) CONDSTORE)",
        "SELECT x (QRESYNC (1 2 (1 1)))",
        "CREATE a/",
        "CREATE MySpecial (USE (\\Drafts \\Sent))",
        "DELETE a",
        "RENAME a b",
        "SUBSCRIBE a",
        "UNSUBSCRIBE a",
        "LIST \"\" \"*\"",
        "LIST \"\" %",
        "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (INBOX \"a/%\") RETURN (CHILDREN SPECIAL-USE STATUS (MESSAGES UNSEEN))",
        "LIST () \"\" *",
        "LSUB \"\" a*",
        "NAMESPACE",
        "STATUS x (MESSAGES UIDNEXT SIZE HIGHESTMODSEQ MAILBOXID APPENDLIMIT DELETED)",
        "IDLE",
        "CHECK",
        "CLOSE",
        "UNSELECT",
        "EXPUNGE",
        "UID EXPUNGE 3000:3002",
        "STORE 2:4 +FLAGS (\\Deleted)",
        "STORE 1 -FLAGS.SILENT \\Seen $X",
        "UID STORE $ (UNCHANGEDSINCE 12) FLAGS ()",
        "COPY 2:4 MEETING",
        "UID MOVE 42:69 foo",
        "MOVE 1 x",
        "GETQUOTA \"\"",
        "GETQUOTAROOT INBOX",
        "SETQUOTA \"\" (STORAGE 512)",
        "APPEND x (\\Seen) \" 7-Feb-1994 21:52:25 -0800\" {3}\r\nabc",
        "APPEND x {1+}\r\na (\\Draft) {1+}\r\nb",
        "APPEND x ~{1}\r\na",
        "APPEND x UTF8 (~{1}\r\na)",
        "FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])",
        "FETCH 1 ALL",
        "FETCH 1 BODY[]<0.20>",
        "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)",
        "FETCH 1 (BODY.PEEK[1.2.MIME] BINARY[2]<1.2> BINARY.SIZE[3] RFC822 EMAILID THREADID MODSEQ)",
        "FETCH * (BODY[1.HEADER.FIELDS.NOT (X \"Y\")] BODY[TEXT])",
        "SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
        "SEARCH CHARSET UTF-8 TEXT {6}\r\n\u{fc}\u{fc}\u{fc}",
        "UID SEARCH RETURN (MIN COUNT SAVE) OR (1:3 UNSEEN) UID $ YOUNGER 30",
        "SEARCH RETURN () ALL",
        "SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338",
        "SEARCH OLD EMAILID M1",
    ] {
        command(wire);
    }
}

#[test]
fn what_is_wrong_is_said_under_its_tag() {
    for wire in [
        "",
        "FOO",
        "LOGIN a",
        "LOGIN a b c",
        "SELECT",
        "SELECT x (FOO)",
        "SELECT x (QRESYNC (0 1))",
        "LIST (RECURSIVEMATCH) \"\" *",
        "STATUS x ()",
        "STORE 1 FOO (\\Seen)",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[1.]",
        "FETCH 1 BODY[1HEADER]",
        "FETCH 1 BODY[]<1.0>",
        "FETCH 1 ()",
        "FETCH 1 FLAGS (VANISHED)",
        "FETCH 0 FLAGS",
        "SEARCH",
        "SEARCH FOO",
        "SEARCH (",
        "SEARCH NOT",
        "APPEND x",
        "APPEND x (\\Seen)",
        "ENABLE",
        "UID NOOP",
        "SEARCH SUBJECT \"x",
        "LOGIN \"a\\b\" c",
        "COPY 1",
    ] {
        match read(&format!("t1 {wire}")) {
            Err(Failure { tag: Some(tag), bad: Bad::Syntax(_) }) => assert_eq!(tag, "t1"),
            other => panic!("{wire}: {other:?}"),
        }
    }
    assert!(matches!(read("t1 SEARCH CHARSET X-NONE TEXT a"), Err(Failure { bad: Bad::Charset, .. })));
    assert!(matches!(read("(a NOOP"), Err(Failure { tag: None, .. })));
}

#[test]
fn nesting_has_an_end() {
    for (open, close) in [("NOT ", ""), ("(", ")"), ("OR ALL ", "")] {
        let wire = |depth: usize| format!("a SEARCH {}ALL{}", open.repeat(depth), close.repeat(depth));
        assert!(read(&wire(30)).is_ok());
        assert!(read(&wire(5000)).is_err());
    }
}

#[test]
fn sections_are_told_apart() {
    let Command::Fetch(fetch) = command("FETCH 1 (BODY.PEEK[3.1.HEADER.FIELDS (From)] BODY[4]<5.6>)") else { panic!() };
    let fields = SectionText::HeaderFields { not: false, names: vec!["From".into()] };
    assert_eq!(fetch.items[0], FetchItem::Section { section: Section { part: vec![3, 1], text: fields }, peek: true, partial: None });
    assert_eq!(
        fetch.items[1],
        FetchItem::Section { section: Section { part: vec![4], text: SectionText::All }, peek: false, partial: Some((5, 6)) }
    );
}

#[test]
fn charsets_are_decoded() {
    let Command::Search(search) = command("SEARCH CHARSET ISO-8859-1 SUBJECT abc") else { panic!() };
    assert_eq!(search.key, SearchKey::Header { name: "Subject".into(), value: "abc".into() });
}

mod anything {

    use proptest::prelude::*;

    /// Pieces of commands, so that what is put together gets past the first word.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let words = [
            "a ",
            "UID ",
            "FETCH ",
            "SEARCH ",
            "STORE ",
            "APPEND ",
            "LIST ",
            "SELECT ",
            "STATUS ",
            "1:*",
            "$",
            " ",
            "(",
            ")",
            "BODY[",
            "]",
            "<0.1>",
            "{3+}\r\n",
            "{0}\r\n",
            "~{2}\r\n",
            "\"",
            "\\",
            "RETURN ",
            "OR ",
            "NOT ",
            "TEXT ",
            "CHARSET ",
            "UTF-8",
            "1.2.",
            "HEADER.FIELDS ",
            "QRESYNC ",
            "INBOX",
            "FLAGS",
            "+",
            "-",
            "\r\n",
            "UTF8 ",
            "1-Feb-1994",
            "MODSEQ ",
            "%",
            "*",
        ];
        prop_oneof![8 => prop::sample::select(words.to_vec()).prop_map(|w| w.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..6)]
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_panics_or_goes_on_for_ever(pieces in prop::collection::vec(piece(), 0..60)) {
            crate::fuzz(&pieces.concat());
        }
    }
}
