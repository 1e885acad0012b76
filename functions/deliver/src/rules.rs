//! Where in its mailbox a message goes. What a person says about that (Sieve, inbox rules) will be asked here.

use penfold_mailbox::{Place, Role};
use penfold_transport::job::{Delivery, To};

pub(crate) fn place(job: &Delivery) -> Place {
    match job.to {
        To::Sent(_) => Place::SentCopy,
        _ => Place::Role(if job.mail.junk { Role::Junk } else { Role::Inbox }),
    }
}
