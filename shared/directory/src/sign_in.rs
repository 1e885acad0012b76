//! Who is it? Typed passwords cost an argon2 run each, on purpose; so what was verified is remembered for five minutes
//! under a keyed hash, and dropped as soon as the principal's secret version is seen to have moved. An address that does
//! not exist costs the same work and gets the same answer.

use crate::cache::Cache;
use crate::roles::{Role, RoleGrant};
use crate::rows::{Principal, PrincipalKind, Route, Status, TenantStatus, sk};
use crate::throttle::{Attempt, Digest, Throttle, Verdict, network};
use crate::{Directory, Options, access, app_password};
use aws_lc_rs::hmac;
use penfold_ports::{Account, Query, Row, Scope, Sk, When, Write, shared};
use penfold_types::{Address, Env, Result};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

const REMEMBERED: Duration = Duration::from_secs(300);
/// Hashing takes a core and 19 MiB: two at once, and no more than this many waiting for it.
const HASHING: usize = 2;
const WAITING: usize = 2_000;
/// The longest secret that is looked at.
pub(crate) const SECRET_LIMIT: usize = 512;
const STRIPES: usize = 64;

#[derive(Debug, Clone)]
pub struct SignedIn {
    pub account: Account,
    /// The primary address, whatever alias was typed.
    pub address: Address,
    pub name: String,
    /// What they send is kept in Sent.
    pub sent_copy: bool,
    pub scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Wrong, or there is nobody of this address, or not now: which one is not told.
    #[error("the address or the password is wrong")]
    Refused,
    #[error("too many failed sign-ins; wait {} seconds", .0.as_secs().max(1))]
    TooMany(Duration),
    #[error("signing in is not possible at the moment")]
    Unavailable,
    /// The password is right, and a code is needed beside it.
    #[error("give the code of the second factor as well")]
    NeedsCode,
}

/// What somebody signs in for; an app password opens only what it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    Imap,
    Submission,
    /// Everything over HTTP.
    Http,
}

impl Use {
    pub const ALL: [Self; 3] = [Self::Imap, Self::Submission, Self::Http];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Submission => "submission",
            Self::Http => "http",
        }
    }
}

/// What signing in remembers.
pub(crate) struct Door {
    key: hmac::Key,
    verified: Cache<[u8; 32], Verified>,
    throttle: Throttle,
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
    /// One at a time for each secret, so that a thousand at once hash once.
    stripes: Vec<Mutex<()>>,
    dummy: OnceLock<String>,
}

#[derive(Clone)]
struct Verified {
    account: Account,
    secret_version: u64,
}

impl Door {
    pub fn new(env: &Env, options: &Options) -> Self {
        let mut key = [0; 32];
        env.fill(&mut key);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            verified: Cache::new(20_000),
            throttle: Throttle::new(options),
            hashing: Arc::new(Semaphore::new(HASHING)),
            waiting: Semaphore::new(WAITING),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            dummy: OnceLock::new(),
        }
    }

    /// A keyed hash of parts, each with its length before it.
    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        out
    }

    fn short(&self, parts: &[&[u8]]) -> Digest {
        let mut out = [0; 16];
        out.copy_from_slice(&self.digest(parts)[..16]);
        out
    }

    fn attempt(&self, name: &[u8], secret: &[u8], from: IpAddr) -> Attempt {
        let network = network(from);
        Attempt {
            address: self.short(&[b"address", name]),
            network: self.short(&[b"network", &network]),
            pair: self.short(&[b"pair", name, &network]),
            guess: self.short(&[b"guess", name, secret]),
        }
    }
}

impl Directory {
    /// Checks an address (also an alias) and a password or app password, for a client at `from`. Takes up to four seconds
    /// where the address or the client's network failed often; who was verified lately is let in whatever others fail at.
    pub async fn sign_in(&self, address: &str, secret: &str, from: IpAddr) -> Result<SignedIn, SignInError> {
        self.sign_in_for(Use::Http, address, secret, from).await
    }

