//! What names vouch for a message that another host brings.

use crate::Transport;
use crate::accept::Incoming;
use penfold_authentication::{Arriving, Verdicts, verify};
use penfold_reports::DmarcFact;

impl Transport {
    /// `None` where it is not asked: who signed in is known, a trusted host has asked already, or there are no name servers.
    pub(crate) async fn authenticate(&self, incoming: &Incoming) -> Option<Verdicts> {
        let (world, origin) = (&self.0.world, &incoming.origin);
        if origin.trusted || origin.submitter.is_some() || !world.dns.is_there() {
            return None;
        }
        let arriving = Arriving {
            peer: origin.peer,
            helo: &origin.helo,
            mail_from: &incoming.from_text,
            hostname: &self.0.settings.hostname,
            message: &incoming.message,
        };
        let verdicts = verify(world.dns.as_ref(), &world.env, &arriving).await;
        tracing::info!(
            target: "mail", peer = %origin.peer, from = %incoming.from_text, author = ?verdicts.dmarc.author,
            spf = verdicts.mail_from.result.keyword(), dmarc = verdicts.dmarc.result.keyword(), "authenticated"
        );
        Some(verdicts)
    }

    /// For the report to the author's domain: what was found, and what follows from it.
    pub(crate) fn count(&self, incoming: &Incoming, verdicts: Option<&Verdicts>) {
        let fact = verdicts.filter(|_| self.0.settings.reports).and_then(|verdicts| DmarcFact::of(verdicts, &incoming.from_text));
        if let Some(fact) = fact {
            self.0.tally.message(fact);
        }
    }
}
