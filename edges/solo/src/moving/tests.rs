//! A tenant with something of everything, moved between stores.

mod faults;
mod moves;
mod reading;
mod refusals;
mod scene;
