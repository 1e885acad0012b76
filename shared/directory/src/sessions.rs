//! Bearer tokens: sessions of people who signed in, tokens that people make for their programs, and those by which a
//! forgotten password is mended. A token names its row and holds 128 random bits; what is kept is their hash. A row is read
//! at each use, so what is revoked is revoked at once and everywhere.

use crate::caller::Caller;
use crate::roles::{self, RoleGrant};
use crate::rows::{read_time, rest, sk, stored_time, time};
use crate::sign_in::unavailable;
use crate::{Directory, SignInError, SignedIn, access};
use aws_lc_rs::{constant_time, digest};
use penfold_ports::{Account, Query, Row, Sk, When, Write, shared};
use penfold_types::{CommitId, Error, PrincipalId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
/// A session that was not used for so long has ended.
const IDLE: Duration = Duration::from_secs(14 * 24 * 3600);
/// Sessions and tokens of one person; the oldest sessions make room.
const SESSIONS: usize = 100;
/// Octets of what a client says of itself that are kept.
const AGENT: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// Made by signing in.
    Session,
    /// Made for a program; ends when it is said to, and not for being idle.
    Token,
    /// Opens the setting of a new password, once.
    Reset,
}

impl SessionKind {
    fn number(self) -> u64 {
        match self {
            Self::Session => 1,
            Self::Token => 2,
            Self::Reset => 3,
        }
    }

    fn read(number: u64) -> Option<Self> {
        [Self::Session, Self::Token, Self::Reset].into_iter().find(|kind| kind.number() == number)
    }

    /// How its text begins, so that one that leaked is recognised.
    fn prefix(self) -> &'static str {
        match self {
            Self::Session => "pfs_",
            Self::Token => "pft_",
            Self::Reset => "pfr_",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub kind: SessionKind,
    pub name: String,
    /// What it may at most, of what its owner may; `None`: all of it.
    pub roles: Option<Vec<RoleGrant>>,
    pub lasts: Duration,
    /// The client's address and its own words, for the person who looks at the list.
    pub from: String,
    pub agent: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: CommitId,
    pub kind: SessionKind,
    pub name: String,
    pub roles: Option<Vec<RoleGrant>>,
    pub created: Timestamp,
    pub expires: Timestamp,
    /// To the hour.
    pub used: Timestamp,
    pub from: String,
    pub agent: String,
}

/// What a token names.
pub(crate) struct Named {
    pub account: Account,
    pub id: CommitId,
    pub secret: CommitId,
}

pub(crate) fn hash(secret: CommitId) -> Vec<u8> {
    digest::digest(&digest::SHA256, secret.as_bytes()).as_ref().to_vec()
}

impl Named {
    /// Of what follows the prefix.
    pub fn read(rest: &str) -> Option<Self> {
        let rest = Some(rest).filter(|rest| rest.len() == 104 && rest.is_ascii())?;
        let part = |at: usize| rest.get(at * 26..(at + 1) * 26);
        let account = Account { tenant: part(0)?.parse::<TenantId>().ok()?, principal: part(1)?.parse::<PrincipalId>().ok()? };
        Some(Self { account, id: part(2)?.parse().ok()?, secret: part(3)?.parse().ok()? })
    }

    pub fn text(&self, prefix: &str) -> String {
        let Self { account, id, secret } = self;
        format!("{prefix}{}{}{id}{secret}", account.tenant, account.principal)
    }
}

fn parse(token: &str) -> Option<(SessionKind, Named)> {
    let kind = [SessionKind::Session, SessionKind::Token, SessionKind::Reset].into_iter().find(|kind| token.starts_with(kind.prefix()))?;
    Some((kind, Named::read(token.strip_prefix(kind.prefix())?)?))
}

impl Session {
    fn read(key: &Sk, row: &Row) -> Option<Self> {
        let text = |name: &'static str| row.str(name).unwrap_or_default().to_owned();
        Some(Self {
            id: CommitId::from_slice(rest(key, "session#")?)?,
            kind: SessionKind::read(row.u64("k")?)?,
            name: text("n"),
            roles: row.str("ro").map(roles::read),
            created: read_time(row),
            expires: stored_time(row, "ex")?,
            used: stored_time(row, "us")?,
            from: text("ip"),
            agent: text("ua"),
        })
    }

