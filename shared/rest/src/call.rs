use crate::{Api, Problem};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use penfold_directory::{Caller, Directory, Operator, Permission, Reach, Session, SignedIn};
use penfold_types::{PrincipalId, TenantId};

/// A request that passed the gate.
#[derive(Clone)]
pub struct Call {
    pub api: Api,
    caller: Option<Caller>,
    /// The tenant of the path.
    tenant: Option<TenantId>,
    /// For whom in it the caller may do this.
    reach: Reach,
    /// The person, group or mailbox of the path, judged already.
    subject: Option<PrincipalId>,
    permission: Option<Permission>,
    /// Nothing is to be changed.
    pub dry_run: bool,
}

impl Call {
    pub(crate) fn public(api: &Api) -> Self {
        Self {
            api: api.clone(),
            caller: None,
            tenant: None,
            reach: Reach::Only(Vec::new()),
            subject: None,
            permission: None,
            dry_run: false,
        }
    }

    pub(crate) fn by(api: &Api, caller: Caller, dry_run: bool) -> Self {
        Self { caller: Some(caller), dry_run, ..Self::public(api) }
    }

    pub(crate) fn judged(self, tenant: TenantId, reach: Reach, permission: Permission, subject: Option<PrincipalId>) -> Self {
        Self { tenant: Some(tenant), reach, permission: Some(permission), subject, ..self }
    }

    pub fn directory(&self) -> &Directory {
        &self.api.directory
    }

    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(|| penfold_directory::SignInError::Refused.into())
    }

    /// The person, with the session; the operator has neither.
    pub fn person(&self) -> Result<(&SignedIn, &Session), Problem> {
        self.caller()?
            .signed_in()
            .ok_or_else(|| Problem::new(axum::http::StatusCode::FORBIDDEN, "Only people have this; this token is the operator's."))
    }

    pub fn tenant(&self) -> Result<TenantId, Problem> {
        self.tenant.ok_or_else(Problem::not_found)
    }

    pub fn subject(&self) -> Result<PrincipalId, Problem> {
        self.subject.ok_or_else(Problem::not_found)
    }

    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Whether a new person, group or mailbox of this address may be made.
    pub fn allow_new(&self, address: &penfold_types::Address) -> Result<(), Problem> {
        let permission = self.permission.ok_or_else(Problem::not_found)?;
        Ok(self.api.directory.allow_new(self.caller()?, permission, self.tenant()?, address)?)
    }

    /// Whether the same may be done with somebody who is named in the body.
    pub async fn allow(&self, subject: PrincipalId) -> Result<(), Problem> {
        let permission = self.permission.ok_or_else(Problem::not_found)?;
        Ok(self.api.directory.allow(self.caller()?, permission, self.tenant()?, subject).await?)
    }

    /// Whether they may for everybody what this needs beside its own permission.
    pub fn also(&self, permission: Permission) -> Result<(), Problem> {
        match self.caller()?.reach(permission, self.tenant()?)? {
            Reach::Everybody => Ok(()),
            Reach::Only(_) => Err(Problem::new(axum::http::StatusCode::FORBIDDEN, "Your roles do not reach to the whole tenant.")),
        }
    }

    /// The directory's changes, in the caller's name.
    pub fn operator(&self) -> Result<Operator, Problem> {
        Ok(self.api.directory.operator_for(self.caller()?).rehearsing(self.dry_run))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Problem;

    /// Only the gate puts one there.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::not_found)
    }
}
