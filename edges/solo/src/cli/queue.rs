//! Mail that is on its way: to other hosts ([`outgoing`]), what waits for its time ([`future`]), and jobs inside that were given up ([`parked`]).

mod future;
mod outgoing;
mod parked;

use crate::control::{Context, Reply};
use clap::Subcommand;
use outgoing::{Act, Chosen, Id};
use penfold_types::Result;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// List mail on its way to other hosts, the oldest first
    List {
        #[arg(long)]
        tenant: Option<String>,
        /// Only what goes to this domain
        #[arg(long)]
        destination: Option<String>,
        /// Also what has arrived or was given up, as long as it is known
        #[arg(long)]
        all: bool,
    },
    /// Show one of them with its recipients
    Show { id: Id },
    /// Try now, also what is held
    Retry {
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Try no more until it is retried
    Hold {
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Never send it
    Drop {
        #[command(flatten)]
        chosen: Chosen,
        /// Do not tell the sender
        #[arg(long)]
        quiet: bool,
    },
    /// List mail that is not to leave before its time, as its sender said
    Future {
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Take such mail back before it leaves
    Cancel {
        /// As penfold queue future shows it
        id: String,
    },
    /// List jobs inside that were given up, and those that wait behind them
    Parked,
    /// Let the parked jobs of one group go on, or all
    Release {
        #[arg(required_unless_present = "all")]
        group: Option<String>,
        #[arg(long, conflicts_with = "group")]
        all: bool,
    },
}

impl Queue {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::List { tenant, destination, all } => outgoing::list(context, reply, tenant.as_deref(), destination.as_deref(), all).await,
            Self::Show { id } => outgoing::show(context, reply, id).await,
            Self::Retry { chosen } => chosen.each(context, reply, Act::Retry).await,
            Self::Hold { chosen } => chosen.each(context, reply, Act::Hold).await,
            Self::Drop { chosen, quiet } => chosen.each(context, reply, Act::GiveUp { tell: !quiet }).await,
            Self::Future { tenant } => future::list(context, reply, tenant.as_deref()).await,
            Self::Cancel { id } => future::take_back(context, reply, &id).await,
            Self::Parked => parked::list(context, reply).await,
            Self::Release { group, .. } => parked::release(context, reply, group).await,
        }
    }
}
