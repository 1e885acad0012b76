use crate::cli::units::{show_day, show_time};
use crate::control::{Context, Reply};
use penfold_reports::{Kind, Sent, State, time};
use penfold_types::{Result, Timestamp};
use serde_json::json;

/// Lines of one answer.
const LINES: usize = 10_000;

pub async fn show(context: &Context, reply: &Reply, days: u16) -> Result<()> {
    for sent in Sent::list(&context.service.world, days.into(), LINES).await? {
        let kind = match sent.kind {
            Kind::Dmarc => "dmarc",
            Kind::Tls => "tls",
        };
        let state = match sent.state {
            State::Begun => "begun",
            State::Sent => "sent",
            State::Unwanted => "taken by nobody",
        };
        let day = show_day(Timestamp::from_seconds(sent.day * time::DAY));
        let cells = [day.clone(), kind.to_owned(), sent.domain.clone(), state.to_owned(), sent.count.to_string(), sent.to.clone()];
        let value = json!({
            "day": day, "kind": kind, "domain": sent.domain, "state": state, "at": show_time(sent.at), "count": sent.count,
            "to": sent.to.split_whitespace().collect::<Vec<_>>(), "acceptance": sent.acceptance,
        });
        reply.line(cells, value).await?;
    }
    Ok(())
}
