//! Whom a person wrote to outside is noted for them, so that their clients complete these addresses too. A message does not wait
//! for that, and does not fail by it.

use super::submission::Submission;
use crate::Transport;
use penfold_formats::mime::{Summary, decode_header};
use penfold_ports::Account;
use penfold_types::Address;
use std::collections::BTreeMap;

impl Transport {
    pub(super) async fn note_mailed(&self, submission: &Submission) {
        let tenant = submission.mail.tenant;
        // Of their own organisation people are in its directory.
        let outside = submission.recipients.iter().filter(|one| one.target.is_outside_of(tenant));
        let to: Vec<Address> = outside.filter_map(|one| one.path.parse().ok()).collect();
        let Some(by) = submission.by.filter(|_| !to.is_empty() && !submission.from.is_empty()) else { return };
        let names = names(submission);
        let to: Vec<(Address, String)> =
            to.into_iter().map(|one| (names.get(&one.key()).cloned().unwrap_or_default(), one)).map(|(name, one)| (one, name)).collect();
        if let Err(error) = self.directory().note_mailed(Account { tenant, principal: by }, &to).await {
            tracing::info!(%tenant, %error, "whom a message went to was not noted for its author");
        }
    }
}

/// By address, as the message's own header calls them.
fn names(submission: &Submission) -> BTreeMap<String, String> {
    let Some(summary) = Summary::decode(&submission.mail.summary) else { return BTreeMap::new() };
    let all = summary.envelope.to.iter().chain(&summary.envelope.cc);
    let named = all.filter_map(|one| {
        let (local, host) = (one.mailbox.as_deref()?, one.host.as_deref()?);
        let address: Address = format!("{}@{}", String::from_utf8_lossy(local), String::from_utf8_lossy(host)).parse().ok()?;
        Some((address.key(), decode_header(one.name.as_deref()?).trim().to_owned()))
    });
    named.take(1000).collect()
}
