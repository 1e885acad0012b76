use crate::Accounts;
use crate::letter::Letter;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use penfold_directory::{NewSignUp, ProofBy, SignUp as Waiting};
use penfold_rest::{Body, Call, Peer, Problem, When, created};
use penfold_types::{Address, CommitId, Kind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Names that only those who run a domain have (RFC 2142, and what certificate authorities write to).
const RUNNERS: [&str; 5] = ["admin", "administrator", "hostmaster", "postmaster", "webmaster"];

/// A company that wants to be here.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "company": "Example Ltd", "address": "ann@example-company.test", "name": "Ann Example", "password": "plum cactus orbit",
}))]
pub(crate) struct NewCompany {
    company: String,
    /// Of the first administrator. Its domain is the company's, of which the proof is asked; it need not receive mail yet.
    address: String,
    /// Of the first administrator.
    name: String,
    /// At least 10 characters, and none of those that are tried first.
    password: String,
    /// How the domain is proved: by a TXT record where this is absent.
    #[serde(default)]
    proof: Option<ProofKind>,
    /// Where `proof` is `mail`: an address of the domain that only those have who run it, admin, administrator, hostmaster,
    /// postmaster or webmaster.
    #[serde(default)]
    proof_address: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProofKind {
    Dns,
    Mail,
}

/// A sign-up that waits for its proof, or is done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignUp {
    id: String,
    company: String,
    domain: String,
    address: String,
    status: SignUpStatus,
    proof: SignUpProof,
    /// When it is forgotten, where nothing is proved.
    expires: When,
    /// The tenant that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    /// Send it as `Authorization: Bearer` to look at this sign-up and to finish it; only in the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SignUpStatus {
    Waiting,
    Done,
}

/// What shows that the domain is the company's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignUpProof {
    by: ProofKind,
    /// The record to publish.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<ProofRecord>,
    /// Where the code was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProofRecord {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    value: String,
}

/// The code of the letter, where the proof is by mail.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(crate) struct Shown {
    #[serde(default)]
    code: Option<String>,
}

impl SignUp {
    fn of(waiting: &Waiting, token: Option<String>) -> Self {
        let proof = match &waiting.by {
            ProofBy::Dns => {
                let (name, value) = penfold_domains::sign_up_record(waiting);
                SignUpProof { by: ProofKind::Dns, record: Some(ProofRecord { kind: "TXT".to_owned(), name, value }), address: None }
            }
            ProofBy::Mail(address) => SignUpProof { by: ProofKind::Mail, record: None, address: Some(address.to_string()) },
        };
        Self {
            id: waiting.id.to_string(),
            company: waiting.company.clone(),
            domain: waiting.domain().to_string(),
            address: waiting.address.to_string(),
            status: if waiting.done { SignUpStatus::Done } else { SignUpStatus::Waiting },
            proof,
            expires: When(waiting.expires),
            tenant: waiting.tenant.map(|tenant| tenant.to_string()),
            token,
        }
    }
}

/// Begins the sign-up of a company: gives back what to publish, or sends a code. Nothing is made until the domain is proved.
/// Whether somebody has the domain already is not told.
#[utoipa::path(post, path = "/v1/signup", tag = "sign-up", request_body = NewCompany, extensions(("x-permission" = json!("public"))),
    responses((status = 201, body = SignUp)))]
