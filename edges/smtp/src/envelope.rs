//! What MAIL said, as transport wants it.

use crate::grammar::parameters::{Hold, MailParameters};
use penfold_transport::outbound::{DeliverBy, Envelope};
use penfold_types::Timestamp;
use std::time::Duration;

/// Spans count from the end of the data: what the person asked for begins when we have it.
pub(crate) fn envelope(parameters: MailParameters, now: Timestamp) -> Envelope {
    let MailParameters { ret, envid, body, utf8, require_tls, hold, by, size: _ } = parameters;
    let hold_until = hold.map(|hold| match hold {
        Hold::Seconds(seconds) => now.plus(Duration::from_secs(seconds.into())),
        Hold::Until(at) => at,
    });
    let deliver_by =
        by.map(|by| DeliverBy { at: Timestamp::from_millis(now.millis() + by.seconds * 1000), late: by.late, trace: by.trace });
    Envelope { ret, id: envid, body, utf8, require_tls, tls_optional: false, hold_until, deliver_by }
}
