//! ID (RFC 2971).

use crate::session::{Outcome, Output};

pub fn run(out: &mut Output) -> Outcome {
    out.untagged(concat!("ID (\"name\" \"Penfold\" \"version\" \"", env!("CARGO_PKG_VERSION"), "\")"));
    Ok("pleased to meet you".into())
}
