//! Whatever comes in, a session answers in lines, keeps its memory bounded, and does not care how the bytes were cut.
#![allow(clippy::unwrap_used)]

use penfold_smtp::{Answer, Ask, Budget, Config, Reply, Role, Session, Step};
use std::sync::Arc;

/// xorshift64*, so that a seed that failed can be played again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

const PIECES: [&[u8]; 40] = [
    b"EHLO a\r\n",
    b"HELO a\r\n",
    b"MAIL FROM:<a@x.test>\r\n",
    b"MAIL FROM:<> SIZE=5\r\n",
    b"RCPT TO:<a@x.test>\r\n",
    b"RCPT TO:<b@x.test> NOTIFY=NEVER\r\n",
    b"DATA\r\n",
    b"BDAT 3\r\n",
    b"BDAT 5 LAST\r\n",
    b"BDAT 0 LAST\r\n",
    b"abc",
    b"\r\n",
    b".\r\n",
    b"\r\n.\r\n",
    b"..",
    b"\n",
    b"\r",
    b"\0",
    b"\xff\xfe",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"AUTH PLAIN ",
    b"AUTH LOGIN\r\n",
    b"AGEAYg==\r\n",
    b"*\r\n",
    b"STARTTLS\r\n",
    b"HELP\r\n",
    b"VRFY a\r\n",
    b"BDAT\r\n",
    b"MAIL ",
    b"FROM:<",
    b">",
    b"@",
    b"\"",
    b"\\",
    b" ",
    b"=",
    b"SIZE=99999999999999999999",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    b"BDAT 18446744073709551615\r\n",
];

fn run(bytes: &[u8], role: Role, mut cut: impl FnMut() -> usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let budget = Budget::new(1 << 20);
    let config = Config { tls: false, errors: 50, size_limit: 2000, budget: budget.clone(), ..Config::default() };
    let mut session: Session<()> = Session::new(Arc::new(config), role, true, false);
    let (mut said, mut accepted, mut at, mut closed) = (Vec::new(), Vec::new(), 0, false);
    while !closed && at <= bytes.len() {
        loop {
            match session.next() {
                Step::Read => break,
                Step::Write => (),
                Step::StartTls => unreachable!("there is no certificate"),
                Step::Close => {
                    closed = true;
                    break;
                }
                Step::Ask(ask) => session.answer(match ask {
                    Ask::SignIn { secret, .. } if secret == "b" => Answer::Yes,
                    Ask::SignIn { .. } => Answer::No(Reply::new(535, "5.7.8", "no")),
                    Ask::Mail { .. } => Answer::Yes,
                    Ask::Rcpt { .. } => Answer::Recipient(()),
                    Ask::Accept(transaction) => {
                        accepted.push(transaction.message.to_vec());
                        Answer::Accepted("1".to_owned())
                    }
                }),
            }
            said.append(&mut session.output);
        }
        said.append(&mut session.output);
        // What waits is never more than one command or one piece of a line.
        assert!(session.input.len() <= 12_288 + 4096);
        let end = (at + cut()).min(bytes.len());
        if at == bytes.len() {
            break;
        }
        session.input.extend_from_slice(&bytes[at..end]);
        at = end;
    }
    drop(session);
    assert_eq!(budget.left(), 1 << 20, "memory was given back");
    (said, accepted)
}

#[test]
fn sessions_survive_anything_however_it_is_cut() {
    for seed in 1..4000u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut bytes = Vec::new();
        for _ in 0..random.below(60) + 1 {
            bytes.extend_from_slice(PIECES[random.below(PIECES.len())]);
        }
        let role = if seed % 2 == 0 { Role::Mx } else { Role::Submission };
        let whole = run(&bytes, role, || usize::MAX / 2);
        assert_eq!(whole, run(&bytes, role, || 1), "seed {seed}: {}", bytes.escape_ascii());
        assert_eq!(whole, run(&bytes, role, || random.below(40) + 1), "seed {seed}: {}", bytes.escape_ascii());
        for line in whole.0.split_inclusive(|byte| *byte == b'\n') {
            assert!(
                line.ends_with(b"\r\n") && line.len() <= 512 && line[..3].iter().all(u8::is_ascii_digit),
                "seed {seed}: {}",
                line.escape_ascii()
            );
        }
    }
}
