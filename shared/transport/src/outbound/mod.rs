//! The way out. A message with recipients elsewhere becomes one job of the queue `send`; `functions/send` splits it by
//! destination into rows ([`Parcel`]), each with a job of the queue `relay`; a relay makes attempts until every recipient of
//! the row has been handed over or given up, and the sender is told what they asked to be told.
//!
//! | file | what |
//! |---|---|
//! | submission.rs | the job of a message that was handed in |
//! | parcel.rs | the row: what goes to one destination, and how far each recipient came |
//! | dispatch.rs | from a submission to its parcels |
//! | mailed.rs | whom a person wrote to is noted for them |
//! | forward.rs | submissions of groups, for their members elsewhere |
//! | held.rs | what waits for its time (RFC 4865) |
//! | carry.rs | one attempt for a parcel, and what follows from it |
//! | schedule.rs | when to try again: pure |
//! | report.rs | delivery status notifications (RFC 3464): pure |
//! | service.rs | what the service itself sends, such as reports to other domains |
//! | manage.rs | what an administrator does with a parcel |
//! | tidy.rs | what upkeep does about parcels |
//! | later.rs | jobs that are due later, and the timer that sends them |

mod carry;
mod dispatch;
mod forward;
mod held;
mod later;
mod mailed;
mod manage;
mod parcel;
mod report;
mod schedule;
mod service;
mod submission;
mod tidy;

pub use carry::Carrier;
pub use held::{Held, cancel, held};
pub use later::{due, postpone, send_due};
pub use manage::Desk;
pub use parcel::{Fate, Parcel, Passage, State, parcels};
pub use service::OwnMail;
pub use submission::{Addressee, DeliverBy, Envelope, Late, Submission};
pub use tidy::{forget, named, tidy, unfinished};
