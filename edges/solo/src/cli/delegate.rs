use super::operator;
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_directory::SendRight;
use penfold_types::{Address, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delegate {
    /// Let a person write in the name of a person, group or shared mailbox
    Add {
        name: Address,
        person: Address,
        /// Readers see who wrote it (Sender), and for whom (From)
        #[arg(long)]
        on_behalf: bool,
    },
    /// Take that back
    Remove { name: Address, person: Address },
    /// List who writes in a name, beside those who open a shared mailbox
    List { name: Address },
}

impl Delegate {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let operator = operator(context);
        match self {
            Self::Add { name, person, on_behalf } => {
                let right = if on_behalf { SendRight::OnBehalf } else { SendRight::As };
                operator.set_send_right(&name, &person, Some(right)).await?;
                let value = json!({ "name": name, "person": person, "right": right });
                reply.say(format!("{person} may write {} {name}", words(right)), value).await
            }
            Self::Remove { name, person } => {
                operator.set_send_right(&name, &person, None).await?;
                reply.say(format!("{person} may not write as {name}"), json!({ "name": name, "removed": person })).await
            }
            Self::List { name } => {
                for (person, right) in operator.delegates(&name).await? {
                    reply.line([person.to_string(), words(right).to_owned()], json!({ "person": person, "right": right })).await?;
                }
                Ok(())
            }
        }
    }
}

fn words(right: SendRight) -> &'static str {
    match right {
        SendRight::As => "as",
        SendRight::OnBehalf => "on behalf of",
    }
}
