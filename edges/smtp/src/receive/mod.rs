//! Message bytes: from the wire into one buffer, under the session's limits and the budget of all sessions.

mod body;
mod chunk;
mod dots;

pub(crate) use body::{Body, Fault, endless};
pub(crate) use chunk::{Chunk, Ends};
pub(crate) use dots::Dots;
