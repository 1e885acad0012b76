//! Certificates that an authority gives by ACME (RFC 8555), one for each name: which names want one, when it is renewed, and
//! the rows that all edges of a cell share. How an authority is spoken to, and how a certificate is shown, is not here.
//!
//! | file | what |
//! |---|---|
//! | names.rs | the names that want a certificate, and whether they lead to us |
//! | certificates.rs, row.rs | the rows: a name, its certificate, and what changed last |
//! | proofs.rs | what an authority looks for, shown by any edge |
//! | schedule.rs | when a name's turn is |
//! | lease.rs | one who orders at a time |
//! | order.rs, round.rs | the orders |
//! | chain.rs | whether what came is what was ordered |
//! | authority.rs | what is asked of an authority's client |

mod authority;
mod certificates;
mod chain;
mod lease;
mod names;
mod order;
mod proofs;
mod round;
mod row;
mod schedule;
mod store;

pub use authority::{Authority, Method, Proof, Refused, Request, Steps};
pub use certificates::{Certificate, Certificates, Changed, Key};
pub use names::wanted;
pub use round::{Certifier, Options, Round};
pub use row::{Entry, State};
pub use schedule::{Due, backoff, due, renewal};
