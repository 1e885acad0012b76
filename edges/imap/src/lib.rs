//! IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051). The grammar and the session know no socket: bytes become commands in
//! `grammar`, a `Session` carries them out one after the other and writes what it has to say into an `Output`, and
//! `driver` alone owns the socket, TLS and the clocks.

mod commands;
mod driver;
mod grammar;
mod session;

pub use driver::{connection, serve};
pub use session::{Options, Server};

/// The parsers, for fuzzing: whatever comes in, they end and do not panic.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    use grammar::framer::{Framer, Limits, Step};
    let mut framer = Framer::default();
    framer.push(bytes);
    for _ in 0..1000 {
        match framer.next(&Limits::SIGNED_IN, false) {
            Step::Command(raw) => {
                let _ = grammar::parse(&raw);
            }
            Step::More | Step::Fatal(_) => return,
            _ => {}
        }
    }
}
