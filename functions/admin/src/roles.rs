use crate::text;
use axum::response::Response;
use penfold_directory::{PersonInfo, PrincipalKind, Role as Kind, RoleGrant, Within};
use penfold_rest::{Body, Call, IfMatch, Problem, tagged};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody administers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "roles": [{ "role": "help-desk" }] }))]
pub(crate) struct Roles {
    roles: Vec<Grant>,
}

/// A role, for the whole tenant, or for the people of one domain or one group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    TenantAdministrator,
    RecipientManagement,
    HelpDesk,
    Compliance,
    Records,
    ReadOnly,
}

impl From<Role> for Kind {
    fn from(role: Role) -> Self {
        match role {
            Role::TenantAdministrator => Self::TenantAdministrator,
            Role::RecipientManagement => Self::RecipientManagement,
            Role::HelpDesk => Self::HelpDesk,
            Role::Compliance => Self::Compliance,
            Role::Records => Self::Records,
            Role::ReadOnly => Self::ReadOnly,
        }
    }
}

impl From<Kind> for Role {
    fn from(role: Kind) -> Self {
        match role {
            Kind::TenantAdministrator => Self::TenantAdministrator,
            Kind::RecipientManagement => Self::RecipientManagement,
            Kind::HelpDesk => Self::HelpDesk,
            Kind::Compliance => Self::Compliance,
            Kind::Records => Self::Records,
            Kind::ReadOnly => Self::ReadOnly,
        }
    }
}

impl From<&RoleGrant> for Grant {
    fn from(grant: &RoleGrant) -> Self {
        let (domain, group) = match &grant.within {
            Within::Tenant => (None, None),
            Within::Domain(domain) => (Some(domain.to_string()), None),
            Within::Group(group) => (None, Some(group.to_string())),
        };
        Self { role: grant.role.into(), domain, group }
    }
}

impl Grant {
    fn read(&self, at: usize) -> Result<RoleGrant, Problem> {
        let within = match (&self.domain, &self.group) {
            (None, None) => Within::Tenant,
            (Some(domain), None) => Within::Domain(text::domain(&format!("/roles/{at}/domain"), domain)?),
            (None, Some(group)) => {
                let wrong = |_| Problem::field(format!("/roles/{at}/group"), "this is not the id of a group");
                Within::Group(group.parse().map_err(wrong)?)
            }
            (Some(_), Some(_)) => return Err(Problem::field(format!("/roles/{at}"), "a domain or a group, not both")),
        };
        Ok(RoleGrant { role: self.role.into(), within })
    }
}

async fn find(call: &Call) -> Result<PersonInfo, Problem> {
    let address = call.operator()?.address_of(call.tenant()?, call.subject()?, PrincipalKind::Person).await?;
    Ok(call.operator()?.person(&address).await?)
}

fn shown(person: &PersonInfo) -> Response {
    tagged(person.revision, Roles { roles: person.roles.iter().map(Grant::from).collect() })
}

/// What a person administers.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/roles", tag = "roles", extensions(("x-permission" = json!("role-read"))),
    responses((status = 200, body = Roles)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    Ok(shown(&find(&call).await?))
}

/// Sets all roles of a person; those that are not named are gone. A tenant keeps one administrator at least.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/people/{person}/roles", tag = "roles", request_body = Roles,
    extensions(("x-permission" = json!("role-write"))), responses((status = 200, body = Roles)))]
pub(crate) async fn set(call: Call, wanted: IfMatch, Body(roles): Body<Roles>) -> Result<Response, Problem> {
    let person = find(&call).await?;
    let expected = wanted.judge(person.revision)?;
    let grants = roles.roles.iter().enumerate().map(|(at, grant)| grant.read(at)).collect::<Result<Vec<_>, _>>()?;
    let set = call.operator()?.expecting(expected).set_roles(&person.address, &grants).await;
    set.map_err(|error| wanted.explain(error))?;
    Ok(shown(&find(&call).await?))
}
