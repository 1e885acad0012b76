//! The manners of our REST API, the same for every resource. What an operation needs stands in its description
//! (`x-permission` in the OpenAPI document), and is enforced from there: an operation that does not say it is not served.
//!
//! | file | what |
//! |---|---|
//! | gate.rs | who asks, how often they may, and whether this operation is for them |
//! | document.rs | the description of the API: what all operations have in common is added here |
//! | call.rs | what a handler gets of that |
//! | problem.rs | errors (RFC 9457), with the field that is wrong |
//! | body.rs | JSON that comes in: unknown fields are refused |
//! | page.rs | lists, page by page |
//! | tag.rs | ETag and If-Match (RFC 9110 §8.8.3, §13.1.1) |
//! | session.rs, app_password.rs, profile.rs, group.rs, filter.rs, branding.rs | how these are shown, to their owner and to who administers |
//! | photo.rs | photos of people |
//! | once.rs | Idempotency-Key: a POST that comes again is answered as it was |
//! | limits.rs | how often, and the header fields that say it |
//! | basic.rs, peer.rs | Basic (RFC 7617); whose connection it is |
//! | when.rs | times as text (RFC 3339) |

mod app_password;
mod basic;
mod body;
mod branding;
mod call;
mod document;
mod filter;
mod gate;
mod group;
mod limits;
mod link;
mod once;
mod page;
mod peer;
mod photo;
mod problem;
mod profile;
mod session;
mod tag;
#[cfg(test)]
mod tests;
mod transfer;
mod when;

pub use app_password::{AppPasswordView, NewAppPassword};
pub use basic::basic;
pub use body::{Body, Params};
pub use branding::{BrandingView, image, known, logo};
pub use call::Call;
pub use document::described;
pub use filter::{ConditionView, FilterView, RuleView};
pub use gate::{Api, guarded};
pub use group::{Added, JoinAnswer, JoinRequestView, Joining, Member, MemberKind, NewMembers, Posting};
pub use limits::{Limits, Rate};
pub use link::{LinkView, ShowsView};
pub use page::{Listed, Paging};
pub use peer::{Peer, Private, behind_balancer};
pub use photo::{no_photo, photo, sent_photo};
pub use problem::{Problem, Wrong};
pub use profile::{NewProfile, ProfileView, object};
pub use session::SessionView;
pub use tag::{IfMatch, created, tag, tagged};
pub use transfer::{After, Progress, TransferProblem, TransferState, downloaded, more, of_media, refused, transfers_page, uploaded};
pub use when::When;

/// Octets of a request's body.
pub const BODY: usize = 1 << 20;