    fn lives(&self, now: Timestamp) -> bool {
        now < self.expires && (self.kind != SessionKind::Session || now.since(self.used) < IDLE + HOUR)
    }
}

impl Directory {
    /// Makes one and gives back its text, which is nowhere else.
    pub async fn open_session(&self, account: Account, new: &NewSession) -> Result<(Session, String)> {
        let now = self.env().now();
        let (id, secret) = (CommitId::new(self.env()), self.secret());
        self.make_room(account, new.kind).await?;
        let session = Session {
            id,
            kind: new.kind,
            name: new.name.chars().filter(|c| !c.is_control()).take(AGENT).collect(),
            roles: new.roles.clone(),
            created: now,
            expires: now.plus(new.lasts),
            used: now,
            from: new.from.clone(),
            agent: new.agent.chars().filter(|c| !c.is_control()).take(AGENT).collect(),
        };
        let mut row = Row::new().with("h", hash(secret)).with("k", new.kind.number()).with("n", session.name.as_str());
        row = row.with("at", time(now)).with("ex", time(session.expires)).with("us", time(now));
        row = row.with("ip", session.from.as_str()).with("ua", session.agent.as_str());
        if let Some(grants) = &new.roles {
            row.set("ro", roles::write(grants));
        }
        let scope = access::organisation(account.tenant);
        let alive = Write::Check { key: scope.principal(account.principal, sk::principal()), when: crate::rows::alive(None) };
        self.store().commit(vec![Write::put_new(scope.principal(account.principal, sk::session(id)), row), alive]).await?;
        Ok((session, Named { account, id, secret }.text(new.kind.prefix())))
    }

    /// 128 bits under the text of an id.
    pub(crate) fn secret(&self) -> CommitId {
        let mut bits = [0; 16];
        self.env().fill(&mut bits);
        CommitId::from_bytes(bits)
    }

    async fn make_room(&self, account: Account, kind: SessionKind) -> Result<()> {
        let mut all = self.sessions(account).await?;
        if all.len() < SESSIONS {
            return Ok(());
        }
        all.sort_by_key(|session| session.used);
        match all.iter().find(|session| session.kind != SessionKind::Token) {
            Some(oldest) if kind != SessionKind::Token => self.close_session(account, oldest.id).await,
            _ => Err(Error::limit(format!("there are {SESSIONS} sessions and tokens already; revoke some"))),
        }
    }

    /// Those that live, the newest first.
    pub async fn sessions(&self, account: Account) -> Result<Vec<Session>> {
        let prefix = sk::sessions();
        let pk = access::organisation(account.tenant).principal(account.principal, prefix.clone()).pk().clone();
        let now = self.env().now();
        let mut found = Vec::new();
        for (key, row) in self.store().query_all(&Query::prefix(pk, &prefix)).await? {
            match Session::read(&key, &row) {
                Some(session) if session.lives(now) => found.push(session),
                _ => self.drop_session(account, key).await,
            }
        }
        found.reverse();
        Ok(found)
    }

    /// What has ended goes when somebody comes by; a failure costs nothing.
    async fn drop_session(&self, account: Account, key: Sk) {
        let key = access::organisation(account.tenant).principal(account.principal, key);
        if let Err(error) = self.store().put(Write::delete(key)).await {
            tracing::debug!(?error, "a session that has ended stays a little");
        }
    }

    pub async fn close_session(&self, account: Account, id: CommitId) -> Result<()> {
        let key = access::organisation(account.tenant).principal(account.principal, sk::session(id));
        let words = |_| Error::not_found("there is no such session");
        self.store().once(Write::Delete { key, when: When::Present }).await.map_err(|refused| refused.explain(words))
    }

    /// All but one, after a new password: whoever had the old one is out.
    pub async fn close_sessions(&self, account: Account, but: Option<CommitId>) -> Result<usize> {
        let mut closed = 0;
        for session in self.sessions(account).await? {
            if Some(session.id) != but && session.kind != SessionKind::Token {
                match self.close_session(account, session.id).await {
                    Err(error) if error.kind() == penfold_types::Kind::NotFound => {}
                    answer => answer?,
                }
                closed += 1;
            }
        }
        Ok(closed)
    }

    /// Whose token this is. Every wrong one is refused alike.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, SignInError> {
        if let Some(name) = self.operator_token(token).await.map_err(|error| unavailable(&error))? {
            return Ok(Caller::operator(&name));
        }
        let (kind, named) = parse(token).filter(|(kind, _)| *kind != SessionKind::Reset).ok_or(SignInError::Refused)?;
        let (who, roles, session) = self.bearer(kind, &named).await?;
        Ok(Caller::person(who, roles, session))
    }

