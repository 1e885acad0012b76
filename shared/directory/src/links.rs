//! Links by which a calendar is read without signing in. Whoever has one reads; it names its row and holds 128 random bits, and
//! is shown again to its owner, so it is kept sealed beside the hash that it is judged by. What a link shows is at most what the
//! tenant lets its people publish, judged at each use.

use crate::rows::{Principal, read_time, rest, sk, stored_time, time};
use crate::sessions::{Named, hash};
use crate::{Directory, Operator, SignInError, access};
use aws_lc_rs::constant_time;
use penfold_ports::{Account, Query, Row, Scope, Sk, When, Write};
use penfold_types::{CommitId, Error, FolderId, Kind, PrincipalId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Links of one person.
const LINKS: usize = 50;
/// How a link's text begins, so that one that leaked is recognised.
const PREFIX: &str = "pfl_";
/// Their use is noted once in that time.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What of a calendar is shown, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// When somebody is busy.
    Times,
    /// Titles and places beside that.
    Titles,
    /// All but what is private.
    Everything,
}

impl Shows {
    fn number(self) -> u64 {
        match self {
            Self::Times => 1,
            Self::Titles => 2,
            Self::Everything => 3,
        }
    }

    fn read(number: u64) -> Option<Self> {
        [Self::Times, Self::Titles, Self::Everything].into_iter().find(|shows| shows.number() == number)
    }
}

#[derive(Debug, Clone)]
pub struct NewLink {
    pub folder: FolderId,
    /// For whom it is, in its owner's words.
    pub name: String,
    pub shows: Shows,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub id: CommitId,
    pub folder: FolderId,
    pub name: String,
    pub shows: Shows,
    pub created: Timestamp,
    /// To the day.
    pub used: Option<Timestamp>,
    /// What stands in its URL.
    pub text: String,
}

/// What a link opens.
pub struct Published {
    /// To read, and nothing else.
    pub scope: Scope,
    pub link: CommitId,
    pub folder: FolderId,
    pub shows: Shows,
}

/// What the people of a tenant may publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    /// `None`: nothing.
    pub most: Option<Shows>,
    /// Moves with each change; 0 where it was never said.
    pub revision: u64,
}

impl Publishing {
    fn read(row: Option<&Row>) -> Self {
        match row {
            None => Self { most: Some(Shows::Everything), revision: 0 },
            Some(row) => Self { most: row.u64("m").and_then(Shows::read), revision: row.u64("rv").unwrap_or(0) },
        }
    }
}

impl Directory {
    /// The oldest first.
    pub async fn links(&self, account: Account) -> Result<Vec<Link>> {
        let pk = access::organisation(account.tenant).principal(account.principal, sk::links()).pk().clone();
        let mut found = Vec::new();
        for (key, row) in self.store().query_all(&Query::prefix(pk, &sk::links())).await? {
            found.push(self.read_link(account, &key, &row).await?);
        }
        Ok(found)
    }

    async fn read_link(&self, account: Account, key: &Sk, row: &Row) -> Result<Link> {
        let damaged = || Error::broken("the row of a link is damaged");
        let id = rest(key, "link#").and_then(CommitId::from_slice).ok_or_else(damaged)?;
        let sealed = row.bytes("s").ok_or_else(damaged)?;
        let secret = CommitId::from_slice(&self.open(account.tenant, key.as_bytes(), sealed).await?).ok_or_else(damaged)?;
        Ok(Link {
            id,
            folder: row.bytes("f").and_then(|bytes| FolderId::from_slice(bytes)).ok_or_else(damaged)?,
            name: row.str("n").unwrap_or_default().to_owned(),
            shows: row.u64("sh").and_then(Shows::read).ok_or_else(damaged)?,
            created: read_time(row),
            used: stored_time(row, "us"),
            text: Named { account, id, secret }.text(PREFIX),
        })
    }

    pub async fn publishing(&self, tenant: TenantId) -> Result<Publishing> {
        let row = self.store().get(&access::organisation(tenant).organisation(sk::publishing())).await?;
        Ok(Publishing::read(row.as_ref()))
    }

