//! The rows of the directory: which there are, what is in them. A change to a row is an update of single attributes, so
//! what a newer version wrote beside them stays.
//!
//! | pk | sk | holds |
//! |---|---|---|
//! | `r#address` | `r` | t tenant, p principal, k kind, al 1 for an alias |
//! | `d#domain` | `d` | t tenant to which it is proved, st, at; un 1 where an older version wrote it for a claim: it counts as none |
//! | `tenants` | name | t tenant |
//! | `t#T` | `tenant` | n name, st, tr the end of its trial, cl when it was closed, kv current key version, po the pool its mail leaves from, rv revision, at created |
//! | | `domain#D` | at proved |
//! | | `claim#D` | a domain that waits for its proof: n what that is made from, at claimed |
//! | | `claims` | v: moves with each claim, so that they can be counted |
//! | | `dkim#D#selector` | al algorithm, k private key sealed, st state, at since |
//! | | `key#V` | w wrapped key, at |
//! | | `name#kind#domain#local` | one row for each address: p principal, al 1 for an alias |
//! | | `audit` | n number and h hash of the last act, at, d number of the last one that may show in the directory |
//! | | `nesting` | v: moves with each nesting of groups, so that two of them cannot close a circle together |
//! | | `roles` | that each role for a group stands in its group too, those that an older version gave as well |
//! | | `administrators` | v: moves when somebody stops administering, so that the last two cannot both go |
//! | | `brand`, `brand#logo` | how the tenant is seen: n name, c1 and c2 colours, sa and su where help is, lk, ls and lh of the logo, rv revision; b its bytes |
//! | | `publishing` | what links show at most: m, 0 nothing; rv revision |
//! | | `filter#G` | by what a dynamic group chooses: f |
//! | | `filters` | v: moves with each dynamic group that is made, so that they can be counted |
//! | | `word#W` NUL `P` | a word that somebody, a group or a contact is found by: k its kind, w all its words |
//! | | `contact#id` | somebody outside: n name, a addresses, wd words, rv revision, at created; and what `profile.rs` names |
//! | | `words` | that everything has its words: v, and p how far that came |
//! | | `gone#P` | a deleted principal whose mailbox waits to be destroyed: its own row as it was, al aliases, at deleted, ca created |
//! | | `anyone#O` | whose mailbox has folders that are open to everybody in the tenant: v as in `in#f#O` |
//! | `p#T#P` | `p` | k kind, a primary address, n name, st, lv 1 until its deletion begins, q quota, sv secret version, wp who may post, sc 0 where no copy of what was sent is kept, tf 1 where a password alone is not enough, ro roles, rc where a lost password is mended, rv revision, hi 1 where it is hidden, wd its words in `word#`, fk kind, fs size and ft tag of a photo, at created; and what `profile.rs` names |
//! | | `alias#address` | an alias |
//! | | `secret#password` | h in PHC form |
//! | | `secret#app#id` | h keyed hash, kv key version, n name, sc what it opens, at created, used day |
//! | | `secret#totp`, `secret#totp-next` | k the shared secret, sealed, sp the last step used, at; the next one counts once its first code was given |
//! | | `secret#recovery` | h what is kept of the codes left, kv key version |
//! | | `session#id` | h hash of its secret, k kind, n name, ro roles, ip, ua, at created, ex until, used |
//! | | `link#id` | by which a calendar is read without signing in: h hash of its secret, s the secret sealed, f folder, n name, sh how much it shows, at created, us used |
//! | | `photo` | b a picture, sealed |
//! | | `mailed#hash` | an address outside that this wrote to: b it and its name, sealed, c how often, d day of the last time |
//! | | `in#g#G`, `in#s#G` | the groups, and the shared mailboxes, that this is a member of |
//! | | `owns#G`, `asks#G` | the groups that this owns, or asks to be in |
//! | | `visit#O` | d the last day on which it is noted that this looked into folders of O's mailbox |
//! | | `in#f#O` | whose mailbox has folders that are open to this: v the commit there since which it is so |
//! | `g#T#G` | `m#P` | a member inside: k its kind, g kind of the container |
//! | | `o#domain#local` | a member outside |
//! | | `w#address` | somebody named who may post |
//! | | `d#P` | r: 1 may write on its behalf, 2 as it |
//! | | `a#P`, `j#P` | an owner; one who asks to be in: at, n what they say |
//! | | `r#P` | one who has a role for those in it |

pub(crate) mod sk;

use crate::group_rules::GroupRules;
use crate::profile::Profile;
use crate::roles::{self, RoleGrant};
use penfold_ports::{Key, Row, Sk, When, shared};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    Person,
    Group,
    Shared,
}

