//! SMTP: a session ends, does not panic, stays in its bounds, and says the same however its input is cut into pieces.
//! The first byte sets the scene, the rest is what the client sends.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use penfold_smtp::{Answer, Ask, Config, Reply, Role, Session, Step};

fuzz_target!(|bytes: &[u8]| {
    let Some((&scene, input)) = bytes.split_first() else { return };
    let whole = play(scene, input, input.len().max(1));
    assert_eq!(whole, play(scene, input, 1), "byte by byte");
    assert_eq!(whole, play(scene, input, 7), "in pieces of seven");
});

/// What the server said and the messages it took.
fn play(scene: u8, input: &[u8], piece: usize) -> (String, Vec<Vec<u8>>) {
    let role = if scene & 1 == 0 { Role::Mx } else { Role::Submission };
    let config = Config { tls: scene & 2 != 0, size_limit: 4096, recipients: 3, ..Config::default() };
    let mut session: Session<()> = Session::new(Arc::new(config), role, scene & 4 != 0, scene & 8 != 0);
    let (mut said, mut taken) = (Vec::new(), Vec::new());
    for part in input.chunks(piece) {
        session.input.extend_from_slice(part);
        if !advance(&mut session, scene, &mut said, &mut taken) {
            break;
        }
    }
    (String::from_utf8(said).expect("replies are text"), taken)
}

/// Goes on until the session wants input. False: it is over.
fn advance(session: &mut Session<()>, scene: u8, said: &mut Vec<u8>, taken: &mut Vec<Vec<u8>>) -> bool {
    loop {
        let step = session.next();
        said.append(&mut session.output);
        match step {
            Step::Read => return true,
            Step::Write => {}
            // What was sent after STARTTLS is discarded by the driver, so what follows depends on the pieces.
            Step::StartTls | Step::Close => return false,
            Step::Ask(ask) => session.answer(answer(ask, scene, taken)),
        }
    }
}

fn answer(ask: Ask<()>, scene: u8, taken: &mut Vec<Vec<u8>>) -> Answer<()> {
    match ask {
        Ask::SignIn { secret, .. } if secret == "no" => Answer::No(Reply::with(535, "5.7.8", "no".into())),
        Ask::SignIn { .. } | Ask::Mail { .. } => Answer::Yes,
        Ask::Rcpt { .. } if scene & 16 != 0 => Answer::No(Reply::with(550, "5.1.1", "no".into())),
        Ask::Rcpt { .. } => Answer::Recipient(()),
        Ask::Accept(transaction) => {
            assert!(transaction.message.len() <= 4096 && (1..=3).contains(&transaction.recipients.len()));
            taken.push(transaction.message.to_vec());
            Answer::Accepted("id".into())
        }
    }
}
