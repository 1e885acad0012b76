use super::operator;
use super::units::show_day;
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_types::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Token {
    /// Make one; it is shown once, and may do everything over HTTP
    Add {
        /// Who or what uses it; stands in the audit log
        name: String,
    },
    /// List them, without their text
    List,
    /// Take one back, by id
    Remove { id: String },
}

impl Token {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let directory = &context.service.directory;
        match self {
            Self::Add { name } => {
                let text = operator(context).make_token(&name).await?;
                let rows = vec![vec![text.clone()], vec!["This is the only time it is shown.".to_owned()]];
                reply.item(rows, json!({ "name": name, "token": text })).await
            }
            Self::List => {
                for (id, name, made) in directory.operator_tokens().await? {
                    let value = json!({ "id": id, "name": name, "created": made });
                    reply.line([id, name, format!("made {}", show_day(made))], value).await?;
                }
                Ok(())
            }
            Self::Remove { id } => {
                directory.remove_operator_token(&id).await?;
                reply.say(format!("removed {id}"), json!({ "removed": id })).await
            }
        }
    }
}