impl PrincipalKind {
    pub(crate) const ALL: [Self; 3] = [Self::Person, Self::Group, Self::Shared];

    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Person => 1,
            Self::Group => 2,
            Self::Shared => 3,
        }
    }

    pub(crate) fn read(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    pub(crate) fn letter(self) -> char {
        match self {
            Self::Person => 'p',
            Self::Group => 'g',
            Self::Shared => 's',
        }
    }

    /// As people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Group => "group",
            Self::Shared => "shared mailbox",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Active,
    /// Mail still comes in; nobody signs in.
    Suspended,
    /// Being taken apart; nothing new is added.
    Deleting,
}

impl Status {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Active => 0,
            Self::Suspended => 1,
            Self::Deleting => 2,
        }
    }

    pub(crate) fn read(number: u64) -> Self {
        match number {
            0 => Self::Active,
            1 => Self::Suspended,
            _ => Self::Deleting,
        }
    }
}

/// How far a tenant is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantStatus {
    /// Active until the trial ends, with the limits of one.
    Trial,
    Active,
    /// What is there can be read; nothing is changed or sent, and mail waits where it is.
    Suspended,
    /// Nobody signs in but administrators, for the export; once the grace is over, everything is destroyed.
    Closed,
    /// Being taken apart.
    Deleting,
}

impl TenantStatus {
    /// The number in the row; a trial is active with an end.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Active | Self::Trial => Status::Active.number(),
            Self::Suspended => Status::Suspended.number(),
            Self::Deleting => Status::Deleting.number(),
            Self::Closed => 4,
        }
    }

    pub(crate) fn read(row: &Row) -> Option<Self> {
        Some(match row.u64("st")? {
            0 if row.u64("tr").is_some() => Self::Trial,
            0 => Self::Active,
            1 => Self::Suspended,
            4 => Self::Closed,
            _ => Self::Deleting,
        })
    }

    /// It works as a tenant should.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Trial | Self::Active)
    }
}

/// Who may send to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostPolicy {
    Anyone,
    /// Every address of the tenant.
    #[default]
    Inside,
    /// Members, also through groups inside the group.
    Members,
    /// Those who are named.
    Named,
    /// Its owners.
    Owners,
}

impl PostPolicy {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Anyone => 1,
            Self::Inside => 2,
            Self::Members => 3,
            Self::Named => 4,
            Self::Owners => 5,
        }
    }

    /// A policy that this version does not know lets nobody post but those who are named.
    pub(crate) fn read(number: u64) -> Self {
        match number {
            1 => Self::Anyone,
            2 => Self::Inside,
            3 => Self::Members,
            5 => Self::Owners,
            _ => Self::Named,
        }
    }
}

/// The condition that a principal is of this kind and not being deleted.
pub(crate) fn alive(kind: Option<PrincipalKind>) -> When {
    let mut wanted = vec![("lv".into(), 1u64.into())];
    wanted.extend(kind.map(|kind| ("k".into(), kind.number().into())));
    When::Equal(wanted)
}

fn damaged(what: &str) -> Error {
    Error::broken("the directory holds a damaged row").because(what)
}

/// What an address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub tenant: TenantId,
    pub principal: PrincipalId,
    pub kind: PrincipalKind,
    pub alias: bool,
}

impl Route {
    pub fn row(&self) -> Row {
        let row = Row::new().with("t", self.tenant.as_bytes()).with("p", self.principal.as_bytes()).with("k", self.kind.number());
        if self.alias { row.with("al", true) } else { row }
    }

    pub fn read(row: &Row) -> Result<Self> {
        let read = || {
            Some(Self {
                tenant: TenantId::from_slice(row.bytes("t")?)?,
                principal: PrincipalId::from_slice(row.bytes("p")?)?,
                kind: PrincipalKind::read(row.u64("k")?)?,
                alias: row.u64("al") == Some(1),
            })
        };
        read().ok_or_else(|| damaged("route"))
    }
}

/// A principal's own row.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub kind: PrincipalKind,
    pub address: Address,
    pub name: String,
    pub status: Status,
    pub quota: Option<u64>,
    pub secret_version: u64,
    pub who_may_post: PostPolicy,
    /// Of a group; whether one is hidden is said here of everybody.
    pub group: GroupRules,
    /// What they send is kept in Sent.
    pub sent_copy: bool,
    /// A typed password alone opens nothing: the web asks for a code too, and clients have app passwords.
    pub two_factor: bool,
    /// What they may do as administrators.
    pub roles: Vec<RoleGrant>,
    /// Where a forgotten password is mended: an address elsewhere.
    pub recovery: Option<Address>,
    /// Title, department and the like.
    pub profile: Profile,
    /// What `words.rs` keeps here; `None` where an older version wrote the row.
    pub words: Option<String>,
    /// A picture of them, which stands in a row of its own.
    pub photo: Option<crate::LogoInfo>,
    /// Moves with each change of this row; 0 where an older version wrote it.
    pub revision: u64,
    pub created: Timestamp,
}