    /// What the text of a link opens; `None` where it opens nothing, for whatever reason.
    pub async fn published(&self, text: &str) -> Result<Option<Published>> {
        let Some(named) = text.strip_prefix(PREFIX).and_then(Named::read) else { return Ok(None) };
        let scope = access::organisation(named.account.tenant);
        let keys = [
            scope.principal(named.account.principal, sk::link(named.id)),
            scope.principal(named.account.principal, sk::principal()),
            scope.organisation(sk::publishing()),
        ];
        let rows = self.store().batch_get(&keys).await?;
        let [Some(row), Some(principal), policy] = rows.as_slice() else { return Ok(None) };
        let fits = row.bytes("h").is_some_and(|kept| constant_time::verify_slices_are_equal(kept, &hash(named.secret)).is_ok());
        let (Some(folder), Some(shows)) =
            (row.bytes("f").and_then(|bytes| FolderId::from_slice(bytes)), row.u64("sh").and_then(Shows::read))
        else {
            return Ok(None);
        };
        let Some(most) = Publishing::read(policy.as_ref()).most.filter(|_| fits) else { return Ok(None) };
        match self.may_enter(named.account, &Principal::read(principal)?).await {
            Ok(true) if self.tenant(named.account.tenant).await?.status.is_open() => {}
            Ok(_) => return Ok(None),
            Err(SignInError::Unavailable) => return Err(Error::retry("the directory cannot be read now; try again")),
            Err(_) => return Ok(None),
        }
        self.note_link(&named, row).await;
        Ok(Some(Published { scope: access::reader(named.account), link: named.id, folder, shows: shows.min(most) }))
    }

    /// A lost note loses nothing else.
    async fn note_link(&self, named: &Named, row: &Row) {
        let now = self.env().now();
        if stored_time(row, "us").is_some_and(|used| now.since(used) < DAY) {
            return;
        }
        let key = access::organisation(named.account.tenant).principal(named.account.principal, sk::link(named.id));
        let write = Write::Update { key, set: vec![("us".into(), time(now).into())], remove: vec![], when: When::Present };
        if let Err(error) = self.store().put(write).await {
            tracing::debug!(?error, "the use of a link was not noted");
        }
    }
}

impl Operator {
    /// A link to one of somebody's folders.
    pub async fn make_link(&self, account: Account, new: &NewLink) -> Result<Link> {
        super::operator::check_name(&new.name)?;
        let directory = &self.directory;
        match directory.publishing(account.tenant).await?.most {
            None => return Err(Error::denied("the organisation lets nobody publish calendars")),
            Some(most) if new.shows > most => return Err(Error::denied("the organisation lets nobody publish that much")),
            Some(_) => {}
        }
        if directory.links(account).await?.len() >= LINKS {
            return Err(Error::limit(format!("there are {LINKS} links already; remove one first")));
        }
        let now = directory.env().now();
        let named = Named { account, id: CommitId::new(directory.env()), secret: directory.secret() };
        let (own, scope) = (sk::link(named.id), access::organisation(account.tenant));
        let sealed = directory.seal(account.tenant, own.as_bytes(), named.secret.as_bytes()).await?;
        let row = Row::new()
            .with("h", hash(named.secret))
            .with("s", sealed)
            .with("f", new.folder.as_bytes())
            .with("n", new.name.as_str())
            .with("sh", new.shows.number())
            .with("at", time(now));
        let alive = Write::Check { key: scope.principal(account.principal, sk::principal()), when: crate::rows::alive(None) };
        let writes = vec![Write::put_new(scope.principal(account.principal, own), row), alive];
        let detail = format!("{} {}", named.id, new.folder);
        self.carry_out(account.tenant, writes, "link.create", &account.principal.to_string(), &detail).await?;
        let NewLink { folder, name, shows } = new.clone();
        Ok(Link { id: named.id, folder, name, shows, created: now, used: None, text: named.text(PREFIX) })
    }

    /// From here on it opens nothing.
    pub async fn remove_link(&self, tenant: TenantId, owner: PrincipalId, id: CommitId) -> Result<()> {
        let key = access::organisation(tenant).principal(owner, sk::link(id));
        let writes = vec![Write::Delete { key, when: When::Present }];
        self.carry_out(tenant, writes, "link.remove", &owner.to_string(), &id.to_string()).await.map_err(|error| match error.kind() {
            Kind::Conflict => Error::not_found("there is no such link"),
            _ => error,
        })
    }

    /// What people may publish at most from now on; links that show more show that.
    pub async fn set_publishing(&self, tenant: TenantId, most: Option<Shows>) -> Result<Publishing> {
        let before = self.directory.publishing(tenant).await?;
        self.expects(before.revision)?;
        let revision = before.revision.saturating_add(1);
        let row = Row::new().with("m", most.map_or(0, Shows::number)).with("rv", revision);
        let key = access::organisation(tenant).organisation(sk::publishing());
        let when = match before.revision {
            0 => When::Absent,
            revision => When::Equal(vec![("rv".into(), revision.into())]),
        };
        let detail = most.map_or("none", |most| match most {
            Shows::Times => "times",
            Shows::Titles => "titles",
            Shows::Everything => "everything",
        });
        let writes = vec![Write::Put { key, row, when }, self.unless_deleting(tenant).await?];
        self.carry_out(tenant, writes, "publishing.set", "", detail).await?;
        Ok(Publishing { most, revision })
    }
}
