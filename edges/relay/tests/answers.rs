//! Whatever a host sends, a session ends, keeps little, and does not care how the bytes were cut.
#![allow(clippy::unwrap_used)]

use bytes::{Bytes, BytesMut};
use penfold_ports::{Body, Outgoing, Recipient};
use penfold_relay::{Answers, Session, Starttls, Step, Terms, fit};
use proptest::prelude::*;

fn piece() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: [&str; 17] = [
        "220 mx\r\n",
        "250 ok\r\n",
        "250-a\r\n",
        "250 PIPELINING\r\n",
        "250-PIPELINING\r\n250 DSN\r\n",
        "354 go\r\n",
        "421 bye\r\n",
        "450 4.2.0 later\r\n",
        "550 5.1.1 no\r\n",
        "250-mx\r\n250-CHUNKING\r\n250 BINARYMIME\r\n",
        "\r\n",
        "250",
        "2.0.0",
        "999 x\r\n",
        "250 STARTTLS\r\n",
        "452 4.5.3 many\r\n",
        "552 x\r\n",
    ];
    prop_oneof![
        8 => proptest::sample::select(&KNOWN[..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
        1 => (0_usize..6000).prop_map(|count| vec![b'2'; count]),
    ]
}

fn session(binary: bool) -> (Session, Outgoing) {
    let terms = Terms {
        name: "us.test".into(),
        own: Vec::new(),
        host: "mx.test".into(),
        starttls: Starttls::WhereOffered,
        tls: false,
        sign_in: None,
        recipients: 2,
    };
    let recipient = |n: u32| Recipient { path: format!("r{n}@y.test"), notify: None, original: None };
    let mail = Outgoing {
        destination: "y.test".into(),
        from: String::new(),
        recipients: (0..3).map(recipient).collect(),
        message: vec![Bytes::from_static(b"a\r\n.\r\n")].into(),
        body: if binary { Body::Binary } else { Body::SevenBit },
        utf8: false,
        require_tls: false,
        tls_optional: false,
        ret: None,
        envelope_id: None,
        deliver_by: None,
        pool: None,
    };
    (Session::new(terms), mail)
}

/// What the session said and told, with its end.
fn talk(pieces: &[Vec<u8>], step: usize, binary: bool) -> (Vec<u8>, Vec<String>) {
    let (mut session, mail) = session(binary);
    let (mut said, mut told, mut sent) = (Vec::new(), Vec::new(), false);
    let mut coming = pieces.iter();
    loop {
        let next = session.next();
        said.append(&mut session.output);
        match next {
            Step::Read(_) => match coming.next() {
                Some(piece) => {
                    for part in piece.chunks(step.max(1)) {
                        session.input.extend_from_slice(part);
                        if part.len() < piece.len() && !matches!(session.next(), Step::Read(_)) {
                            // A whole answer in the middle: the cut is part of what happens.
                            return (said, told);
                        }
                    }
                }
                None => session.closed(),
            },
            Step::Write => {}
            Step::StartTls => session.tls_started(),
            Step::Ready if sent => return (said, told),
            Step::Ready => {
                sent = true;
                match fit(&mail, vec![Bytes::from_static(b"a\r\n.\r\n")], mail.recipients.clone(), session.offers(), false) {
                    Ok(letter) => session.send(letter),
                    Err(said) => told.push(said.text),
                }
            }
            Step::Sent(outcomes) => {
                assert_eq!(outcomes.len(), 3);
                told.push(format!("{outcomes:?}"));
            }
            Step::Failed(failure) => told.push(format!("{failure:?}")),
            Step::Closed => return (said, told),
        }
        assert!(session.input.len() <= 4096 + 6000, "little is kept");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_session_ends(pieces in proptest::collection::vec(piece(), 0..24), step in 1_usize..9, binary in any::<bool>()) {
        let (_, told) = talk(&pieces, usize::MAX, binary);
        prop_assert!(!told.is_empty());
        let _ = talk(&pieces, step, binary);
    }

    #[test]
    fn answers_do_not_care_how_they_were_cut(pieces in proptest::collection::vec(piece(), 0..12), step in 1_usize..40) {
        let read = |step: usize| {
            let (mut answers, mut input, mut out) = (Answers::default(), BytesMut::new(), Vec::new());
            for part in pieces.concat().chunks(step) {
                input.extend_from_slice(part);
                loop {
                    match answers.take(&mut input) {
                        Ok(Some(answer)) => out.push(Ok(answer)),
                        Ok(None) => break,
                        Err(fault) => {
                            out.push(Err(fault));
                            return out;
                        }
                    }
                }
            }
            out
        };
        // Where a line is both too long and senseless, the cut decides which is noticed first.
        let known = |read: Vec<Result<_, _>>| read.into_iter().map(|one| one.map_err(|_| ())).collect::<Vec<_>>();
        prop_assert_eq!(known(read(step)), known(read(usize::MAX)));
    }
}