impl Principal {
    /// As it begins.
    pub fn new(kind: PrincipalKind, address: &Address, name: &str, created: Timestamp) -> Self {
        Self {
            kind,
            address: address.clone(),
            name: name.to_owned(),
            status: Status::Active,
            quota: None,
            secret_version: 1,
            who_may_post: PostPolicy::default(),
            group: GroupRules::default(),
            sent_copy: true,
            two_factor: false,
            roles: Vec::new(),
            recovery: None,
            profile: Profile::default(),
            words: None,
            photo: None,
            revision: 1,
            created,
        }
    }

    /// As far as words and cards go, as it is after a change.
    pub fn changed(&self, change: &crate::PersonChange) -> Self {
        let mut after = Self { profile: self.profile.with(&change.profile), ..self.clone() };
        after.name = change.name.clone().unwrap_or(after.name);
        after.group.hidden = change.hidden.unwrap_or(after.group.hidden);
        after
    }

    /// Not in the organisation's directory.
    pub fn is_hidden(&self) -> bool {
        self.group.hidden
    }

    pub fn row(&self) -> Row {
        let mut row = Row::new()
            .with("k", self.kind.number())
            .with("a", self.address.to_string())
            .with("n", self.name.as_str())
            .with("st", self.status.number())
            .with("lv", self.status != Status::Deleting)
            .with("sv", self.secret_version)
            .with("at", time(self.created));
        if let Some(quota) = self.quota {
            row.set("q", quota);
        }
        if !self.sent_copy {
            row.set("sc", false);
        }
        if self.revision > 0 {
            row.set("rv", self.revision);
        }
        if !self.roles.is_empty() {
            row.set("ro", roles::write(&self.roles));
        }
        if let Some(recovery) = &self.recovery {
            row.set("rc", recovery.to_string());
        }
        self.profile.write(&mut row);
        if let Some(photo) = &self.photo {
            crate::photos::write(photo, &mut row);
        }
        if let Some(words) = &self.words {
            row.set("wd", words.as_str());
        }
        if self.kind != PrincipalKind::Group && self.group.hidden {
            row.set("hi", true);
        }
        if self.kind == PrincipalKind::Group {
            row.set("wp", self.who_may_post.number());
            self.group.write(&mut row);
        }
        row
    }

    pub fn read(row: &Row) -> Result<Self> {
        let read = || {
            Some(Self {
                kind: PrincipalKind::read(row.u64("k")?)?,
                address: row.str("a")?.parse().ok()?,
                name: row.str("n")?.to_owned(),
                status: Status::read(row.u64("st")?),
                quota: row.u64("q"),
                secret_version: row.u64("sv")?,
                who_may_post: PostPolicy::read(row.u64("wp").unwrap_or(0)),
                group: GroupRules::read(row),
                sent_copy: row.u64("sc") != Some(0),
                two_factor: row.u64("tf") == Some(1),
                roles: roles::read(row.str("ro").unwrap_or_default()),
                recovery: row.str("rc").and_then(|text| text.parse().ok()),
                profile: Profile::read(row),
                words: row.str("wd").map(str::to_owned),
                photo: crate::photos::read(row),
                revision: row.u64("rv").unwrap_or(0),
                created: read_time(row),
            })
        };
        read().ok_or_else(|| damaged("principal"))
    }
}

pub(crate) fn time(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

pub(crate) fn read_time(row: &Row) -> Timestamp {
    Timestamp::from_millis(i64::try_from(row.u64("at").unwrap_or(0)).unwrap_or(i64::MAX))
}

/// A time that may be absent.
pub(crate) fn stored_time(row: &Row, name: &'static str) -> Option<Timestamp> {
    row.u64(name).and_then(|millis| i64::try_from(millis).ok()).map(Timestamp::from_millis)
}

pub(crate) fn principal_of(row: &Row) -> Result<PrincipalId> {
    row.bytes("p").and_then(|bytes| PrincipalId::from_slice(bytes)).ok_or_else(|| damaged("no principal"))
}

pub(crate) fn tenant_of(row: &Row) -> Result<TenantId> {
    row.bytes("t").and_then(|bytes| TenantId::from_slice(bytes)).ok_or_else(|| damaged("no tenant"))
}

/// Where the list remembers a removed tenant for upkeep: no tenant can have such a name.
pub(crate) fn gone_entry(tenant: TenantId) -> Key {
    shared::tenant_entry(&format!("~{tenant}"))
}

/// A sort key of a text and an id.
pub(crate) fn keyed(prefix: &str, id: &[u8; 16]) -> Sk {
    Sk::from_stored(&[prefix.as_bytes(), id].concat())
}

/// What follows `prefix` in a sort key.
pub(crate) fn rest<'a>(sk: &'a Sk, prefix: &str) -> Option<&'a [u8]> {
    sk.as_bytes().strip_prefix(prefix.as_bytes())
}
