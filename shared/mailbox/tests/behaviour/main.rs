//! How the store behaves, on ports in memory and on virtual time: one file for each group of verbs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod appending;
mod checking;
mod converging;
mod copying;
mod delivering;
mod folders;
mod history;
mod isolation;
mod objects;
mod opening;
mod rights;
mod sent;
mod settling;
mod storing;
mod support;
mod under_way;
