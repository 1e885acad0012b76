//! Companies that sign themselves up. Until the proof that the domain is theirs, there is one row that ends after a week, and
//! nothing else: no tenant, no claim, nothing that anybody else could notice.

use crate::rows::{stored_time, time};
use crate::store::Refused;
use crate::{Directory, NewPerson, Role, RoleGrant};
use aws_lc_rs::{constant_time, digest, hmac};
use bytes::Bytes;
use penfold_ports::{Account, Key, Query, Row, Sk, When, Write, shared};
use penfold_types::{Address, CommitId, Domain, Error, Kind, Result, TenantId, Timestamp};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// For how long a proof is waited for.
const WAITS: Duration = Duration::from_secs(7 * 24 * 3600);
/// For how long a company tries the service out.
pub const TRIAL: Duration = Duration::from_secs(30 * 24 * 3600);
/// Beginnings on one day from one network, for one domain, and of all.
const FROM_NETWORK: u64 = 20;
const FOR_DOMAIN: u64 = 10;
const OF_ALL: u64 = 5_000;
/// Codes that are tried for one sign-up.
const GUESSES: u64 = 10;

/// How it is shown that the domain is the company's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofBy {
    /// A TXT record that only who keeps the zone can publish.
    Dns,
    /// A code that was sent to this address of the domain.
    Mail(Address),
}

#[derive(Debug, Clone)]
pub struct NewSignUp {
    pub company: String,
    pub address: Address,
    pub name: String,
    pub password: String,
    pub by: ProofBy,
    /// The client's network, for limits.
    pub network: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUp {
    pub id: CommitId,
    pub company: String,
    /// Of the first administrator; its domain is the company's.
    pub address: Address,
    pub name: String,
    pub by: ProofBy,
    pub expires: Timestamp,
    /// What came of it.
    pub tenant: Option<TenantId>,
    /// The administrator signs in, and there is nothing left to do.
    pub done: bool,
    secret: Bytes,
}

impl SignUp {
    pub fn domain(&self) -> &Domain {
        self.address.domain()
    }

    /// What proves the domain: the text of its record or, in eight digits, the code.
    pub fn token(&self) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret), self.domain().as_str().as_bytes());
        match self.by {
            ProofBy::Dns => tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
            ProofBy::Mail(_) => {
                let number = tag.as_ref().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
                format!("{:08}", number % 100_000_000)
            }
        }
    }

    fn read(id: CommitId, row: &Row) -> Result<Self> {
        let read = || {
            let by = match row.str("ml") {
                Some(address) => ProofBy::Mail(address.parse().ok()?),
                None => ProofBy::Dns,
            };
            Some(Self {
                id,
                company: row.str("c")?.to_owned(),
                address: row.str("a")?.parse().ok()?,
                name: row.str("n")?.to_owned(),
                by,
                expires: stored_time(row, "ex")?,
                tenant: row.bytes("t").and_then(|bytes| TenantId::from_slice(bytes)),
                done: row.bytes("pw").is_none(),
                secret: row.bytes("s")?.clone(),
            })
        };
        read().ok_or_else(|| Error::broken("a sign-up is damaged"))
    }
}

/// How far a sign-up is.
struct Made {
    tenant: Option<TenantId>,
    /// Its hash, sealed; gone once all is done.
    password: Option<Bytes>,
}

fn hash(secret: CommitId) -> Vec<u8> {
    digest::digest(&digest::SHA256, secret.as_bytes()).as_ref().to_vec()
}

