//! What transport and the directory decide, in the words of SMTP.

use crate::Role;
use crate::reply::{self, Reply};
use penfold_directory::SignInError;
use penfold_transport::Refusal;

/// RFC 4954 §6 has 454 for what is temporary; the connection is closed, for it is one too many.
pub(crate) const TOO_MANY_CONNECTIONS: Reply = Reply::new(421, "4.7.0", "Too many connections of this person");
const BUSY: Reply = reply::NO_ROOM;
const UNKNOWN: Reply = Reply::new(550, "5.1.1", "No such recipient here");
const OVER_QUOTA: Reply = Reply::new(452, "4.2.2", "Mailbox full");
const MAY_NOT_POST: Reply = Reply::new(550, "5.7.1", "Not allowed to post to this group");
/// Never an open relay.
const NO_RELAY: Reply = Reply::new(550, "5.7.1", "Not a recipient of ours: relaying is not allowed");
const NO_SENDING_YET: Reply = Reply::new(451, "4.3.0", "Mail to other hosts cannot be sent yet");
/// RFC 5321 §4.1.3 literals name a host, and no domain that would vouch for it.
pub(crate) const NO_LITERAL: Reply = Reply::new(550, "5.1.2", "Mail goes to domains, not to the addresses of hosts");
const NOT_YOUR_SENDER: Reply = Reply::new(553, "5.7.1", "The sender is not an address of yours");
const NOT_YOUR_FROM: Reply = Reply::new(550, "5.7.1", "From is not an address of yours");
const NO_AUTHOR: Reply = Reply::new(550, "5.7.1", "From is missing, or there are several");
const LOOP: Reply = Reply::new(554, "5.4.6", "The message goes in a circle");
/// RFC 7372 §3.
const NOT_AUTHENTIC: Reply = Reply::new(550, "5.7.1", "The domain in From asks to refuse mail that it does not vouch for (DMARC)");
const NOT_PROVABLE: Reply = Reply::new(451, "4.7.0", "It cannot be found out now who vouches for this mail; try again later");
const LONG_HEADER: Reply = Reply::new(552, "5.3.4", "Header larger than 1 MB");
const LATER: Reply = Reply::new(451, "4.3.0", "Try again later");

fn too_fast(limit: u64) -> Reply {
    Reply::with(450, "4.7.0", format!("More than {limit} messages a minute; try again in a minute"))
}

fn too_many_today(limit: u64) -> Reply {
    Reply::with(451, "4.7.0", format!("More than {limit} recipients a day; try again after 00:00 UTC"))
}

/// `at_data`: the refusal is about the message, not about one of the envelope's addresses.
pub(crate) fn refusal(refusal: &Refusal, role: Role, at_data: bool) -> Reply {
    match refusal {
        Refusal::Unknown => UNKNOWN,
        Refusal::OverQuota => OVER_QUOTA,
        Refusal::MayNotPost => MAY_NOT_POST,
        Refusal::Outside if role == Role::Mx => NO_RELAY,
        Refusal::Outside => NO_SENDING_YET,
        Refusal::NotYours if at_data => NOT_YOUR_FROM,
        Refusal::NotYours => NOT_YOUR_SENDER,
        Refusal::NoAuthor => NO_AUTHOR,
        Refusal::Loop => LOOP,
        Refusal::NotAuthentic => NOT_AUTHENTIC,
        Refusal::NotProvable => NOT_PROVABLE,
        Refusal::TooLarge => reply::TOO_LARGE,
        Refusal::HeaderTooLarge => LONG_HEADER,
        Refusal::TooFast { messages_per_minute } => too_fast(*messages_per_minute),
        Refusal::TooManyToday { recipients_per_day } => too_many_today(*recipients_per_day),
        Refusal::Busy => BUSY,
        Refusal::Later(_) => LATER,
    }
}

/// Which of its reasons it was is not told (RFC 4954 §4).
pub(crate) fn sign_in(error: SignInError) -> Reply {
    match error {
        SignInError::Refused | SignInError::NeedsCode => reply::SIGN_IN_REFUSED,
        SignInError::TooMany(_) | SignInError::Unavailable => reply::SIGN_IN_LATER,
    }
}
