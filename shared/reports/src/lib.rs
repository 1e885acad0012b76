//! Reports about mail, both ways: DMARC aggregate reports (RFC 9990) and TLS reports (RFC 8460). What they say is counted
//! where it happens ([`Tally`]), what others report is kept for its tenant ([`Received`]). Sending them is `functions/report`.
//!
//! | file | what |
//! |---|---|
//! | dmarc/ | the XML of RFC 9990, read and written: pure |
//! | tls.rs | the JSON of RFC 8460, read and written: pure |
//! | archive.rs, bounds.rs | how they are packed, and what a stranger's may cost |
//! | letter.rs | a report in a message: found and written |
//! | wishes.rs | who wants reports, and whether they may (DNS) |
//! | tally.rs, facts.rs | what is to be reported: counted in memory, flushed into rows of the cell |
//! | sent.rs | that a report was sent, once |
//! | received.rs | what others reported, as rows of the tenant |

mod archive;
pub mod bounds;
pub mod dmarc;
mod facts;
mod letter;
mod received;
mod sent;
mod tally;
pub mod time;
pub mod tls;
mod wishes;

pub use archive::{gzip, unpack};
pub use facts::{Counted, DmarcFact, Kind, TlsFact, days_facts, forget_facts};
pub use letter::{Found, Letter, find};
pub use received::{DAILY, Filed, KEPT_DAYS, Kept, Received, expire, forget};
pub use sent::{Claim, Sent, State};
pub use tally::Tally;
pub use wishes::{Destination, Post, PostError, dmarc_destinations, tls_destinations};

/// Why something is no report that can be kept.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("there is no report in it")]
    NoReport,
    #[error("it is larger than a report may be")]
    TooLarge,
    #[error("it has more records than a report may have")]
    TooMany,
    #[error("the archive cannot be unpacked: {0}")]
    Archive(String),
    #[error("it has a document type, which a report has not")]
    DocumentType,
    #[error("its encoding is not what it says")]
    Encoding,
    #[error("the XML cannot be read: {0}")]
    Xml(String),
    #[error("the JSON cannot be read: {0}")]
    Json(String),
    #[error("it has no {0} that can be used")]
    Missing(&'static str),
}
