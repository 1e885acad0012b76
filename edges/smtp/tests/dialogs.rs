//! Plays the dialogues of tests/dialogs/smtp against a session, with no socket and no clock.
//!
//! A file begins with `key: value` lines that set the scene, then tells what happens:
//! `C:` a line of the client, `C!` its bytes as they are (`\r \n \t \0 \xNN \\`, `{N*c}` for N times c), `S:` the next
//! line of the server (`*` stands for anything), `A:` a message was accepted (`from -> to, to`), `B:` its bytes,
//! `D:` its DSN parameters, `E:` `starttls` or `closed`. Lines of the client that follow one another are sent in one piece,
//! and, in a second run, byte by byte.
#![allow(clippy::unwrap_used, clippy::panic)]

use penfold_smtp::{Answer, Ask, Budget, Config, Reply, Role, Session, Step, Transaction};
use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

struct Scene {
    config: Config,
    role: Role,
    loopback: bool,
    tls: bool,
    known: HashSet<String>,
    full: HashSet<String>,
    closed: HashSet<String>,
    own: HashSet<String>,
    users: HashSet<(String, String)>,
    busy: bool,
}

impl Scene {
    fn new() -> Self {
        Self {
            config: Config { hostname: "mx.test".to_owned(), ..Config::default() },
            role: Role::Mx,
            loopback: false,
            tls: false,
            known: HashSet::new(),
            full: HashSet::new(),
            closed: HashSet::new(),
            own: HashSet::new(),
            users: HashSet::new(),
            busy: false,
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let names = || value.split(',').map(|v| v.trim().to_lowercase());
        let number = || value.parse::<u64>().unwrap();
        match key {
            "role" => self.role = if value == "submission" { Role::Submission } else { Role::Mx },
            "peer" => self.loopback = value == "loopback",
            "tls" => {
                self.config.tls = value != "no";
                self.tls = value == "on";
            }
            "known" => self.known.extend(names()),
            "full" => self.full.extend(names()),
            "closed group" => self.closed.extend(names()),
            "own" => self.own.extend(names()),
            "user" => self.users.extend(value.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()))),
            "size" => self.config.size_limit = number(),
            "recipients" => self.config.recipients = number() as usize,
            "recipients submitted" => self.config.recipients_submitted = number() as usize,
            "errors" => self.config.errors = number() as u32,
            "unknown" => self.config.unknown = number() as u32,
            "chatter" => self.config.chatter = number() as u32,
            "budget" => self.config.budget = Budget::new(number()),
            "busy" => self.busy = true,
            other => panic!("no such setting: {other}"),
        }
    }

    fn answer(&self, ask: Ask<String>, accepted: &mut VecDeque<Transaction<String>>) -> Answer<String> {
        match ask {
            Ask::SignIn { identity, secret } if self.users.contains(&(identity.clone(), secret.clone())) => Answer::Yes,
            Ask::SignIn { .. } => Answer::No(Reply::new(535, "5.7.8", "Authentication failed")),
            Ask::Mail { .. } if self.busy => Answer::No(Reply::new(452, "4.3.1", "Busy")),
            Ask::Mail { from, .. } if self.role == Role::Submission && !self.own.contains(&from.text.to_lowercase()) => {
                Answer::No(Reply::new(553, "5.7.1", "Not yours"))
            }
            Ask::Mail { .. } => Answer::Yes,
            Ask::Rcpt { to, .. } => self.recipient(&to.text.to_lowercase()),
            Ask::Accept(transaction) => {
                accepted.push_back(*transaction);
                Answer::Accepted("1".to_owned())
            }
        }
    }

    fn recipient(&self, to: &str) -> Answer<String> {
        let domain = to.split_once('@').map_or("", |(_, d)| d);
        let ours = self.known.iter().any(|known| known.ends_with(&format!("@{domain}")));
        if self.full.contains(to) {
            Answer::No(Reply::new(452, "4.2.2", "Mailbox full"))
        } else if self.closed.contains(to) {
            Answer::No(Reply::new(550, "5.7.1", "Not allowed to post"))
        } else if self.known.contains(to) {
            Answer::Recipient(to.to_owned())
        } else if ours {
            Answer::No(Reply::new(550, "5.1.1", "Unknown"))
        } else if self.role == Role::Mx {
            Answer::No(Reply::new(550, "5.7.1", "No relay"))
        } else {
            Answer::No(Reply::new(451, "4.3.0", "Not yet"))
        }
    }
}

