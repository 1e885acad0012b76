//! Calendars that are subscribed from outside: each is a folder that is filled from elsewhere, and a row that says from where, when
//! again, and how it went. A worker (`functions/subscribe`) fetches what is due. Decision 37.
//!
//! | file | what |
//! |---|---|
//! | subscription.rs | one of them, as its row holds it |
//! | subscriptions.rs | what people do with theirs |
//! | wish.rs | what somebody asks for |
//! | turn.rs | what a worker does with them |
//! | schedule.rs | when to fetch again: pure |
//! | tidy.rs | upkeep's part |

mod schedule;
mod subscription;
mod subscriptions;
mod tidy;
mod turn;
mod wish;

pub use schedule::{LONGEST, SHORTEST, USUAL};
pub use subscription::{Kept, State, Subscription};
pub use subscriptions::{MOST, Subscriptions};
pub use turn::{Failure, Tells};
pub use wish::{Change, New};
