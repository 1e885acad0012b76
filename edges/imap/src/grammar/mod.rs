//! The grammar of IMAP4rev1 and IMAP4rev2 (RFC 3501 and 9051 §9) with the extensions that are served: bytes to typed
//! commands, and values to bytes. Nothing here does any I/O.

pub mod command;
pub mod date;
pub mod framer;
pub mod input;
pub mod name;
mod parse;
pub mod sequence;
pub mod write;

pub use command::*;
pub use input::Bad;
pub use parse::parse;
pub use sequence::SequenceSet;
