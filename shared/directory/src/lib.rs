//! Who there is and what they may do: tenants, domains, people, groups, shared mailboxes, sign-in, rights, quotas, data
//! keys and the audit log. Everything is rows of the shared table; nothing here is state that a process could not lose.
//!
//! | file | what |
//! |---|---|
//! | access.rs | the only place where a `Scope` or `TenantScope` is granted |
//! | rows.rs | the rows, their keys and attributes |
//! | routes.rs | an address -> a recipient |
//! | groups.rs, group_rules.rs | members, nesting, who may post; what is said of a group |
//! | filter.rs, dynamic.rs | groups whose members are those who fit a filter |
//! | my_groups.rs | groups as people see them who administer nothing |
//! | shared.rs | mailboxes of a team |
//! | sign_in.rs, throttle.rs, hasher.rs, app_password.rs | who is it |
//! | second_factor.rs, sessions.rs | codes beside the password; bearer tokens |
//! | roles.rs, caller.rs | what administrators may do, and who asks |
//! | keys.rs, sealing.rs | the data keys of tenants, and secrets sealed with them |
//! | cell_secrets.rs | the same for what is no tenant's |
//! | claimable.rs | which domains nobody claims for a company |
//! | claims.rs | whose a domain is, and whether that is proved |
//! | sign_up.rs | companies that sign themselves up |
//! | once.rs | requests that are done once, however often they come |
//! | domain_keys.rs | the keys that domains sign with |
//! | service.rs | how the service is reached from outside |
//! | profile.rs | what is known of people beside their addresses |
//! | naming.rs | in whose name somebody may write |
//! | sharing.rs, others.rs | whose folders are open to whom; what of others somebody may open |
//! | words.rs, search.rs | by which words everybody is found, and how |
//! | cards.rs | the organisation's directory as people see it |
//! | contacts.rs | people outside whom a tenant keeps for all |
//! | photos.rs | pictures of people |
//! | mailed.rs | whom somebody wrote to |
//! | branding.rs | how a tenant is seen: name, colours, logo |
//! | moving.rs | where a tenant has rows, for moving it to another store |
//! | operator/ | everything that an administrator does, each act with its audit row |

mod access;
mod app_password;
mod audit;
mod branding;
mod cache;
mod caller;
mod cards;
mod cell_secrets;
mod check;
mod claimable;
mod claims;
mod contacts;
mod directory;
mod domain_keys;
mod dynamic;
mod filter;
mod group_rules;
mod groups;
mod hasher;
mod keys;
mod links;
mod mailed;
mod moving;
mod my_groups;
mod naming;
mod once;
mod operator;
mod others;
mod photos;
mod profile;
mod roles;
mod routes;
mod rows;
mod sealing;
mod search;
mod second_factor;
mod service;
mod sessions;
mod shared;
mod sharing;
mod sign_in;
mod sign_up;
mod store;
mod throttle;
mod words;

#[cfg(test)]
mod tests;

pub use audit::{AuditEntry, AuditHead, AuditProof};
pub use branding::{Branding, Colour, LOGO, LogoInfo, LogoKind};
pub use caller::{Caller, Reach};
pub use cards::{CardKind, DirectoryCard};
pub use claims::Claim;
pub use contacts::Contact;
pub use directory::{Directory, Options};
pub use domain_keys::{DomainKey, KeyChange, KeyState};
pub use filter::{Condition, Filter, How, Rule, Subject, Test};
pub use group_rules::{GroupRules, JoinPolicy};
pub use groups::{Member, MemberKey};
pub use hasher::{Argon2id, Cheap, Hasher};
pub use keys::DataKey;
pub use links::{Link, NewLink, Published, Publishing, Shows};
pub use mailed::Mailed;
pub use moving::{claimed_by, named_by, tenant_entry};
pub use my_groups::MyGroup;
pub use naming::SendRight;
pub use once::{Once, Turn};
pub use operator::{
    AppPassword, ContactChange, Deleted, DomainInfo, GRACE, GroupChange, GroupInfo, JoinRequest, Joined, MemberInfo, NewGroup, NewPerson,
    NewShared, OneOfMany, Operator, Page, PersonChange, PersonInfo, Quota, SharedInfo, TenantInfo, check_name,
};
pub use photos::PHOTO;
pub use profile::{Attribute, Profile, ProfileChange};
pub use roles::{Permission, Role, RoleGrant, Within};
pub use routes::{DMARC_REPORTS, Recipient, TLS_REPORTS};
pub use rows::{PostPolicy, PrincipalKind, Status, TenantStatus};
pub use second_factor::NewSecret;
pub use service::Service;
pub use sessions::{NewSession, Session, SessionKind};
pub use shared::SharedMailbox;
pub use sharing::{ANYONE, GranteeInfo, Granting};
pub use sign_in::{SignInError, SignedIn, Use};
pub use sign_up::{NewSignUp, ProofBy, SignUp, TRIAL};
pub use words::folded;