impl Directory {
    /// Begins one; the text that it is spoken of with is in this answer and nowhere else. A domain that somebody has is
    /// treated like one that nobody has.
    pub async fn begin_sign_up(&self, new: &NewSignUp) -> Result<(SignUp, String)> {
        let domain = new.address.domain();
        self.may_be_claimed(domain).await?;
        self.operator().judge_password(&new.password, &new.address, &new.name)?;
        self.operator().check_company(&new.company)?;
        crate::check_name(&new.name)?;
        // The narrowest first: whoever is refused uses up nothing of what is everybody's.
        for (of, most) in [(&*format!("n#{}", new.network), FROM_NETWORK), (&*format!("d#{domain}"), FOR_DOMAIN), ("*", OF_ALL)] {
            self.count_sign_up(of, most).await?;
        }
        let (now, id, secret) = (self.env().now(), CommitId::new(self.env()), self.secret());
        let (nonce, hashed) = (self.secret(), self.hash_password(&new.password).await?);
        let sealed = self.seal_for_cell(&belongs_to(id), hashed.as_bytes()).await?;
        let expires = now.plus(WAITS);
        let mut row = Row::new().with("c", new.company.as_str()).with("a", new.address.to_string()).with("n", new.name.as_str());
        row = row
            .with("pw", sealed)
            .with("h", hash(secret))
            .with("s", nonce.as_bytes())
            .with("ex", time(expires))
            .with("g", 0u64)
            .with("m", 0u64);
        row.set("exp", expires.seconds().unsigned_abs());
        if let ProofBy::Mail(address) = &new.by {
            row.set("ml", address.to_string());
        }
        self.store().once(Write::put_new(shared::sign_up(id), row.clone())).await?;
        Ok((SignUp::read(id, &row)?, format!("pfu_{id}{secret}")))
    }

    /// The sign-up that a token speaks of; a wrong one is told nothing.
    pub async fn sign_up(&self, id: CommitId, token: &str) -> Result<SignUp> {
        let unknown = || Error::not_found("there is no such sign-up, or its time is over");
        let secret = token.strip_prefix("pfu_").filter(|rest| rest.len() == 52 && rest.is_ascii()).map(|rest| rest.split_at(26));
        let (named, secret) = secret.ok_or_else(unknown)?;
        let secret: CommitId = secret.parse().map_err(|_| unknown())?;
        if named != id.to_string() {
            return Err(unknown());
        }
        let row = self.store().get(&shared::sign_up(id)).await?.ok_or_else(unknown)?;
        let kept = row.bytes("h").map_or(&[][..], |bytes| bytes);
        if constant_time::verify_slices_are_equal(kept, &hash(secret)).is_err() {
            return Err(unknown());
        }
        let found = SignUp::read(id, &row)?;
        if found.tenant.is_none() && self.env().now() >= found.expires { Err(unknown()) } else { Ok(found) }
    }

    /// Whether this is the code; a sign-up takes ten guesses.
    pub async fn sign_up_code(&self, sign_up: &SignUp, code: &str) -> Result<bool> {
        let key = shared::sign_up(sign_up.id);
        let guesses = self.store().get(&key).await?.and_then(|row| row.u64("g")).unwrap_or(GUESSES);
        if guesses >= GUESSES {
            return Err(Error::limit("too many wrong codes; sign up again"));
        }
        let set = vec![("g".into(), guesses.saturating_add(1).into())];
        let when = When::Equal(vec![("g".into(), guesses.into())]);
        self.store().once(Write::Update { key, set, remove: vec![], when }).await?;
        let code: String = code.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        Ok(constant_time::verify_slices_are_equal(code.as_bytes(), sign_up.token().as_bytes()).is_ok())
    }

    /// The domain is proved: makes the tenant on trial, its domain and its first administrator. Doing it again goes on where
    /// it stopped; once all is done, it changes nothing any more.
    pub async fn finish_sign_up(&self, sign_up: &SignUp) -> Result<TenantId> {
        let made = self.sign_up_row(sign_up).await?;
        if let (Some(tenant), None) = (made.tenant, &made.password) {
            return Ok(tenant);
        }
        let operator = self.operator().acting_as("sign-up");
        let domain = sign_up.domain();
        if let Some(owner) = self.domain_owner(domain).await?
            && Some(owner) != made.tenant
        {
            // Whoever proved that the domain is theirs may know.
            return Err(Error::conflict(format!(
                "{domain} is served for another organisation here already; ask its administrators, or the operator"
            )));
        }
        let tenant = match made.tenant {
            Some(tenant) => tenant,
            None => self.found_tenant(sign_up).await?,
        };
        match operator.create_domain(&tenant.to_string(), domain).await {
            Err(error) if error.kind() == Kind::Conflict && self.domain_owner(domain).await? == Some(tenant) => {}
            answer => answer?,
        }
        let person = NewPerson { address: sign_up.address.clone(), name: sign_up.name.clone(), password: None, quota: None };
        let (account, _) = operator.ensure_person(&person).await?;
        operator.set_roles(&sign_up.address, &[RoleGrant::everywhere(Role::TenantAdministrator)]).await?;
        if let Some(sealed) = made.password {
            self.give_password(sign_up, account, &sealed).await?;
        }
        Ok(tenant)
    }

