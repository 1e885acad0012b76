//! Events, tasks, contacts and notes as items of the one store: what bytes have to be to become one, under what they are looked
//! up, and when somebody is busy.
//!
//! | file | what |
//! |---|---|
//! | object.rs | bytes to an object, with its UID and when it is |
//! | facts.rs | what the index of times knows of an event, so that busy times need not read it |
//! | alarms.rs | whose alarms are whose |
//! | attachments.rs | what is attached to events and kept here |
//! | busy.rs | when somebody is busy, by that index |
//! | sight.rs | what of an object somebody is shown |
//! | file.rs | many objects as one file |

mod alarms;
mod attachments;
mod busy;
mod facts;
mod file;
mod object;
mod sight;

pub use alarms::{apart, as_seen};
pub use attachments::{
    ATTACHMENTS, Checked, Looks, TakenIn, attach, attach_also, attached, check_attachments, sweep_attachments, taken_in, uses,
};
pub use busy::{Busy, busy, free_busy_text};
pub use facts::is_in;
pub use file::joined;
pub use object::{Fault, object};
pub use sight::{Sight, is_private, seen};

use std::ops::Range;

/// How far a time by the clock can be from the same in UTC, on either side.
const CLOCKS: i64 = 15 * 3600;

/// A window in which everything is found that may be in another, whatever the zone of times that name none.
pub fn widened(window: &Range<i64>) -> Range<i64> {
    window.start.saturating_sub(CLOCKS)..window.end.saturating_add(CLOCKS)
}
