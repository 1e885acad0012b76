use crate::control::{Context, Reply};
use clap::Args;
use penfold_mailbox::Report;
use penfold_ports::{Query, Scope, Sk};
use penfold_types::{Address, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Check {
    /// Set right what can be set right
    #[arg(long)]
    repair: bool,
    /// One mailbox only
    #[arg(long)]
    address: Option<Address>,
}

#[derive(Default)]
struct Sum {
    mailboxes: u64,
    items: usize,
    blobs: usize,
    problems: usize,
    repaired: usize,
}

impl Check {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let scopes = self.scopes(context).await?;
        let (mut sum, total) = (Sum::default(), scopes.len() as u64);
        if self.address.is_none() {
            for problem in context.service.directory.check().await? {
                sum.problems += 1;
                reply.line(["directory".to_owned(), problem.clone()], json!({ "problem": problem })).await?;
            }
        }
        for (number, scope) in scopes.into_iter().enumerate() {
            self.mailbox(context, reply, &scope, &mut sum).await?;
            reply.progress(number as u64 + 1, Some(total), "mailboxes").await?;
        }
        let text = format!(
            "{} mailboxes, {} items, {} blobs: {} problems, {} repaired",
            sum.mailboxes, sum.items, sum.blobs, sum.problems, sum.repaired
        );
        let value = json!({
            "mailboxes": sum.mailboxes, "items": sum.items, "blobs": sum.blobs, "problems": sum.problems, "repaired": sum.repaired,
        });
        reply.say(text, value).await?;
        if sum.problems == 0 || self.repair {
            Ok(())
        } else {
            Err(Error::broken("what is stored is not whole; penfold check --repair sets right what can be"))
        }
    }

    async fn scopes(&self, context: &Context) -> Result<Vec<Scope>> {
        let directory = &context.service.directory;
        if let Some(address) = &self.address {
            return match directory.resolve_now(address).await? {
                penfold_directory::Recipient::Mailbox(account) => Ok(vec![directory.job_scope(account)]),
                _ => Err(Error::not_found(format!("there is no mailbox of {address}"))),
            };
        }
        let mut scopes = Vec::new();
        for tenant in directory.every_tenant().await? {
            scopes.extend(directory.every_account(tenant).await?);
        }
        Ok(scopes)
    }

    async fn mailbox(&self, context: &Context, reply: &Reply, scope: &Scope, sum: &mut Sum) -> Result<()> {
        let service = &context.service;
        // Opening a mailbox makes it: one that nobody has used yet is left alone.
        let any = Query { pk: scope.pk().clone(), from: Sk::text("a"), to: None, limit: 1, reverse: false };
        if service.world.table.query(&any).await?.rows.is_empty() {
            return Ok(());
        }
        let account = scope.account();
        let name = service
            .directory
            .address_of(account.tenant, account.principal)
            .await
            .map_or_else(|_| account.principal.to_string(), |a| a.to_string());
        let report = self.report(context, scope).await;
        sum.mailboxes += 1;
        match report {
            Ok(report) => {
                sum.items += report.items;
                sum.blobs += report.blobs;
                sum.repaired += report.repaired;
                sum.problems += report.problems.len();
                for problem in report.problems {
                    reply.line([name.clone(), problem.clone()], json!({ "mailbox": name, "problem": problem })).await?;
                }
                for text in report.unfinished {
                    reply.line([name.clone(), format!("unfinished: {text}")], json!({ "mailbox": name, "unfinished": text })).await?;
                }
                Ok(())
            }
            Err(error) if error.kind() == penfold_types::Kind::Retry => Err(error),
            Err(error) => {
                sum.problems += 1;
                reply.line([name.clone(), error.to_string()], json!({ "mailbox": name, "problem": error.to_string() })).await
            }
        }
    }
    /// Of the rows, and of what is attached to events.
    async fn report(&self, context: &Context, scope: &Scope) -> Result<Report> {
        let mailbox = context.service.mailboxes.open(scope).await?;
        let mut report = mailbox.check(self.repair).await?;
        let attached = penfold_calendar::check_attachments(&mailbox, self.repair).await?;
        report.problems.extend(attached.problems);
        report.unfinished.extend(attached.unfinished);
        report.repaired += attached.repaired;
        Ok(report)
    }
}