    /// The same, for one use.
    pub async fn sign_in_for(&self, purpose: Use, address: &str, secret: &str, from: IpAddr) -> Result<SignedIn, SignInError> {
        let door = &self.inner.door;
        let parsed = address.parse::<Address>().ok().filter(|_| !secret.is_empty() && secret.len() <= SECRET_LIMIT);
        let name = parsed.as_ref().map_or_else(|| "?".to_owned(), Address::key);
        let secret = if parsed.is_some() { secret } else { "" };
        let attempt = door.attempt(name.as_bytes(), secret.as_bytes(), from);
        let digest = door.digest(&[b"verified", purpose.as_str().as_bytes(), name.as_bytes(), secret.as_bytes()]);
        if let Some(known) = self.remembered(&digest).await? {
            return Ok(known);
        }
        match door.throttle.verdict(&attempt, self.env().monotonic()) {
            Verdict::Go => {}
            Verdict::Wait(delay) => self.env().sleep(delay).await,
            Verdict::Stop(left) => return Err(SignInError::TooMany(left)),
        }
        let stripe = door.stripes.get(usize::from(digest[0]) % STRIPES);
        let _one_at_a_time = match stripe {
            Some(stripe) => Some(stripe.lock().await),
            None => None,
        };
        if let Some(known) = self.remembered(&digest).await? {
            return Ok(known);
        }
        let found = self.verify(purpose, parsed.as_ref(), secret, &attempt).await?;
        let now = self.env().monotonic();
        let Some((account, principal)) = found else {
            door.throttle.failed(&attempt, now);
            tracing::info!(address = %name, client = %from, "sign-in refused");
            return Err(SignInError::Refused);
        };
        door.throttle.succeeded(&attempt, now);
        door.verified.put(digest, Verified { account, secret_version: principal.secret_version }, now + REMEMBERED);
        self.let_in(account, principal).await
    }

    /// A typed password with the code of a second factor, for the web: no app password opens it, and nothing is remembered.
    pub async fn sign_in_typed(&self, address: &str, password: &str, code: Option<&str>, from: IpAddr) -> Result<SignedIn, SignInError> {
        let door = &self.inner.door;
        let parsed = address.parse::<Address>().ok().filter(|_| !password.is_empty() && password.len() <= SECRET_LIMIT);
        let name = parsed.as_ref().map_or_else(|| "?".to_owned(), Address::key);
        let guess = [password.as_bytes(), &[0], code.unwrap_or_default().as_bytes()].concat();
        let attempt = door.attempt(name.as_bytes(), &guess, from);
        match door.throttle.verdict(&attempt, self.env().monotonic()) {
            Verdict::Go => {}
            Verdict::Wait(delay) => self.env().sleep(delay).await,
            Verdict::Stop(left) => return Err(SignInError::TooMany(left)),
        }
        let person = match &parsed {
            Some(address) => self.person_and_secrets(address).await.map_err(|error| unavailable(&error))?,
            None => None,
        };
        let stored = person.as_ref().and_then(|(_, _, secrets)| secrets.iter().find(|(key, _)| *key == sk::password()));
        let stored = stored.and_then(|(_, row)| row.str("h")).map(str::to_owned);
        let matches = self.typed_password(stored, password, &attempt).await?;
        let (account, principal) = match person.filter(|_| matches) {
            Some((account, principal, _)) if self.may_enter(account, &principal).await? => (account, principal),
            _ => {
                door.throttle.failed(&attempt, self.env().monotonic());
                tracing::info!(address = %name, client = %from, "sign-in refused");
                return Err(SignInError::Refused);
            }
        };
        if principal.two_factor {
            let Some(code) = code else { return Err(SignInError::NeedsCode) };
            if !self.second_factor(account, code).await.map_err(|error| unavailable(&error))? {
                door.throttle.failed(&attempt, self.env().monotonic());
                tracing::info!(address = %name, client = %from, "the second factor was wrong");
                return Err(SignInError::Refused);
            }
        }
        door.throttle.succeeded(&attempt, self.env().monotonic());
        self.let_in(account, principal).await
    }