    /// With the roles as they stand now.
    async fn bearer(&self, kind: SessionKind, named: &Named) -> Result<(SignedIn, Vec<RoleGrant>, Session), SignInError> {
        let scope = access::organisation(named.account.tenant);
        let keys =
            [scope.principal(named.account.principal, sk::session(named.id)), scope.principal(named.account.principal, sk::principal())];
        let rows = self.store().batch_get(&keys).await.map_err(|error| unavailable(&error))?;
        let [Some(row), Some(principal)] = rows.as_slice() else { return Err(SignInError::Refused) };
        let fits = row.bytes("h").is_some_and(|kept| constant_time::verify_slices_are_equal(kept, &hash(named.secret)).is_ok());
        let session = Session::read(keys[0].sk(), row).filter(|session| fits && session.kind == kind);
        let session = session.filter(|session| session.lives(self.env().now())).ok_or(SignInError::Refused)?;
        let principal = crate::rows::Principal::read(principal).map_err(|error| unavailable(&error))?;
        if !self.may_enter(named.account, &principal).await? {
            return Err(SignInError::Refused);
        }
        self.note_session(named.account, &session).await;
        let roles = principal.roles.clone();
        Ok((self.let_in(named.account, principal).await?, roles, session))
    }

    /// Once an hour; a lost note loses nothing else.
    async fn note_session(&self, account: Account, session: &Session) {
        let now = self.env().now();
        if now.since(session.used) < HOUR {
            return;
        }
        let key = access::organisation(account.tenant).principal(account.principal, sk::session(session.id));
        let write = Write::Update { key, set: vec![("us".into(), time(now).into())], remove: vec![], when: When::Present };
        if let Err(error) = self.store().put(write).await {
            tracing::debug!(?error, "the use of a session was not noted");
        }
    }

    /// Takes a token for mending a password; it is gone with that.
    pub async fn take_reset(&self, token: &str) -> Result<Account, SignInError> {
        let (kind, named) = parse(token).filter(|(kind, _)| *kind == SessionKind::Reset).ok_or(SignInError::Refused)?;
        self.bearer(kind, &named).await?;
        match self.close_session(named.account, named.id).await {
            Err(error) if error.kind() == penfold_types::Kind::NotFound => Err(SignInError::Refused),
            Err(error) => Err(unavailable(&error)),
            Ok(()) => Ok(named.account),
        }
    }

    pub(crate) async fn make_operator_token(&self, name: &str) -> Result<String> {
        let (id, secret) = (CommitId::new(self.env()), self.secret());
        let row = Row::new().with("h", hash(secret)).with("n", name).with("at", time(self.env().now()));
        self.store().once(Write::put_new(shared::operator_token(&id.to_string()), row)).await?;
        Ok(format!("pfo_{id}{secret}"))
    }

    /// Id, name and when it was made.
    pub async fn operator_tokens(&self) -> Result<Vec<(String, String, Timestamp)>> {
        let (pk, prefix) = shared::operator_tokens();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): &(Sk, Row)| {
            let id = std::str::from_utf8(rest(key, "token#")?).ok()?.to_owned();
            Some((id, row.str("n")?.to_owned(), read_time(row)))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    pub async fn remove_operator_token(&self, id: &str) -> Result<()> {
        let words = |_| Error::not_found("there is no such token");
        let delete = Write::Delete { key: shared::operator_token(id), when: When::Present };
        self.store().once(delete).await.map_err(|refused| refused.explain(words))
    }

    async fn operator_token(&self, token: &str) -> Result<Option<String>> {
        let Some(rest) = token.strip_prefix("pfo_").filter(|rest| rest.len() == 52 && rest.is_ascii()) else { return Ok(None) };
        let (id, secret) = rest.split_at(26);
        let (Ok(id), Ok(secret)) = (id.parse::<CommitId>(), secret.parse::<CommitId>()) else { return Ok(None) };
        let Some(row) = self.store().get(&shared::operator_token(&id.to_string())).await? else { return Ok(None) };
        let fits = row.bytes("h").is_some_and(|kept| constant_time::verify_slices_are_equal(kept, &hash(secret)).is_ok());
        Ok(row.str("n").filter(|_| fits).map(str::to_owned))
    }
}
