//! What administrators may do. A role is a set of permissions, given for the whole tenant or for the people of one domain or
//! one group. What an operation needs is one permission; the table of roles is here and nowhere else.

use penfold_types::{Domain, PrincipalId};
use serde::{Deserialize, Serialize};

/// Exchange's useful ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything in the tenant.
    TenantAdministrator,
    /// People, groups, shared mailboxes and their rights.
    RecipientManagement,
    /// Passwords, sessions and the way of messages.
    HelpDesk,
    /// What happened: audit log, trace, reports.
    Compliance,
    /// What must be kept: the way of messages and what was done, without changing anything.
    Records,
    /// Everything is seen, and nothing changed.
    ReadOnly,
}

/// What one operation needs. Reading and changing are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    TenantRead,
    TenantWrite,
    DomainRead,
    DomainWrite,
    PersonRead,
    PersonWrite,
    /// Setting somebody's password, and taking a lost second factor away.
    PasswordWrite,
    AppPasswordRead,
    AppPasswordWrite,
    SessionRead,
    SessionWrite,
    GroupRead,
    GroupWrite,
    SharedRead,
    SharedWrite,
    /// People outside who stand in the directory.
    ContactRead,
    ContactWrite,
    RightsRead,
    RightsWrite,
    QueueRead,
    QueueWrite,
    TraceRead,
    ReportRead,
    RoleRead,
    RoleWrite,
    AuditRead,
    ImportRead,
    /// People from a file.
    ImportWrite,
    ExportRead,
    /// Taking out what is there, and downloading it.
    ExportWrite,
    /// Everything that is in somebody's mailbox.
    ContentWrite,
}

impl Permission {
    pub const ALL: [Self; 31] = [
        Self::TenantRead,
        Self::TenantWrite,
        Self::DomainRead,
        Self::DomainWrite,
        Self::PersonRead,
        Self::PersonWrite,
        Self::PasswordWrite,
        Self::AppPasswordRead,
        Self::AppPasswordWrite,
        Self::SessionRead,
        Self::SessionWrite,
        Self::GroupRead,
        Self::GroupWrite,
        Self::SharedRead,
        Self::SharedWrite,
        Self::ContactRead,
        Self::ContactWrite,
        Self::RightsRead,
        Self::RightsWrite,
        Self::QueueRead,
        Self::QueueWrite,
        Self::TraceRead,
        Self::ReportRead,
        Self::RoleRead,
        Self::RoleWrite,
        Self::AuditRead,
        Self::ImportRead,
        Self::ImportWrite,
        Self::ExportRead,
        Self::ExportWrite,
        Self::ContentWrite,
    ];

    pub fn reads(self) -> bool {
        matches!(
            self,
            Self::TenantRead
                | Self::DomainRead
                | Self::PersonRead
                | Self::AppPasswordRead
                | Self::SessionRead
                | Self::GroupRead
                | Self::SharedRead
                | Self::ContactRead
                | Self::RightsRead
                | Self::QueueRead
                | Self::TraceRead
                | Self::ReportRead
                | Self::RoleRead
                | Self::AuditRead
                | Self::ImportRead
                | Self::ExportRead
        )
    }

    /// Also where the tenant is suspended or closed: what is there is seen and taken out.
    pub fn is_for_closed_tenants(self) -> bool {
        self.reads() || matches!(self, Self::TenantWrite | Self::ExportWrite)
    }

