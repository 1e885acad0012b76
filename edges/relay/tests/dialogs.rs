//! Plays the dialogues of tests/dialogs/relay against a session of the client, with no socket and no clock.
//!
//! A file begins with `key: value` lines that set the scene, then tells what happens: `S:` a line of the host, `S!` its
//! bytes as they are (`\r \n \0 \xNN \\`, `{N*c}` for N times c), `C:` the next line of the client (`*` stands for
//! anything), `O:` what became of the next recipient, `F:` why there is no session, `E:` `ready`, `starttls` (the handshake
//! is done), `lost` (the connection is), `quit` or `closed`. Lines of the host that follow one another come in one piece, and,
//! in a second run, byte by byte.
#![allow(clippy::unwrap_used, clippy::panic)]

use bytes::Bytes;
use penfold_ports::{Body, Message, Notify, Outcome, Outgoing, Recipient, Return, Said};
use penfold_relay::{Session, SignIn, Starttls, Step, Terms, fit};
use std::collections::VecDeque;
use std::path::Path;

struct Scene {
    terms: Terms,
    mail: Outgoing,
}

impl Scene {
    fn new() -> Self {
        let terms = Terms {
            name: "us.test".to_owned(),
            own: vec!["us.test".to_owned()],
            host: "mx.test".to_owned(),
            starttls: Starttls::WhereOffered,
            tls: false,
            sign_in: None,
            recipients: 100,
        };
        let mail = Outgoing {
            destination: "y.test".to_owned(),
            from: "a@x.test".to_owned(),
            recipients: Vec::new(),
            message: vec![Bytes::from_static(b"Subject: hello\r\n\r\n.dot\r\n")].into(),
            body: Body::SevenBit,
            utf8: false,
            require_tls: false,
            tls_optional: false,
            ret: None,
            envelope_id: None,
            deliver_by: None,
            pool: None,
        };
        Self { terms, mail }
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            "from" => self.mail.from = value.to_owned(),
            "to" => self.mail.recipients.extend(value.split(", ").map(recipient)),
            "message" => {
                let bytes = unescape(value);
                // In pieces, as it comes from a store.
                self.mail.message = Message::Here(bytes.chunks(bytes.len().div_ceil(3).max(1)).map(Bytes::copy_from_slice).collect());
            }
            "body" => self.mail.body = if value == "8bit" { Body::EightBit } else { Body::Binary },
            "utf8" => self.mail.utf8 = true,
            "require tls" => self.mail.require_tls = true,
            "ret" => self.mail.ret = Some(if value == "full" { Return::Full } else { Return::Headers }),
            "envid" => self.mail.envelope_id = Some(value.to_owned()),
            "limit" => self.terms.recipients = value.parse().unwrap(),
            "tls" => self.terms.tls = true,
            "starttls" => self.terms.starttls = if value == "never" { Starttls::Never } else { Starttls::Always },
            "sign in" => {
                let (user, password) = value.split_once(' ').unwrap();
                self.terms.sign_in = Some(SignIn { user: user.to_owned(), password: password.to_owned() });
            }
            other => panic!("no such setting: {other}"),
        }
    }
}

/// `b@y.test notify=success,delay orcpt=rfc822;b@y.test`
fn recipient(text: &str) -> Recipient {
    let mut words = text.split(' ');
    let mut out = Recipient { path: words.next().unwrap().to_owned(), notify: None, original: None };
    for word in words {
        match word.split_once('=').unwrap() {
            ("notify", on) => {
                let on = |what| on.split(',').any(|word| word == what);
                out.notify = Some(Notify { success: on("success"), failure: on("failure"), delay: on("delay") });
            }
            (_, original) => out.original = Some(original.to_owned()),
        }
    }
    out
}

struct Player {
    session: Session,
    mail: Option<Outgoing>,
    lines: VecDeque<String>,
    rest: Vec<u8>,
    told: VecDeque<String>,
    starttls: bool,
    ready: bool,
    closed: bool,
}

fn words(said: &Said) -> String {
    let (class, subject, detail) = said.status;
    let whose = if said.host.is_some() { "" } else { " (ours)" };
    format!("{} {class}.{subject}.{detail} {}{whose}", said.code, said.text)
}

fn tell(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { said, reports } => format!("accepted{} {}", if *reports { ", reports" } else { "" }, words(said)),
        Outcome::Deferred { said, unsure } => format!("deferred{} {}", if *unsure { ", unsure" } else { "" }, words(said)),
        Outcome::Refused { said } => format!("refused {}", words(said)),
    }
}

impl Player {
    fn new(scene: Scene) -> Self {
        Self {
            session: Session::new(scene.terms),
            mail: Some(scene.mail),
            lines: VecDeque::new(),
            rest: Vec::new(),
            told: VecDeque::new(),
            starttls: false,
            ready: false,
            closed: false,
        }
    }

    fn feed(&mut self, bytes: &[u8], one_by_one: bool) {
        for piece in bytes.chunks(if one_by_one { 1 } else { usize::MAX }) {
            self.session.input.extend_from_slice(piece);
            self.go();
        }
    }