    /// Whether somebody who is signed in knows their password: what is asked again before an account is changed.
    pub async fn knows_password(&self, who: &SignedIn, password: &str, from: IpAddr) -> Result<(), SignInError> {
        let door = &self.inner.door;
        let attempt = door.attempt(who.address.key().as_bytes(), password.as_bytes(), from);
        match door.throttle.verdict(&attempt, self.env().monotonic()) {
            Verdict::Go => {}
            Verdict::Wait(delay) => self.env().sleep(delay).await,
            Verdict::Stop(left) => return Err(SignInError::TooMany(left)),
        }
        let key = access::organisation(who.account.tenant).principal(who.account.principal, sk::password());
        let row = self.store().get(&key).await.map_err(|error| unavailable(&error))?;
        let stored = row.and_then(|row| row.str("h").map(str::to_owned));
        if password.len() <= SECRET_LIMIT && self.typed_password(stored, password, &attempt).await? {
            return Ok(());
        }
        door.throttle.failed(&attempt, self.env().monotonic());
        Err(SignInError::Refused)
    }

    /// A secret verified within five minutes, its owner read again within the last one.
    async fn remembered(&self, digest: &[u8; 32]) -> Result<Option<SignedIn>, SignInError> {
        let verified = &self.inner.door.verified;
        let Some(known) = verified.get(digest, self.env().monotonic()) else { return Ok(None) };
        let principal = match self.principal(known.account).await {
            Ok(principal) => principal,
            Err(error) if error.kind() == penfold_types::Kind::NotFound => {
                verified.remove(digest);
                return Ok(None);
            }
            Err(error) => return Err(unavailable(&error)),
        };
        if principal.secret_version != known.secret_version || !self.may_enter(known.account, &principal).await? {
            verified.remove(digest);
            return Ok(None);
        }
        self.let_in(known.account, principal).await.map(Some)
    }

