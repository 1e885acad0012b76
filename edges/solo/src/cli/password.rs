use super::operator;
use super::units::show_day;
use crate::control::{Context, Reply};
use clap::{Args, Subcommand, ValueEnum};
use penfold_directory::Use;
use penfold_types::{Address, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::{self, IsTerminal};

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Password {
    /// Set what a person types; asked for where it is not given
    Set {
        address: Address,
        #[command(flatten)]
        password: Given,
    },
    /// Passwords for one program each, made by the server
    #[command(subcommand)]
    App(App),
}

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum App {
    /// Make one; it is shown once
    Add {
        address: Address,
        /// What it is for
        name: String,
        /// What it opens; everything where it is not said
        #[arg(long = "for", value_name = "USE", value_delimiter = ',')]
        opens: Vec<Purpose>,
    },
    /// List them, without their text
    List { address: Address },
    /// Take one back, by id or name
    Remove { address: Address, id: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    Imap,
    Submission,
    Http,
}

impl From<Purpose> for Use {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Imap => Self::Imap,
            Purpose::Submission => Self::Submission,
            Purpose::Http => Self::Http,
        }
    }
}

/// Where a password comes from. Only its text goes to the server.
#[derive(Clone, Default, Args, Serialize, Deserialize)]
pub struct Given {
    /// The password; others on this machine can see it in the list of processes
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long, conflicts_with = "password")]
    #[serde(skip)]
    password_stdin: bool,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a password")
    }
}

impl Given {
    /// Reads it here; where none is given and one is `needed`, the person is asked.
    pub fn read(&mut self, needed: bool) -> std::result::Result<(), String> {
        let asked = needed && self.password.is_none() && !self.password_stdin;
        if asked && io::stdin().is_terminal() {
            self.password = Some(prompt()?);
        } else if self.password_stdin || asked {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map_err(|error| format!("the password cannot be read: {error}"))?;
            self.password = Some(line.trim_end_matches(['\r', '\n']).to_owned());
        }
        match &self.password {
            Some(password) if password.is_empty() => Err("give a password: with --password, on standard input, or when asked".to_owned()),
            _ => Ok(()),
        }
    }

    pub fn taken(self) -> Option<String> {
        self.password
    }
}

fn prompt() -> std::result::Result<String, String> {
    let terminal = console::Term::stderr();
    let ask = |text: &str| {
        terminal.write_str(text).and_then(|()| terminal.read_secure_line()).map_err(|error| format!("the password cannot be read: {error}"))
    };
    let password = ask("New password: ")?;
    if ask("Once more: ")? == password { Ok(password) } else { Err("the two differ; nothing was changed".to_owned()) }
}

impl Password {
    pub fn prepare(&mut self) -> std::result::Result<(), String> {
        match self {
            Self::Set { password, .. } => password.read(true),
            Self::App(_) => Ok(()),
        }
    }

    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let operator = operator(context);
        match self {
            Self::Set { address, password } => {
                let password = password.taken().ok_or_else(|| Error::invalid("give a password"))?;
                operator.set_password(&address, &password).await?;
                reply.say(format!("the password of {address} is set"), json!({ "address": address })).await
            }
            Self::App(App::Add { address, name, opens }) => {
                let opens: Vec<Use> = opens.into_iter().map(Into::into).collect();
                let (made, secret) = operator.create_app_password(&address, &name, &opens).await?;
                let rows = vec![
                    vec![secret.clone()],
                    vec![format!("This is the only time it is shown. It is for {name}, with the address {address}.")],
                ];
                reply.item(rows, json!({ "id": made.id, "name": made.name, "password": secret })).await
            }
            Self::App(App::List { address }) => {
                for one in operator.app_passwords(&address).await? {
                    let used = one.used.map_or_else(|| "never used".to_owned(), |day| format!("used {}", show_day(day)));
                    reply.line([one.id.clone(), one.name.clone(), format!("made {}", show_day(one.created)), used], &one).await?;
                }
                Ok(())
            }
            Self::App(App::Remove { address, id }) => {
                operator.remove_app_password(&address, &id).await?;
                reply.say(format!("removed {id}"), json!({ "removed": id })).await
            }
        }
    }
}
