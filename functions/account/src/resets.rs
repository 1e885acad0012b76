use crate::Accounts;
use crate::letter::Letter;
use axum::extract::State;
use axum::http::StatusCode;
use penfold_directory::{NewSession, SessionKind};
use penfold_rest::{Body, Call, Peer, Problem};
use penfold_types::Address;
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

const LASTS: Duration = Duration::from_secs(3600);
const ANSWER: Duration = Duration::from_secs(2);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "ann@example.test" }))]
pub(crate) struct Forgotten {
    address: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "token": "pfr_0123", "password": "walnut river lantern" }))]
pub(crate) struct Mended {
    /// From the letter.
    token: String,
    /// At least 10 characters, and none of those that are tried first.
    password: String,
}

/// Sends a way to a new password to the person's recovery address, where there is such a person with one. The answer is always
/// the same.
#[utoipa::path(post, path = "/v1/password-resets", tag = "sessions", request_body = Forgotten,
    extensions(("x-permission" = json!("public"))), responses((status = 202)))]
pub(crate) async fn begin(
    call: Call,
    State(accounts): State<Accounts>,
    peer: Option<axum::Extension<Peer>>,
    Body(given): Body<Forgotten>,
) -> Result<StatusCode, Problem> {
    let address: Address = given.address.parse().map_err(|error| Problem::field("/address", format!("{error}")))?;
    let from = peer.map_or(Peer::UNKNOWN, |peer| peer.0).0.to_string();
    // However long it takes, or whether there is anything to do: the answer comes after the same time.
    let env = accounts.world.env.clone();
    let ((), sent) = tokio::join!(env.sleep(ANSWER), accounts.send_reset(&call, &address, &from));
    if let Err(error) = sent {
        // Nothing of it is told: whether somebody is there is not asked here.
        tracing::info!(%error, "no way to a new password was sent");
    }
    Ok(StatusCode::ACCEPTED)
}

impl Accounts {
    async fn send_reset(&self, call: &Call, address: &Address, from: &str) -> penfold_types::Result<()> {
        let directory = call.directory();
        let person = directory.operator().person(address).await?;
        let Some(recovery) = person.recovery.clone() else { return Ok(()) };
        let account = penfold_ports::Account { tenant: person.tenant, principal: person.id };
        // One at a time: whoever asks again and again does not fill anybody's mailbox.
        if directory.sessions(account).await?.iter().any(|session| session.kind == SessionKind::Reset) {
            return Ok(());
        }
        let new = NewSession {
            kind: SessionKind::Reset,
            name: "new password".to_owned(),
            roles: None,
            lasts: LASTS,
            from: from.to_owned(),
            agent: String::new(),
        };
        let (session, token) = directory.open_session(account, &new).await?;
        let branding = directory.branding(person.tenant).await?;
        let mut text = format!(
            "Somebody at {from} wants a new password for {}{}. If that is you, set one with this token until {}:\n\n    {token}\n\nIf it is not, do nothing: the password stays as it is.\n",
            person.address,
            branding.display_name.as_ref().map(|name| format!(" at {name}")).unwrap_or_default(),
            self.until(LASTS),
        );
        let help: Vec<_> = branding.support_address.iter().map(Address::to_string).chain(branding.support_url.clone()).collect();
        if !help.is_empty() {
            text.push_str(&format!("\nHelp: {}\n", help.join(", ")));
        }
        let sender: Address = format!("postmaster@{}", person.address.domain())
            .parse()
            .map_err(|_| penfold_types::Error::broken("a postmaster has no address"))?;
        let about = format!("reset {}", session.id);
        let name = branding.display_name;
        self.send(&Letter { tenant: person.tenant, from: sender, name, to: recovery, subject: "A new password", text, about: &about }).await
    }
}

/// Sets a new password with the token of the letter. All sessions end; a second factor stays.
#[utoipa::path(post, path = "/v1/password-resets/finish", tag = "sessions", request_body = Mended,
    extensions(("x-permission" = json!("public"))), responses((status = 204)))]
pub(crate) async fn finish(call: Call, Body(given): Body<Mended>) -> Result<StatusCode, Problem> {
    let directory = call.directory();
    // The rules that need no name first, so that a weak choice does not use the token up.
    let nobody: Address = "nobody@nowhere.invalid".parse().map_err(|_| Problem::not_found())?;
    let operator = directory.operator();
    operator.judge_password(&given.password, &nobody, "").map_err(|error| Problem::field("/password", error.text()))?;
    let account = directory.take_reset(&given.token).await?;
    let address = directory.address_of(account.tenant, account.principal).await?;
    operator.acting_as(&address.to_string()).set_password(&address, &given.password).await?;
    directory.close_sessions(account, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
