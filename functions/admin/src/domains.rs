use crate::{Admin, text};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::DomainInfo;
use penfold_domains::{Domains, Finding, Need, Proof, Record as DnsRecord, Verdict};
use penfold_rest::{Body, Call, Listed, Problem, When, created};
use penfold_types::Domain as Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A mail domain of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Domain {
    domain: String,
    /// It is shown that it is the tenant's: it receives and sends, and addresses can be in it.
    proved: bool,
    /// Until when the proof is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    lapses: Option<When>,
    created: When,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "domain": "second.example.test" }))]
pub(crate) struct NewDomain {
    domain: String,
}

/// A record that the domain should have in DNS.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Record {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    value: String,
    /// Without it mail does not come in, or is refused elsewhere.
    required: bool,
    purpose: String,
}

/// What is in DNS instead of a record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checked {
    wanted: Record,
    verdict: RecordVerdict,
    found: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RecordVerdict {
    Ok,
    Missing,
    /// There is something else, or too much.
    Differs,
    /// No name server answers for it.
    CannotBeAsked,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Check {
    records: Vec<Checked>,
    /// What no single record shows.
    conflicts: Vec<String>,
    /// Everything that is required is as it should be.
    ready: bool,
}

/// What came of looking for the proof.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DomainProof {
    proved: bool,
    /// The record to publish, where it is not there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<Record>,
    /// What is there under its name.
    found: Vec<String>,
}

impl From<DnsRecord> for Record {
    fn from(record: DnsRecord) -> Self {
        let (kind, value) = (record.data.kind().to_owned(), record.data.to_string());
        Self { kind, name: record.name, value, required: record.need == Need::Required, purpose: record.purpose }
    }
}

impl From<DomainInfo> for Domain {
    fn from(info: DomainInfo) -> Self {
        Self { domain: info.domain, proved: info.proved, lapses: info.lapses.map(When), created: When(info.created) }
    }
}

impl From<Finding> for Checked {
    fn from(finding: Finding) -> Self {
        let verdict = match finding.verdict {
            Verdict::Ok => RecordVerdict::Ok,
            Verdict::Missing => RecordVerdict::Missing,
            Verdict::Differs => RecordVerdict::Differs,
            Verdict::CannotBeAsked => RecordVerdict::CannotBeAsked,
        };
        Self { wanted: finding.wanted.into(), verdict, found: finding.found, advice: finding.advice }
    }
}

pub(crate) type Named = Path<(String, String)>;

/// The tenant's own domain of this name, and its records and keys in the caller's name.
pub(crate) async fn own(call: &Call, admin: &Admin, name: &str) -> Result<(Name, Domains), Problem> {
    let domain: Name = name.parse().map_err(|_| Problem::not_found())?;
    call.operator()?.own_domain(call.tenant()?, &domain).await?;
    Ok((domain, admin.domains.acting_as(&call.caller()?.actor())))
}

/// Domains of a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/domains", tag = "domains", extensions(("x-permission" = json!("domain-read"))),
    responses((status = 200, body = Listed<Domain>)))]
pub(crate) async fn list(call: Call) -> Result<axum::Json<Listed<Domain>>, Problem> {
    let all = call.operator()?.domains(&call.tenant()?.to_string()).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(Domain::from).collect())))
}

/// Claims a domain, whoever else may have it. It is used once it is proved: publish the record of `verify` within a week, then ask
/// that again. What the operator adds counts as proved.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/domains", tag = "domains", request_body = NewDomain,
    extensions(("x-permission" = json!("domain-write"))), responses((status = 201, body = Domain)))]
pub(crate) async fn add(call: Call, State(admin): State<Admin>, Body(new): Body<NewDomain>) -> Result<Response, Problem> {
    let domain = text::domain("/domain", &new.domain)?;
    let (tenant, operator) = (call.tenant()?.to_string(), call.operator()?);
    if call.caller()?.is_operator() {
        operator.create_domain(&tenant, &domain).await?;
    } else {
        call.directory().may_be_claimed(&domain).await.map_err(|error| Problem::field("/domain", error.text()))?;
        operator.claim_domain(&tenant, &domain).await?;
    }
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    admin.domains.acting_as(&call.caller()?.actor()).ensure(call.tenant()?, &domain).await?;
    let made = operator.domains(&tenant).await?.into_iter().find(|one| one.domain == domain.as_str()).ok_or_else(Problem::not_found)?;
    Ok(created(&format!("/v1/tenants/{tenant}/domains/{domain}"), 1, Domain::from(made)))
}

/// One domain.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/domains/{domain}", tag = "domains", extensions(("x-permission" = json!("domain-read"))),
    responses((status = 200, body = Domain)))]
pub(crate) async fn show(call: Call, State(admin): State<Admin>, Path((_, name)): Named) -> Result<axum::Json<Domain>, Problem> {
    let (domain, _) = own(&call, &admin, &name).await?;
    let all = call.operator()?.domains(&call.tenant()?.to_string()).await?;
    let found = all.into_iter().find(|one| one.domain == domain.as_str()).ok_or_else(Problem::not_found)?;
    Ok(axum::Json(found.into()))
}

/// Gives a domain up. Refused while an address in it is somebody's.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/domains/{domain}", tag = "domains", extensions(("x-permission" = json!("domain-write"))),
    responses((status = 204)))]
pub(crate) async fn remove(call: Call, State(admin): State<Admin>, Path((_, name)): Named) -> Result<StatusCode, Problem> {
    let (domain, _) = own(&call, &admin, &name).await?;
    if !call.dry_run {
        call.operator()?.remove_domain(call.tenant()?, &domain).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Looks in DNS for the proof that the domain is the tenant's. 409 where it is there and another tenant has the domain: that one
/// must remove it first.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/domains/{domain}/verify", tag = "domains",
    extensions(("x-permission" = json!("domain-write"))), responses((status = 200, body = DomainProof)))]
pub(crate) async fn verify(call: Call, State(admin): State<Admin>, Path((_, name)): Named) -> Result<Response, Problem> {
    let (domain, domains) = own(&call, &admin, &name).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let verified = match domains.prove(call.tenant()?, &domain).await? {
        Proof::Already | Proof::Proved => DomainProof { proved: true, wanted: None, found: Vec::new() },
        Proof::NotYet { wanted, found } => DomainProof { proved: false, wanted: Some(wanted.into()), found },
    };
    Ok(axum::Json(verified).into_response())
}

/// The records that a domain should have.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/domains/{domain}/records", tag = "domains",
    extensions(("x-permission" = json!("domain-read"))), responses((status = 200, body = Listed<Record>)))]
pub(crate) async fn records(call: Call, State(admin): State<Admin>, Path((_, name)): Named) -> Result<axum::Json<Listed<Record>>, Problem> {
    let (domain, domains) = own(&call, &admin, &name).await?;
    Ok(axum::Json(Listed::whole(domains.records(call.tenant()?, &domain).await?.into_iter().map(Record::from).collect())))
}

/// Asks DNS for these records: what is found, and how to mend it.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/domains/{domain}/check", tag = "domains",
    extensions(("x-permission" = json!("domain-read"))), responses((status = 200, body = Check)))]
pub(crate) async fn check(call: Call, State(admin): State<Admin>, Path((_, name)): Named) -> Result<axum::Json<Check>, Problem> {
    let (domain, domains) = own(&call, &admin, &name).await?;
    let report = domains.check(call.tenant()?, &domain).await?;
    let ready = report.lacking() == 0;
    Ok(axum::Json(Check { records: report.findings.into_iter().map(Checked::from).collect(), conflicts: report.conflicts, ready }))
}
