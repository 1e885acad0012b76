//! iCalendar (RFC 5545), as CalDAV stores it (RFC 4791): objects, when they happen, what of them somebody asked for.
//!
//! Nothing here walks a series from its start: an event of 1990 that goes on forever answers for 2060 by arithmetic. Whatever could
//! take long has a budget of steps and says so when it is spent.

mod busy;
mod civil;
pub mod diff;
mod edit;
mod fault;
pub mod filter;
mod join;
mod managed;
mod object;
mod occurrences;
mod reference;
mod rule;
mod split;
mod timing;
mod tree;
mod value;
mod view;
mod zone;

pub use busy::Busy;
pub use civil::write_utc;
pub use fault::{Fault, Limits, What};
pub use join::join;
pub use managed::Managed;
pub use object::{Kind, Object};
pub use occurrences::{Instance, Occurrence, Span, TooMany};
pub use split::{File, Split, head, split};
pub use tree::Component;
pub use value::Duration;
pub use view::{SelectedProp, Selection, select, select_bare};
pub use zone::Zone;