    fn go(&mut self) {
        self.ready = false;
        loop {
            let step = self.session.next();
            self.listen();
            match step {
                Step::Write => {}
                Step::Read(_) => return,
                Step::StartTls => {
                    self.starttls = true;
                    return;
                }
                Step::Ready => match self.mail.take() {
                    Some(mail) => match fit(&mail, here(&mail), mail.recipients.clone(), self.session.offers(), self.session.is_tls()) {
                        Ok(letter) => self.session.send(letter),
                        Err(said) => self.told.extend(mail.recipients.iter().map(|_| format!("unfit {}", words(&said)))),
                    },
                    None => {
                        self.ready = true;
                        return;
                    }
                },
                Step::Sent(outcomes) => self.told.extend(outcomes.iter().map(tell)),
                Step::Failed(failure) => self.told.push_back(format!("{:?} {}", failure.cause, words(&failure.said))),
                Step::Closed => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn listen(&mut self) {
        self.rest.append(&mut self.session.output);
        while let Some(end) = self.rest.windows(2).position(|two| two == b"\r\n") {
            let line: Vec<u8> = self.rest.drain(..end + 2).collect();
            self.lines.push_back(String::from_utf8_lossy(&line[..end]).into_owned());
        }
    }

    fn expect(&mut self, kind: &str, rest: &str, place: &str) {
        match (kind, rest) {
            ("C:", _) => {
                let said = self.lines.pop_front().unwrap_or_else(|| panic!("{place}: nothing was said, expected {rest}"));
                assert!(matches(rest, &said), "{place}: expected {rest}\n  but heard {said}");
            }
            ("O:" | "F:", _) => {
                let told = self.told.pop_front().unwrap_or_else(|| panic!("{place}: nothing was told, expected {rest}"));
                assert!(matches(rest, &told), "{place}: expected {rest}\n  but was told {told}");
            }
            ("E:", "ready") => assert!(self.ready, "{place}: not ready"),
            ("E:", "closed") => assert!(self.closed, "{place}: not closed"),
            ("E:", "starttls") => {
                assert!(std::mem::take(&mut self.starttls), "{place}: no TLS");
                self.session.tls_started();
                self.go();
            }
            ("E:", "lost") => {
                self.session.closed();
                self.go();
            }
            ("E:", "probe") => {
                self.session.probe();
                self.go();
            }
            ("E:", "quit") => {
                self.session.quit();
                self.go();
            }
            other => panic!("{place}: what is {other:?}"),
        }
    }
}

/// `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    rest.is_empty() || (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
}

fn unescape(text: &str) -> Vec<u8> {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'x')) => {
                out.push(u8::from_str_radix(&text[at + 2..at + 4], 16).unwrap());
                at += 4;
            }
            (b'\\', Some(c)) => {
                out.push(match c {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b'0' => 0,
                    other => *other,
                });
                at += 2;
            }
            (b'{', Some(c)) if c.is_ascii_digit() => {
                let end = at + text[at..].find('}').unwrap();
                let (count, what) = text[at + 1..end].split_once('*').unwrap();
                out.extend(unescape(what).repeat(count.parse().unwrap()));
                at = end + 1;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

fn play(file: &Path, one_by_one: bool) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut scene = Scene::new();
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')).peekable();
    while let Some((_, line)) = lines.next_if(|(_, line)| !is_step(line)) {
        let (key, value) = line.split_once(':').unwrap();
        scene.set(key.trim(), value.trim());
    }
    let mut player = Player::new(scene);
    player.go();
    let mut coming: Vec<u8> = Vec::new();
    while let Some((number, line)) = lines.next() {
        let place = format!("{}:{}", file.display(), number + 1);
        let (kind, rest) = (line.get(..2).unwrap(), line.get(3..).unwrap_or_default());
        if !kind.starts_with('S') {
            player.expect(kind, rest, &place);
            continue;
        }
        assert_eq!(player.lines, VecDeque::<String>::new(), "{place}: the client said more");
        assert_eq!(player.told, VecDeque::<String>::new(), "{place}: more was told");
        coming.extend(if kind == "S!" { unescape(rest) } else { [rest.as_bytes(), b"\r\n"].concat() });
        if lines.peek().is_none_or(|(_, next)| !next.starts_with('S')) {
            player.feed(&std::mem::take(&mut coming), one_by_one);
        }
    }
    assert_eq!(player.lines, VecDeque::<String>::new(), "{}: the client said more at the end", file.display());
    assert_eq!(player.told, VecDeque::<String>::new(), "{}: more was told at the end", file.display());
    assert!(player.rest.is_empty(), "{}: half a line at the end", file.display());
}

fn is_step(line: &str) -> bool {
    ["C:", "O:", "F:", "E:", "S:", "S!"].iter().any(|kind| line.starts_with(kind))
}

fn all(one_by_one: bool) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/dialogs/relay");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files {
        // Where the input is cut is part of what these say.
        let text = std::fs::read_to_string(file).unwrap();
        if !one_by_one || !text.contains("# in one piece") {
            play(file, one_by_one);
        }
    }
    files.len()
}

#[test]
fn dialogues() {
    assert!(all(false) >= 20);
}

#[test]
fn dialogues_byte_by_byte() {
    all(true);
}

fn here(mail: &Outgoing) -> Vec<Bytes> {
    match &mail.message {
        Message::Here(octets) => octets.clone(),
        Message::There(_) => panic!("a dialogue has its message"),
    }
}
