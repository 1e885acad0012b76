//! All jobs of one mailbox in one commit.

use crate::{Deliver, rules};
use penfold_mailbox::{Blob, Keywords, Mailbox};
use penfold_ports::Account;
use penfold_transport::job::{Delivery, To};
use penfold_transport::trace::Hop;
use penfold_types::{Error, Kind, PrincipalId, Result};

impl Deliver {
    /// How many were delivered, from the first, and what stopped the rest.
    pub(crate) async fn mailbox(&self, principal: PrincipalId, jobs: &[Delivery]) -> (usize, Option<Error>) {
        let Some(first) = jobs.first() else { return (0, None) };
        let account = Account { tenant: first.mail.tenant, principal };
        let mailbox = match self.open(account).await {
            Ok(mailbox) => mailbox,
            Err(error) => return (0, Some(self.failed(account, jobs, error))),
        };
        match self.commit(&mailbox, jobs).await {
            Ok(()) => (jobs.len(), None),
            // The store is busy: one by one would not help.
            Err(error) if jobs.len() == 1 || error.kind() == Kind::Retry => (0, Some(self.failed(account, jobs, error))),
            Err(_) => self.one_by_one(&mailbox, account, jobs).await,
        }
    }

    /// An edge believes a route for a minute, so the person may be gone since: opening would then make an account anew.
    async fn open(&self, account: Account) -> Result<Mailbox> {
        self.directory.quota(account).await?;
        self.mailboxes.open(&self.directory.job_scope(account)).await
    }

    /// One message that cannot be delivered must not stop those in front of it.
    async fn one_by_one(&self, mailbox: &Mailbox, account: Account, jobs: &[Delivery]) -> (usize, Option<Error>) {
        for (done, job) in jobs.chunks(1).enumerate() {
            if let Err(error) = self.commit(mailbox, job).await {
                return (done, Some(self.failed(account, job, error)));
            }
        }
        (jobs.len(), None)
    }

    async fn commit(&self, mailbox: &Mailbox, jobs: &[Delivery]) -> Result<()> {
        let batch: Vec<_> = jobs.iter().map(delivery).collect();
        let delivered = mailbox.deliver(&batch).await?;
        let account = mailbox.account();
        for (job, one) in jobs.iter().zip(delivered) {
            let acceptance = job.mail.acceptance;
            if one.again {
                self.tracer.note(account.tenant, acceptance, Hop::Repeated { account: account.principal });
                continue;
            }
            let hop = Hop::Delivered { account: account.principal, folder: one.folder, uid: one.uid.get(), modseq: one.modseq.get() };
            self.tracer.note(account.tenant, acceptance, hop);
            tracing::info!(target: "mail", trace = %acceptance, account = %account.principal, folder = %one.folder, uid = one.uid.get(), modseq = one.modseq.get(), "delivered");
        }
        Ok(())
    }

    fn failed(&self, account: Account, jobs: &[Delivery], error: Error) -> Error {
        for job in jobs {
            tracing::warn!(target: "mail", trace = %job.mail.acceptance, account = %account.principal, %error, "not delivered");
            if error.kind() != Kind::Retry {
                let hop = Hop::Failed { target: account.principal, text: error.to_string() };
                self.tracer.note(account.tenant, job.mail.acceptance, hop);
            }
        }
        error
    }
}

fn delivery(job: &Delivery) -> penfold_mailbox::Delivery {
    let mail = &job.mail;
    penfold_mailbox::Delivery {
        blob: Blob { acceptance: mail.acceptance, length: mail.length },
        prefix: mail.prefix.clone(),
        summary: mail.summary.clone(),
        received: mail.received,
        place: rules::place(job),
        keywords: if matches!(job.to, To::Sent(_)) { Keywords::SEEN } else { Keywords::NONE },
    }
}