struct Player {
    scene: Scene,
    session: Session<String>,
    said: VecDeque<String>,
    accepted: VecDeque<Transaction<String>>,
    last: Option<Transaction<String>>,
    closed: bool,
    starttls: bool,
}

impl Player {
    fn new(scene: Scene) -> Self {
        let session = Session::new(Arc::new(scene.config.clone()), scene.role, scene.loopback, scene.tls);
        Self { scene, session, said: VecDeque::new(), accepted: VecDeque::new(), last: None, closed: false, starttls: false }
    }

    fn feed(&mut self, bytes: &[u8], one_by_one: bool) {
        for piece in bytes.chunks(if one_by_one { 1 } else { usize::MAX }) {
            self.session.input.extend_from_slice(piece);
            self.go();
        }
    }

    fn go(&mut self) {
        while !self.closed {
            match self.session.next() {
                Step::Read => break,
                Step::Write => (),
                Step::Ask(ask) => {
                    let answer = self.scene.answer(ask, &mut self.accepted);
                    self.session.answer(answer);
                }
                Step::StartTls => {
                    self.session.tls_started();
                    self.starttls = true;
                }
                Step::Close => self.closed = true,
            }
            self.listen();
        }
        self.listen();
    }

    fn listen(&mut self) {
        let text = String::from_utf8(std::mem::take(&mut self.session.output)).unwrap();
        assert!(text.is_empty() || text.ends_with("\r\n"), "{text:?}");
        self.said.extend(text.split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned));
    }

    fn expect(&mut self, kind: &str, rest: &str, place: &str) {
        match kind {
            "S:" => {
                let said = self.said.pop_front().unwrap_or_else(|| panic!("{place}: nothing was said, expected {rest}"));
                assert!(matches(rest, &said), "{place}: expected {rest}\n  but heard {said}");
            }
            "A:" => {
                let message = self.accepted.pop_front().unwrap_or_else(|| panic!("{place}: nothing was accepted"));
                let to: Vec<_> = message.recipients.iter().map(|r| r.path.text.as_str()).collect();
                assert_eq!(format!("{} -> {}", message.from.text, to.join(", ")), rest, "{place}");
                self.last = Some(message);
            }
            "B:" => assert_eq!(
                self.last.as_ref().unwrap().message.escape_ascii().to_string(),
                unescape(rest).escape_ascii().to_string(),
                "{place}"
            ),
            "D:" => {
                let last = self.last.as_ref().unwrap();
                let mut told = format!("{:?} {:?}", last.parameters.ret, last.parameters.envid);
                if last.parameters.require_tls {
                    told += " REQUIRETLS";
                }
                for recipient in &last.recipients {
                    told += &format!(" {:?} {:?}", recipient.parameters.notify, recipient.parameters.orcpt);
                }
                assert!(matches(rest, &told), "{place}: {told}");
            }
            "E:" if rest == "closed" => assert!(self.closed, "{place}: still open"),
            "E:" => assert!(std::mem::take(&mut self.starttls), "{place}: no TLS"),
            other => panic!("{place}: what is {other}"),
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
                    b't' => b'\t',
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
    let mut sending: Vec<u8> = Vec::new();
    while let Some((number, line)) = lines.next() {
        let place = format!("{}:{}", file.display(), number + 1);
        let (kind, rest) = (line.get(..2).unwrap(), line.get(3..).unwrap_or_default());
        if !kind.starts_with('C') {
            player.expect(kind, rest, &place);
            continue;
        }
        assert_eq!(player.said, VecDeque::<String>::new(), "{place}: the server said more");
        assert!(!player.closed, "{place}: the server has closed");
        sending.extend(unescape_as(kind, rest));
        if lines.peek().is_none_or(|(_, next)| !next.starts_with('C')) {
            player.feed(&std::mem::take(&mut sending), one_by_one);
        }
    }
    assert_eq!(player.said, VecDeque::<String>::new(), "{}: the server said more at the end", file.display());
    assert!(player.accepted.is_empty(), "{}: a message was accepted that nobody expected", file.display());
}

fn unescape_as(kind: &str, rest: &str) -> Vec<u8> {
    if kind == "C!" { unescape(rest) } else { [rest.as_bytes(), b"\r\n"].concat() }
}

fn is_step(line: &str) -> bool {
    ["C:", "C!", "S:", "A:", "B:", "D:", "E:"].iter().any(|kind| line.starts_with(kind))
}

fn all(one_by_one: bool) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/dialogs/smtp");
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
