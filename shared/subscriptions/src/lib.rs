//! Calendars that are subscribed from outside: each is a folder that is filled from elsewhere, and a row that says from where, when
//! again, and how it went. A worker (`functions/subscribe`) fetches what is due. Decision 37.
//!
//! | file | what |
//! |---|---|
//! | subscription.rs | one of them, as its row holds it |
//! | subscriptions.rs | what people do with theirs |
//! | making.rs, count.rs | how one begins and ends, and how many there are |
//! | wish.rs | what somebody asks for |
//! | turn.rs | what a worker does with them |
//! | schedule.rs | when to fetch again: pure |
//! | tidy.rs | upkeep's part |

mod count;
mod making;
mod schedule;
mod subscription;
mod subscriptions;
mod tidy;
mod turn;
mod wish;

pub use making::{MOST, MOST_OF_TENANT};
pub use schedule::{LONGEST, SHORTEST, USUAL};
pub use subscription::{Kept, Make, State, Subscription};
pub use subscriptions::Subscriptions;
pub use turn::{Failure, Tells};
pub use wish::{Change, New};