    async fn sign_up_row(&self, sign_up: &SignUp) -> Result<Made> {
        let row = self.store().get(&shared::sign_up(sign_up.id)).await?.ok_or_else(|| Error::not_found("there is no such sign-up"))?;
        let tenant = row.bytes("t").and_then(|bytes| TenantId::from_slice(bytes));
        Ok(Made { tenant, password: row.bytes("pw").cloned() })
    }

    /// Under the company's name or, where somebody has it, with the domain behind it; noted in the row by the same commit, so
    /// that one is made, whoever is cut off and however many do this at once.
    async fn found_tenant(&self, sign_up: &SignUp) -> Result<TenantId> {
        let (operator, ends) = (self.operator().acting_as("sign-up"), self.env().now().plus(TRIAL));
        let note = |tenant: TenantId| Write::Update {
            key: shared::sign_up(sign_up.id),
            set: vec![("t".into(), tenant.as_bytes().into()), ("m".into(), 1u64.into())],
            remove: vec![],
            when: When::Equal(vec![("m".into(), 0u64.into())]),
        };
        let longer = format!("{} {}", sign_up.company, sign_up.domain());
        let longest = format!("{longer} {}", sign_up.id);
        for name in [&sign_up.company, &longer, &longest] {
            match operator.create_trial(name, ends, note).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                // A name that became too long.
                Err(error) if error.kind() == Kind::Invalid && *name != sign_up.company => {}
                answer => return answer.map(|made| made.id),
            }
            if let Some(tenant) = self.sign_up_row(sign_up).await?.tenant {
                return Ok(tenant);
            }
        }
        operator.create_trial(&sign_up.id.to_string(), ends, note).await.map(|made| made.id)
    }

    /// With it the sign-up is done.
    async fn give_password(&self, sign_up: &SignUp, account: Account, sealed: &[u8]) -> Result<()> {
        let hashed = self.open_for_cell(&belongs_to(sign_up.id), sealed).await?;
        let hashed = String::from_utf8(hashed).map_err(|_| Error::broken("the password of a sign-up is damaged"))?;
        let key = shared::sign_up(sign_up.id);
        let done = Write::Update { key, set: vec![], remove: vec!["pw".into()], when: When::Present };
        self.operator().acting_as("sign-up").set_password_hash(account, &hashed, done).await
    }

    /// Counts a beginning on this day, and refuses beyond `most`.
    async fn count_sign_up(&self, of: &str, most: u64) -> Result<()> {
        let now = self.env().now();
        let key = shared::sign_up_count(now.seconds().div_euclid(86_400), of);
        for _ in 0..20 {
            let before = self.store().get(&key).await?.and_then(|row| row.u64("n")).unwrap_or(0);
            if before >= most {
                return Err(Error::limit("too many sign-ups today; come back tomorrow"));
            }
            let row = Row::new().with("n", before.saturating_add(1)).with("exp", now.plus(DAY * 2).seconds().unsigned_abs());
            let when = if before == 0 { When::Absent } else { When::Equal(vec![("n".into(), before.into())]) };
            match self.store().put(Write::Put { key: key.clone(), row, when }).await {
                Ok(()) => return Ok(()),
                Err(Refused::Condition(_)) => self.env().sleep_jittered(Duration::from_millis(20)).await,
                Err(Refused::Other(error)) => return Err(error),
            }
        }
        Err(Error::retry("too many sign up at once; try again"))
    }

    /// What is over, for upkeep; the cloud's table does it by itself as well.
    pub async fn expire_sign_ups(&self) -> Result<()> {
        let now = self.env().now().seconds().unsigned_abs();
        let query = Query { pk: shared::sign_ups(), from: Sk::text("a"), to: None, limit: usize::MAX, reverse: false };
        for (sk, row) in self.store().query_all(&query).await? {
            if row.u64("exp").is_some_and(|ends| ends < now) {
                self.store().put(Write::delete(Key::from_stored(shared::sign_ups(), sk))).await?;
            }
        }
        Ok(())
    }
}

fn belongs_to(id: CommitId) -> Vec<u8> {
    [b"sign-up#", &id.as_bytes()[..]].concat()
}
