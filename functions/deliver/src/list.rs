//! One step of a walk through a group and the groups inside it: a few hundred members become jobs, then the walk queues
//! itself again, so that a mailing to 10,000 takes its turns between the mail of others.

use crate::Deliver;
use bytes::Bytes;
use penfold_directory::{Member, MemberKey};
use penfold_transport::job::{Delivery, GROUPS, To, Walk};
use penfold_transport::send_jobs;
use penfold_transport::trace::Hop;
use penfold_types::{Address, Error, PrincipalId, Result};
use std::collections::BTreeSet;

/// Members of one step, and groups looked into for them.
const MEMBERS: usize = 500;
const VISITS: usize = 100;
/// What a page of a dynamic group counts for.
const PEOPLE: usize = 10;

/// What a step found.
#[derive(Default)]
struct Found {
    mailboxes: BTreeSet<PrincipalId>,
    outside: Vec<Address>,
}

impl Deliver {
    pub(crate) async fn list(&self, job: &Delivery, mut walk: Walk) -> Result<()> {
        let tenant = job.mail.tenant;
        let (mut found, begun) = (Found::default(), walk.clone());
        let mut visits = 0;
        while visits < VISITS {
            let left = MEMBERS.saturating_sub(found.mailboxes.len() + found.outside.len());
            let Some(group) = walk.groups.get(walk.next).copied().filter(|_| left > 0) else { break };
            let after = MemberKey::from_bytes(&walk.cursor);
            let (members, more) = self.directory.members(tenant, group, after.as_ref(), left).await?;
            // Where people are gone through for it, a page costs as much as many, however few of them are found.
            visits += if more.as_ref().is_some_and(MemberKey::goes_through_people) { PEOPLE } else { 1 };
            let count = members.len() as u64;
            take(members, &mut walk, &mut found)?;
            self.tracer.note(tenant, job.mail.acceptance, Hop::Expanded { group, members: count });
            match more {
                Some(key) => walk.cursor = Bytes::copy_from_slice(key.as_bytes()),
                None => {
                    walk.next += 1;
                    walk.cursor = Bytes::new();
                }
            }
        }
        self.transport.forward(&job.mail, &begun, &found.outside).await?;
        let mut jobs: Vec<_> =
            found.mailboxes.into_iter().map(|principal| Delivery { to: To::Mailbox(principal), ..job.clone() }).collect();
        if walk.next < walk.groups.len() {
            walk.step += 1;
            jobs.push(Delivery { to: To::List(walk), ..job.clone() });
        }
        Ok(send_jobs(&self.world, &jobs).await?)
    }
}

fn take(members: Vec<Member>, walk: &mut Walk, found: &mut Found) -> Result<()> {
    let mut known: BTreeSet<PrincipalId> = walk.groups.iter().copied().collect();
    for member in members {
        match member {
            Member::Mailbox(principal) => {
                found.mailboxes.insert(principal);
            }
            Member::Outside(address) => found.outside.push(address),
            // A group that was found before, be it by another way or by a circle, is not walked again.
            Member::Group(group) if known.insert(group) => {
                if walk.groups.len() >= GROUPS {
                    return Err(Error::limit(format!("more than {GROUPS} groups in one")));
                }
                walk.groups.push(group);
            }
            Member::Group(_) => (),
        }
    }
    Ok(())
}
