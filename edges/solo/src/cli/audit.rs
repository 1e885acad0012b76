use super::units::{day, show_time};
use crate::control::{Context, Reply};
use clap::Args;
use penfold_types::Result;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Audit {
    tenant: String,
    /// A day in UTC [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<String>,
    /// Acts at most, the newest first
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

impl Audit {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let operator = super::operator(context);
        let tenant = operator.tenant(&self.tenant).await?;
        let number = match &self.day {
            Some(text) => day(text)?,
            None => context.service.world.env.now().seconds().div_euclid(86_400),
        };
        for one in operator.audit_log(tenant.id, number, self.limit).await? {
            reply.line([show_time(one.at), one.actor.clone(), one.act.clone(), one.target.clone(), one.detail.clone()], &one).await?;
        }
        Ok(())
    }
}
