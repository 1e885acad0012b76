//! A report about a tenant's mail (RFC 9990, RFC 8460): read and kept. What cannot be kept as one goes to the postmaster, as
//! the mail that it is.

use crate::Deliver;
use penfold_directory::Recipient;
use penfold_mailbox::Blob;
use penfold_reports::{Filed, Found, Received, find};
use penfold_transport::job::{Delivery, Mail, To, Walk};
use penfold_transport::send_jobs;
use penfold_transport::trace::Hop;
use penfold_types::{Address, Domain, Error, Result, TenantId};

impl Deliver {
    pub(crate) async fn report(&self, job: &Delivery) -> Result<()> {
        let mail = &job.mail;
        let text = match self.read(mail).await? {
            Ok((received, about)) => {
                let scope = self.directory.tenant_scope(mail.tenant);
                match received.file(&self.world, &self.directory, &scope).await? {
                    Filed::New => format!("kept as {about}"),
                    Filed::Again => format!("was here before: {about}"),
                }
            }
            Err(why) if self.to_postmaster(job).await? => format!("no report that can be kept, so it goes to the postmaster: {why}"),
            // The domain was removed since, or its last person: nobody is left who could read it.
            Err(why) => format!("no report that can be kept, and there is no postmaster any more: {why}"),
        };
        tracing::info!(target: "mail", trace = %mail.acceptance, %text, "report");
        self.tracer.note(mail.tenant, mail.acceptance, Hop::Filed { text });
        Ok(())
    }

    /// The report and what to call it; or why it is none.
    async fn read(&self, mail: &Mail) -> Result<std::result::Result<(Received, String), String>> {
        let message = self.mailboxes.blob(mail.tenant, Blob { acceptance: mail.acceptance, length: mail.length }).await?;
        let _one = self.reading.acquire().await.map_err(|error| Error::broken("reports cannot be read any more").because(error))?;
        let found = tokio::task::spawn_blocking(move || find(&message)).await;
        let found = match found.map_err(|error| Error::broken("a report could not be read").because(error))? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why.to_string())),
        };
        let (about, by) = match &found {
            Found::Dmarc(feedback) => (feedback.policy.domain.clone(), feedback.metadata.org_name.clone()),
            Found::Tls(report) => {
                (report.policies.first().map(|p| p.policy.policy_domain.clone()).unwrap_or_default(), report.organization_name.clone())
            }
        };
        let Some(domain) = self.own_domain(mail.tenant, &about).await? else {
            return Ok(Err(format!("it is about {about:?}, which is no domain of the tenant's")));
        };
        let text = format!("a report of {by} about {about}");
        let from = mail.from.as_ref().map(Address::to_string).unwrap_or_default();
        match Received::of(found, &domain, &from, &verdict(mail), mail.received) {
            Some(received) => Ok(Ok((received, text))),
            None => Ok(Err("it is about another time".to_owned())),
        }
    }

    /// The tenant's domain that a name is, or lies in.
    async fn own_domain(&self, tenant: TenantId, name: &str) -> Result<Option<Domain>> {
        let mut rest = Some(name);
        // No name has more labels.
        for _ in 0..127 {
            let Some(domain) = rest.and_then(|name| name.parse::<Domain>().ok()) else { break };
            if self.directory.domain_tenant(&domain).await? == Some(tenant) {
                return Ok(Some(domain));
            }
            rest = rest.and_then(|name| name.split_once('.')).map(|(_, above)| above);
        }
        Ok(None)
    }

    /// False where there is none.
    async fn to_postmaster(&self, job: &Delivery) -> Result<bool> {
        let domain = job.original.rsplit_once('@').map_or("", |(_, domain)| domain);
        let Ok(postmaster) = format!("postmaster@{domain}").parse::<Address>() else { return Ok(false) };
        let (tenant, to) = match self.directory.resolve_now(&postmaster).await? {
            Recipient::Mailbox(account) => (account.tenant, To::Mailbox(account.principal)),
            Recipient::Group(tenant, group) => (tenant, To::List(Walk::new(group))),
            Recipient::Reports(_) | Recipient::Unknown | Recipient::Outside => return Ok(false),
        };
        // The domain may be another tenant's by now, who is not to read this.
        if tenant != job.mail.tenant {
            return Ok(false);
        }
        send_jobs(&self.world, &[Delivery { to, ..job.clone() }]).await?;
        Ok(true)
    }
}

/// What DMARC said of the one who sent it, by our own field in front of the message; `own` where we did ourselves.
fn verdict(mail: &Mail) -> String {
    if mail.submitted {
        return "own".to_owned();
    }
    let prefix = String::from_utf8_lossy(&mail.prefix);
    // Whole line beginnings: what a stranger wrote stands inside of lines.
    let ours = prefix.split_once("\r\nAuthentication-Results:").map_or("", |(_, behind)| behind);
    let word = ours.split_once(";\r\n\tdmarc=").map_or("", |(_, behind)| behind);
    word.chars().take_while(char::is_ascii_alphanumeric).take(20).collect()
}
