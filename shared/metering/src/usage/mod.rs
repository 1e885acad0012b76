//! What mailboxes used: counted from the logs by hour, each change once, and read back for bills.
//!
//! A mailbox's mark says up to which change its log is counted; the mark and the days that those changes touch move in one
//! commit, so a round that dies, or that another races, counts nothing twice. A mailbox in which nothing happened is not
//! written at all. After each round the sum must be what the mailbox's head says is stored; where it is not, the difference
//! is noted as such.

mod counter;
mod day;
mod mark;
mod report;
mod rollup;

pub use day::Hour;
pub use report::{Held, Period, Used, each_hour, held, until};
pub use rollup::{Round, Usage};