pub(crate) async fn begin(
    call: Call,
    State(accounts): State<Accounts>,
    peer: Option<axum::Extension<Peer>>,
    Body(new): Body<NewCompany>,
) -> Result<Response, Problem> {
    let address: Address = new.address.parse().map_err(|error| Problem::field("/address", format!("{}: {error}", new.address)))?;
    call.directory().may_be_claimed(address.domain()).await.map_err(|error| field(&error, "/address"))?;
    let operator = call.directory().operator();
    operator.judge_password(&new.password, &address, &new.name).map_err(|error| field(&error, "/password"))?;
    operator.check_company(&new.company).map_err(|error| field(&error, "/company"))?;
    penfold_directory::check_name(&new.name).map_err(|error| field(&error, "/name"))?;
    let by = match (new.proof.unwrap_or(ProofKind::Dns), &new.proof_address) {
        (ProofKind::Dns, None) => ProofBy::Dns,
        (ProofKind::Dns, Some(_)) => return Err(Problem::field("/proof_address", "this is for proof `mail` only")),
        (ProofKind::Mail, given) => ProofBy::Mail(runner(&address, given.as_deref())?),
    };
    let sender = match &by {
        ProofBy::Mail(_) => Some(accounts.sender().await?),
        ProofBy::Dns => None,
    };
    let network = peer.map_or(Peer::UNKNOWN, |peer| peer.0).network();
    let new = NewSignUp { company: new.company, address, name: new.name, password: new.password, by, network };
    let (waiting, token) = call.directory().begin_sign_up(&new).await.map_err(|error| match error.kind() {
        Kind::Limit => Problem::new(StatusCode::TOO_MANY_REQUESTS, error.text()).after(std::time::Duration::from_secs(3600)),
        _ => error.into(),
    })?;
    if let (Some((tenant, from)), ProofBy::Mail(to)) = (sender, &waiting.by) {
        let text = format!(
            "Somebody signs {} up with the domain {}. If that is you, this is the code:\n\n    {}\n\nIf it is not, do nothing: without the code nothing happens.\n",
            waiting.company,
            waiting.domain(),
            waiting.token(),
        );
        let letter =
            Letter { tenant, from, name: None, to: to.clone(), subject: "Your code", text, about: &format!("sign-up {}", waiting.id) };
        accounts.send(&letter).await?;
    }
    Ok(created(&format!("/v1/signup/{}", waiting.id), 1, SignUp::of(&waiting, Some(token))))
}

fn field(error: &penfold_types::Error, pointer: &str) -> Problem {
    match error.kind() {
        Kind::Invalid => Problem::field(pointer, error.text()),
        _ => error.clone().into(),
    }
}

fn runner(address: &Address, given: Option<&str>) -> Result<Address, Problem> {
    let wrong = || {
        let names = RUNNERS.map(|name| format!("{name}@{}", address.domain())).join(", ");
        Problem::field("/proof_address", format!("one of {names}"))
    };
    let given: Address = given.ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
    let fits = given.domain() == address.domain() && RUNNERS.iter().any(|name| given.local().eq_ignore_ascii_case(name));
    if fits { Ok(given) } else { Err(wrong()) }
}

/// The sign-up that the token belongs to.
async fn find(call: &Call, id: &str, headers: &HeaderMap) -> Result<Waiting, Problem> {
    let id: CommitId = id.parse().map_err(|_| Problem::not_found())?;
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let missing = || Problem::new(StatusCode::UNAUTHORIZED, "Send the token of the sign-up as Authorization: Bearer.");
    Ok(call.directory().sign_up(id, token.ok_or_else(missing)?).await?)
}

/// How far a sign-up is.
#[utoipa::path(get, path = "/v1/signup/{signup}", tag = "sign-up", extensions(("x-permission" = json!("public"))),
    responses((status = 200, body = SignUp)))]
pub(crate) async fn show(call: Call, Path(id): Path<String>, headers: HeaderMap) -> Result<axum::Json<SignUp>, Problem> {
    Ok(axum::Json(SignUp::of(&find(&call, &id, &headers).await?, None)))
}

/// Looks for the proof: the record in DNS, or the code. With it the tenant is made, on trial, with the domain and the first
/// administrator, who signs in with the password that was given. Ask again until it is `done`.
#[utoipa::path(post, path = "/v1/signup/{signup}/verify", tag = "sign-up", request_body = Shown,
    extensions(("x-permission" = json!("public"))), responses((status = 200, body = SignUp)))]
pub(crate) async fn verify(
    call: Call,
    State(accounts): State<Accounts>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(shown): Body<Shown>,
) -> Result<axum::Json<SignUp>, Problem> {
    let waiting = find(&call, &id, &headers).await?;
    let proved = match (&waiting.by, &shown.code) {
        _ if waiting.tenant.is_some() => true,
        (ProofBy::Dns, None) => accounts.domains.finds_sign_up(&waiting).await?,
        (ProofBy::Dns, Some(_)) => return Err(Problem::field("/code", "the proof is by DNS; there is no code")),
        (ProofBy::Mail(_), Some(code)) if call.directory().sign_up_code(&waiting, code).await? => true,
        (ProofBy::Mail(_), Some(_)) => return Err(Problem::field("/code", "this is not the code")),
        (ProofBy::Mail(_), None) => return Err(Problem::field("/code", "give the code of the letter")),
    };
    if proved {
        let tenant = call.directory().finish_sign_up(&waiting).await?;
        accounts.domains.ensure(tenant, waiting.domain()).await?;
    }
    Ok(axum::Json(SignUp::of(&find(&call, &id, &headers).await?, None)))
}