    pub(crate) async fn may_enter(&self, account: Account, principal: &Principal) -> Result<bool, SignInError> {
        if principal.kind != PrincipalKind::Person || principal.status != Status::Active {
            return Ok(false);
        }
        match self.tenant(account.tenant).await {
            // A suspended one is read, a closed one is exported by those who administer it.
            Ok(tenant) => Ok(match tenant.status {
                TenantStatus::Trial | TenantStatus::Active | TenantStatus::Suspended => true,
                TenantStatus::Closed => principal.roles.contains(&RoleGrant::everywhere(Role::TenantAdministrator)),
                TenantStatus::Deleting => false,
            }),
            Err(error) if error.kind() == penfold_types::Kind::NotFound => Ok(false),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// The long way: rows, then the app passwords, then the typed one.
    async fn verify(
        &self,
        purpose: Use,
        address: Option<&Address>,
        secret: &str,
        attempt: &Attempt,
    ) -> Result<Option<(Account, Principal)>, SignInError> {
        let person = match address {
            Some(address) => self.person_and_secrets(address).await.map_err(|error| unavailable(&error))?,
            None => None,
        };
        if let Some((account, principal, secrets)) = &person {
            let enters = self.may_enter(*account, principal).await?;
            if enters && self.app_password(*account, purpose, secrets, secret).await.map_err(|error| unavailable(&error))? {
                return Ok(Some((*account, principal.clone())));
            }
        }
        let stored = person.as_ref().and_then(|(_, _, secrets)| secrets.iter().find(|(key, _)| *key == sk::password()));
        let stored = stored.and_then(|(_, row)| row.str("h")).map(str::to_owned);
        let matches = self.typed_password(stored, secret, attempt).await?;
        let Some((account, principal, _)) = person.filter(|(_, principal, _)| matches && !principal.two_factor) else { return Ok(None) };
        Ok(self.may_enter(account, &principal).await?.then_some((account, principal)))
    }

    /// With the rights that the state of the tenant leaves.
    pub(crate) async fn let_in(&self, account: Account, principal: Principal) -> Result<SignedIn, SignInError> {
        let tenant = self.tenant(account.tenant).await.map_err(|error| unavailable(&error))?;
        let scope = if tenant.status.is_open() { access::own(account) } else { access::reader(account) };
        Ok(SignedIn { account, address: principal.address, name: principal.name, sent_copy: principal.sent_copy, scope })
    }

    async fn person_and_secrets(&self, address: &Address) -> Result<Option<(Account, Principal, Vec<(Sk, Row)>)>> {
        let Some(row) = self.store().get(&shared::route(address)).await? else { return Ok(None) };
        let route = Route::read(&row)?;
        if route.kind != PrincipalKind::Person {
            return Ok(None);
        }
        let account = Account { tenant: route.tenant, principal: route.principal };
        let scope = access::organisation(account.tenant);
        // The principal first: if a secret changes between the two reads, the version that is remembered is the older one
        // and the entry ends at its first use.
        let Some(row) = self.store().get(&scope.principal(account.principal, sk::principal())).await? else { return Ok(None) };
        let principal = Principal::read(&row)?;
        let pk = scope.principal(account.principal, sk::secrets()).pk().clone();
        let secrets = self.store().query_all(&Query::prefix(pk, &sk::secrets())).await?;
        Ok(Some((account, principal, secrets)))
    }

    async fn app_password(&self, account: Account, purpose: Use, secrets: &[(Sk, Row)], secret: &str) -> Result<bool> {
        let Some(normal) = app_password::normalise(secret) else { return Ok(false) };
        for (key, row) in secrets.iter().filter(|(key, _)| key.as_bytes().starts_with(b"secret#app#")) {
            let (Some(tag), Some(version)) = (row.bytes("h"), row.u64("kv").and_then(|v| u32::try_from(v).ok())) else { continue };
            let data_key = self.data_key_version(account.tenant, version).await?;
            let opens = row.str("sc").is_none_or(|uses| uses.split(',').any(|one| one == purpose.as_str()));
            if opens && app_password::same(tag, &app_password::tag(&data_key, account.principal, &normal)) {
                self.note_use(account, key, row).await;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The day of the last use, written once a day; a lost note loses nothing else.
    async fn note_use(&self, account: Account, key: &Sk, row: &Row) {
        let today = self.env().now().seconds().div_euclid(86_400).unsigned_abs();
        if row.u64("used") == Some(today) {
            return;
        }
        let key = access::organisation(account.tenant).principal(account.principal, key.clone());
        let write = Write::Update { key, set: vec![("used".into(), today.into())], remove: vec![], when: When::Present };
        if let Err(error) = self.store().put(write).await {
            tracing::debug!(?error, "the use of an app password was not noted");
        }
    }

    /// Hashes in any case; `stored` is absent where there is nobody, or nobody with a password.
    async fn typed_password(&self, stored: Option<String>, secret: &str, attempt: &Attempt) -> Result<bool, SignInError> {
        let door = &self.inner.door;
        let _waiting = door.waiting.try_acquire().map_err(|_| SignInError::Unavailable)?;
        let permit = door.hashing.clone().acquire_owned().await.map_err(|_| SignInError::Unavailable)?;
        // Others may have failed while this one waited.
        if let Verdict::Stop(left) = door.throttle.verdict(attempt, self.env().monotonic()) {
            return Err(SignInError::TooMany(left));
        }
        let (real, inner, secret) = (stored.is_some(), self.inner.clone(), secret.to_owned());
        let work = move || {
            let _permit = permit;
            let hasher = &inner.options.hasher;
            let hash =
                stored.unwrap_or_else(|| inner.door.dummy.get_or_init(|| hasher.hash("nobody", &[0; 16]).unwrap_or_default()).clone());
            hasher.verify(&secret, &hash)
        };
        let matches = if self.inner.options.hasher.blocking() {
            tokio::task::spawn_blocking(work).await.map_err(|_| SignInError::Unavailable)?
        } else {
            work()
        };
        Ok(matches && real)
    }

    /// The hash to keep of a password.
    pub(crate) async fn hash_password(&self, secret: &str) -> Result<String> {
        let mut salt = [0; 16];
        self.env().fill(&mut salt);
        let hasher = self.inner.options.hasher.clone();
        if !hasher.blocking() {
            return hasher.hash(secret, &salt);
        }
        let secret = secret.to_owned();
        let work = tokio::task::spawn_blocking(move || hasher.hash(&secret, &salt)).await;
        work.map_err(|error| penfold_types::Error::broken("the password cannot be hashed").because(error))?
    }
}

pub(crate) fn unavailable(error: &penfold_types::Error) -> SignInError {
    tracing::warn!(%error, "sign-in not possible");
    SignInError::Unavailable
}