    /// It is about one person, group or mailbox, so a role that is given for a part of the tenant can be judged by it.
    pub fn is_about_one(self) -> bool {
        matches!(
            self,
            Self::PersonRead
                | Self::PersonWrite
                | Self::PasswordWrite
                | Self::AppPasswordRead
                | Self::AppPasswordWrite
                | Self::SessionRead
                | Self::SessionWrite
                | Self::GroupRead
                | Self::GroupWrite
                | Self::SharedRead
                | Self::SharedWrite
                | Self::RightsRead
                | Self::RightsWrite
        )
    }
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::TenantAdministrator, Self::RecipientManagement, Self::HelpDesk, Self::Compliance, Self::Records, Self::ReadOnly];

    pub fn allows(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::TenantAdministrator => true,
            Self::RecipientManagement => matches!(
                permission,
                P::TenantRead
                    | P::DomainRead
                    | P::PersonRead
                    | P::PersonWrite
                    | P::GroupRead
                    | P::GroupWrite
                    | P::SharedRead
                    | P::SharedWrite
                    | P::ContactRead
                    | P::ContactWrite
                    | P::RightsRead
                    | P::RightsWrite
                    | P::TraceRead
                    | P::ImportRead
                    | P::ImportWrite
                    | P::ExportRead
                    | P::ExportWrite
            ),
            Self::HelpDesk => matches!(
                permission,
                P::TenantRead
                    | P::DomainRead
                    | P::PersonRead
                    | P::PasswordWrite
                    | P::AppPasswordRead
                    | P::AppPasswordWrite
                    | P::SessionRead
                    | P::SessionWrite
                    | P::GroupRead
                    | P::SharedRead
                    | P::ContactRead
                    | P::TraceRead
            ),
            Self::Compliance => {
                matches!(
                    permission,
                    P::TenantRead
                        | P::DomainRead
                        | P::PersonRead
                        | P::GroupRead
                        | P::SharedRead
                        | P::ContactRead
                        | P::RightsRead
                        | P::RoleRead
                        | P::AuditRead
                ) || matches!(permission, P::TraceRead | P::ReportRead | P::QueueRead)
            }
            Self::Records => {
                matches!(permission, P::TenantRead | P::PersonRead | P::SharedRead | P::ContactRead | P::TraceRead | P::AuditRead)
            }
            Self::ReadOnly => permission.reads(),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantAdministrator => "tenant-administrator",
            Self::RecipientManagement => "recipient-management",
            Self::HelpDesk => "help-desk",
            Self::Compliance => "compliance",
            Self::Records => "records",
            Self::ReadOnly => "read-only",
        }
    }
}

/// For whom a role is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Within {
    Tenant,
    /// Who has their primary address in it.
    Domain(Domain),
    /// Who is in it, also through groups.
    Group(PrincipalId),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleGrant {
    pub role: Role,
    pub within: Within,
}

impl RoleGrant {
    pub fn everywhere(role: Role) -> Self {
        Self { role, within: Within::Tenant }
    }
}

/// As it stands in a row: grants with a comma between them.
pub(crate) fn write(grants: &[RoleGrant]) -> String {
    let one = |grant: &RoleGrant| match &grant.within {
        Within::Tenant => grant.role.as_str().to_owned(),
        Within::Domain(domain) => format!("{}@d:{domain}", grant.role.as_str()),
        Within::Group(group) => format!("{}@g:{group}", grant.role.as_str()),
    };
    grants.iter().map(one).collect::<Vec<_>>().join(",")
}

/// What this version does not know gives no right.
pub(crate) fn read(text: &str) -> Vec<RoleGrant> {
    let one = |text: &str| {
        let (role, within) = match text.split_once('@') {
            None => (text, Within::Tenant),
            Some((role, within)) => match within.split_once(':')? {
                ("d", domain) => (role, Within::Domain(domain.parse().ok()?)),
                ("g", group) => (role, Within::Group(group.parse().ok()?)),
                _ => return None,
            },
        };
        Some(RoleGrant { role: Role::ALL.into_iter().find(|known| known.as_str() == role)?, within })
    };
    text.split(',').filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_read_back_as_they_were_written() {
        let group = PrincipalId::from_bytes([7; 16]);
        let grants = vec![
            RoleGrant::everywhere(Role::ReadOnly),
            RoleGrant { role: Role::HelpDesk, within: Within::Domain("one.test".parse().unwrap()) },
            RoleGrant { role: Role::RecipientManagement, within: Within::Group(group) },
        ];
        assert_eq!(read(&write(&grants)), grants);
        assert_eq!(read("emperor,help-desk@x:y,help-desk@,,read-only"), [RoleGrant::everywhere(Role::ReadOnly)]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn who_only_reads_changes_nothing_and_nobody_but_administrators_gives_roles() {
        for permission in Permission::ALL {
            for role in [Role::ReadOnly, Role::Compliance, Role::Records] {
                assert!(!role.allows(permission) || permission.reads(), "{role:?} {permission:?}");
            }
            if matches!(permission, Permission::RoleWrite | Permission::TenantWrite | Permission::DomainWrite | Permission::ContentWrite) {
                assert_eq!(Role::ALL.into_iter().filter(|role| role.allows(permission)).count(), 1, "{permission:?}");
            }
        }
    }
}
