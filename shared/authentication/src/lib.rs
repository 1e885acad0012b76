//! Mail authentication behind the `Dns` port: what names vouch for a message that arrives, and signatures for one that
//! leaves. Nothing in here decides about a message but [`handling`], and that only by its author's wish.
//!
//! | file | what |
//! |---|---|
//! | verify.rs | all of it for one message, in bounded time and questions (ask.rs) |
//! | spf.rs, spf/ | RFC 7208 |
//! | dkim.rs, dkim/ | RFC 6376, 8301, 8463: verification, keys, signing |
//! | arc.rs, arc/ | RFC 8617: verification |
//! | dmarc.rs, dmarc/ | RFC 9989 |
//! | iprev.rs | RFC 8601 §3 |
//! | results.rs, forged.rs | RFC 8601: what was found as a header field, and fields that only pretend to be ours |
//! | header.rs, canonical.rs, tags.rs, name.rs, folded.rs | what these have in common |

mod arc;
mod ask;
mod canonical;
mod dkim;
mod dmarc;
mod folded;
mod forged;
mod header;
mod iprev;
mod name;
mod results;
mod spf;
mod tags;
mod verify;

pub use arc::{Arc, ArcResult};
pub use dkim::{Algorithm, Dkim, DkimResult, KeyError, PrivateKey, SignError, Signer, sign};
pub use dmarc::{Alignment, Author, Dmarc, DmarcResult, Handling, Policy, Psd, Published, handling, organizational_domain};
pub use forged::forged_results;
pub use iprev::{Iprev, IprevResult};
pub use spf::{Spf, SpfResult};
pub use verify::{Arriving, Verdicts, verify};
