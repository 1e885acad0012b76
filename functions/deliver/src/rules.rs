//! Where in its mailbox a message goes. What a person says about that (Sieve, inbox rules) will be asked here.

use penfold_mailbox::{Place, Role};
use penfold_transport::job::Mail;

pub(crate) fn place(mail: &Mail) -> Place {
    Place::Role(if mail.junk { Role::Junk } else { Role::Inbox })
}
