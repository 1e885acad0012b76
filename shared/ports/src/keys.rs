//! The keys of rows. A key of a tenant's data can be built from a [`TenantScope`] or a [`Scope`] only, and those are made
//! by the directory alone, for somebody who signed in or for a job's own header (a test reads the sources for that).

use crate::BlobKey;
use crate::rights::{Grantee, Rights};
use penfold_types::{AcceptanceId, Address, CommitId, Domain, FolderId, ItemId, Modseq, PrincipalId, TenantId};
use std::fmt;
use std::sync::Arc;

/// A partition key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pk(Arc<str>);

impl Pk {
    fn new(text: String) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For adapters and the checker, which read keys back from storage.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether it is a cell's own: what a queue keeps beside its jobs, which edges live, how far its meter came, where it is reached, what
    /// it shows there, and what it is to report to other domains.
    pub fn is_of_cell(&self) -> bool {
        ["q#", "due#", "rs#"].iter().any(|kind| self.0.starts_with(kind))
            || matches!(&*self.0, "edges" | "meter" | "service" | "certificates" | "sign-ups")
    }

    /// The tenant that this partition belongs to, `None` for the global ones.
    pub fn tenant(&self) -> Option<TenantId> {
        let (kind, rest) = self.0.split_once('#')?;
        if !matches!(kind, "t" | "p" | "g" | "au" | "a" | "x" | "u" | "o" | "rp" | "on" | "tf" | "sb") {
            return None;
        }
        rest.split('#').next()?.parse().ok()
    }
}

impl fmt::Debug for Pk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A sort key: bytes that sort, at most 1,024.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sk(Vec<u8>);

impl Sk {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn from_stored(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub fn text(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    fn parts(parts: &[&[u8]]) -> Self {
        Self(parts.concat())
    }

    /// The first key after every key that begins with this one.
    #[must_use]
    pub fn after_prefix(&self) -> Self {
        let mut bytes = self.0.clone();
        while let Some(last) = bytes.pop() {
            if last < 0xff {
                bytes.push(last + 1);
                break;
            }
        }
        Self(bytes)
    }

    /// The first key after this one.
    #[must_use]
    pub fn successor(&self) -> Self {
        Self::parts(&[&self.0, &[0]])
    }

    pub fn head() -> Self {
        Self::text("h")
    }

    pub fn folders() -> Self {
        Self::text("f#")
    }

    pub fn folder(folder: FolderId) -> Self {
        Self::parts(&[b"f#", folder.as_bytes()])
    }

    /// Who else may do what in a folder; stands behind the folder's own row.
    pub fn folder_acl(folder: FolderId) -> Self {
        Self::parts(&[b"f#", folder.as_bytes(), b"/acl"])
    }

    pub fn contents() -> Self {
        Self::text("i#")
    }

    pub fn content(item: ItemId) -> Self {
        Self::parts(&[b"i#", item.as_bytes()])
    }

    /// An object by its name in its folder.
    pub fn object(folder: FolderId, name: &str) -> Self {
        Self::parts(&[b"n#", folder.as_bytes(), b"#", name.as_bytes()])
    }

    pub fn objects(folder: FolderId) -> Self {
        Self::object(folder, "")
    }

    /// Which object of a folder has a UID, by the first 16 bytes of its hash; those of all folders stand together.
    pub fn object_uid(hash: &[u8; 16], folder: FolderId) -> Self {
        Self::parts(&[b"u#", hash, folder.as_bytes()])
    }

    pub fn object_uids(hash: &[u8; 16]) -> Self {
        Self::parts(&[b"u#", hash])
    }

    /// Objects of a folder by when they begin, those of about one length together.
    pub fn spans(folder: FolderId, level: u8, start: i64) -> Self {
        // Times before 1970 sort before those after it.
        let start = start.cast_unsigned() ^ (1 << 63);
        Self::parts(&[b"x#", folder.as_bytes(), b"#", &[level], &start.to_be_bytes()])
    }

    pub fn span(folder: FolderId, level: u8, start: i64, object: ItemId) -> Self {
        Self::parts(&[&Self::spans(folder, level, start).0, object.as_bytes()])
    }

    pub fn all_spans(folder: FolderId) -> Self {
        Self::parts(&[b"x#", folder.as_bytes(), b"#"])
    }

    /// What a viewer set for a folder (`object` is empty) or for one object in it.
    pub fn properties(folder: FolderId, object: &str, viewer: PrincipalId) -> Self {
        Self::parts(&[b"y#", folder.as_bytes(), b"#", object.as_bytes(), &[0], viewer.as_bytes()])
    }

    pub fn property(folder: FolderId, object: &str, viewer: PrincipalId, property: &[u8]) -> Self {
        Self::parts(&[&Self::properties(folder, object, viewer).0, property])
    }

    /// Of one object, by all viewers.
    pub fn all_properties_of(folder: FolderId, object: &str) -> Self {
        Self::parts(&[b"y#", folder.as_bytes(), b"#", object.as_bytes(), &[0]])
    }

    pub fn all_properties(folder: FolderId) -> Self {
        Self::parts(&[b"y#", folder.as_bytes(), b"#"])
    }

    pub fn all_states() -> Self {
        Self::text("s#")
    }

    pub fn states(folder: FolderId) -> Self {
        Self::parts(&[b"s#", folder.as_bytes(), b"#"])
    }

    pub fn state(folder: FolderId, item: ItemId) -> Self {
        Self::parts(&[b"s#", folder.as_bytes(), b"#", item.as_bytes()])
    }

    pub fn changes() -> Self {
        Self::text("c#")
    }

    pub fn change(modseq: Modseq) -> Self {
        Self::parts(&[b"c#", &modseq.get().to_be_bytes()])
    }

    /// The thread of a Message-ID, by the first 16 bytes of its hash.
    pub fn message_id(hash: &[u8; 16]) -> Self {
        Self::parts(&[b"m#", hash])
    }

    /// What one viewer set for himself, of all folders.
    pub fn viewer(viewer: PrincipalId) -> Self {
        Self::parts(&[b"v#", viewer.as_bytes(), b"#"])
    }

    pub fn viewer_folder(viewer: PrincipalId, folder: FolderId) -> Self {
        Self::parts(&[b"v#", viewer.as_bytes(), b"#", folder.as_bytes()])
    }

    /// Folders that are gone and whose messages are still to be taken out.
    pub fn all_emptying() -> Self {
        Self::text("e#")
    }

    pub fn emptying(folder: FolderId) -> Self {
        Self::parts(&[b"e#", folder.as_bytes()])
    }

    pub fn checkpoint(folder: FolderId) -> Self {
        Self::parts(&[b"k#", folder.as_bytes()])
    }

    /// Edges that want wakes.
    pub fn watches() -> Self {
        Self::text("w#")
    }

    pub fn watch(edge: &str) -> Self {
        Self::parts(&[b"w#", edge.as_bytes()])
    }

    /// What is on its way to other hosts: the part of a message that goes to one destination.
    pub fn outgoing(acceptance: AcceptanceId, part: u64) -> Self {
        Self::parts(&[b"q#", acceptance.as_bytes(), &part.to_be_bytes()])
    }

    pub fn all_outgoing() -> Self {
        Self::text("q#")
    }

    /// What is not to leave before its time.
    pub fn held(acceptance: AcceptanceId) -> Self {
        Self::parts(&[b"h#", acceptance.as_bytes()])
    }

    pub fn all_held() -> Self {
        Self::text("h#")
    }

    /// Reports of one kind that were received.
    pub fn reports(kind: char) -> Self {
        Self::text(&format!("{kind}#"))
    }

    /// Those about a day, and all later ones.
    pub fn reports_from(kind: char, day: i64) -> Self {
        Self::parts(&[format!("{kind}#").as_bytes(), &day.max(0).to_be_bytes()])
    }

    pub fn report(kind: char, day: i64, domain: &str, name: &[u8]) -> Self {
        Self::parts(&[&Self::reports_from(kind, day).0, domain.as_bytes(), &[0], name])
    }

    /// The domain that a report is about.
    pub fn report_domain(sk: &Self) -> Option<&str> {
        std::str::from_utf8(sk.0.get(10..)?.split(|byte| *byte == 0).next()?).ok()
    }

    /// How many there were today.
    pub fn report_count() -> Self {
        Self::text("n")
    }

    /// Imports and exports, by when they were ordered.
    pub fn transfers() -> Self {
        Self::text("t#")
    }

    pub fn transfer(id: CommitId) -> Self {
        Self::parts(&[b"t#", id.as_bytes()])
    }

    /// The content of one: what was uploaded, or what is to be downloaded.
    pub fn transfer_parts(id: CommitId, upload: u64) -> Self {
        Self::parts(&[b"c#", id.as_bytes(), &upload.to_be_bytes()])
    }

    /// The same, of all uploads.
    pub fn all_transfer_parts(id: CommitId) -> Self {
        Self::parts(&[b"c#", id.as_bytes()])
    }

    pub fn transfer_part(id: CommitId, upload: u64, number: u32) -> Self {
        Self::parts(&[b"c#", id.as_bytes(), &upload.to_be_bytes(), &number.to_be_bytes()])
    }

    /// What could not be taken in.
    pub fn transfer_problems(id: CommitId) -> Self {
        Self::parts(&[b"p#", id.as_bytes()])
    }

    pub fn transfer_problem(id: CommitId, step: u64) -> Self {
        Self::parts(&[b"p#", id.as_bytes(), &step.to_be_bytes()])
    }

    /// Calendars that come from elsewhere, by whose they are.
    pub fn subscriptions() -> Self {
        Self::text("s#")
    }

    pub fn subscriptions_of(principal: PrincipalId) -> Self {
        Self::parts(&[b"s#", principal.as_bytes()])
    }

    /// How many a tenant has.
    pub fn subscription_count() -> Self {
        Self::text("n")
    }

    /// By the folder that it fills.
    pub fn subscription(principal: PrincipalId, folder: FolderId) -> Self {
        Self::parts(&[b"s#", principal.as_bytes(), folder.as_bytes()])
    }

    /// How far each mailbox's log was counted.
    pub fn marks() -> Self {
        Self::text("m#")
    }

    pub fn mark(principal: PrincipalId) -> Self {
        Self::parts(&[b"m#", principal.as_bytes()])
    }

    /// What a mailbox used, a row a day.
    pub fn days(principal: PrincipalId) -> Self {
        Self::parts(&[b"d#", principal.as_bytes(), b"#"])
    }

    pub fn day(principal: PrincipalId, day: u32) -> Self {
        Self::parts(&[b"d#", principal.as_bytes(), b"#", &day.to_be_bytes()])
    }
}

impl fmt::Debug for Sk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Names one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    pk: Pk,
    sk: Sk,
}

impl Key {
    pub fn pk(&self) -> &Pk {
        &self.pk
    }

    pub fn sk(&self) -> &Sk {
        &self.sk
    }

    /// For adapters and the checker, which read keys back from storage.
    pub fn from_stored(pk: Pk, sk: Sk) -> Self {
        Self { pk, sk }
    }
}

/// Rows that belong to no tenant.
pub mod shared {
    use super::{Address, Domain, Key, Pk, Sk, TenantId};

    /// Which tenant and principal an address belongs to.
    pub fn route(address: &Address) -> Key {
        Key { pk: Pk::new(format!("r#{}", address.key())), sk: Sk::text("r") }
    }

    /// Which tenant a domain belongs to.
    pub fn domain(domain: &Domain) -> Key {
        Key { pk: Pk::new(format!("d#{domain}")), sk: Sk::text("d") }
    }

    /// What a queue keeps beside its jobs, where the queue itself cannot: parked groups and their jobs.
    pub fn queue(name: &str) -> Pk {
        Pk::new(format!("q#{name}"))
    }

    /// In which cell a tenant lies, where that is not the home cell. For adapters that know cells.
    pub fn placement(tenant: TenantId) -> Key {
        Key { pk: Pk::new(format!("n#{tenant}")), sk: Sk::text("cell") }
    }

    /// The row that makes a tenant. For adapters that know cells.
    pub fn is_tenant(key: &Key) -> bool {
        key.pk.as_str().starts_with("t#") && key.sk.as_bytes() == b"tenant"
    }

    /// Shards of what is due later.
    pub const DUE_SHARDS: u8 = 4;

    /// Jobs that are to be sent later, by time.
    pub fn due(shard: u8) -> Pk {
        Pk::new(format!("due#{shard}"))
    }

    /// One of them. The shard is the id's own.
    pub fn due_entry(at: penfold_types::Timestamp, id: [u8; 16]) -> Key {
        let shard = id.last().copied().unwrap_or_default() % DUE_SHARDS;
        Key { pk: due(shard), sk: Sk::parts(&[&at.millis().max(0).to_be_bytes(), &id]) }
    }

    /// The end of what is due at a time.
    pub fn due_until(at: penfold_types::Timestamp) -> Sk {
        Sk::parts(&[&at.millis().max(0).saturating_add(1).to_be_bytes()])
    }

    /// Up to when usage is counted in this cell.
    pub fn metered() -> Key {
        Key { pk: Pk::new("meter".to_owned()), sk: Sk::text("until") }
    }

    /// What is to be reported to other domains about a day, by domain.
    pub fn facts(kind: char, day: i64) -> Pk {
        Pk::new(format!("rs#{kind}#{day}"))
    }

    /// Facts of one domain begin with this.
    pub fn facts_of(domain: &str) -> Sk {
        Sk::parts(&[domain.as_bytes(), &[0]])
    }

    pub fn fact(kind: char, day: i64, domain: &str, unique: u64) -> Key {
        Key { pk: facts(kind, day), sk: Sk::parts(&[domain.as_bytes(), &[0], &unique.to_be_bytes()]) }
    }

    /// Reports that were sent, by the day that they are about.
    pub fn reports_sent() -> Pk {
        Pk::new("rs#sent".to_owned())
    }

    pub fn report_sent(day: i64, kind: char, domain: &str) -> Key {
        Key { pk: reports_sent(), sk: Sk::parts(&[&day.max(0).to_be_bytes(), &[kind as u8], domain.as_bytes()]) }
    }

    /// Where the service of this cell is reached from outside.
    pub fn service() -> Key {
        Key { pk: Pk::new("service".to_owned()), sk: Sk::text("public") }
    }

    /// The key that the cell's own secrets are sealed with.
    pub fn service_key() -> Key {
        Key { pk: Pk::new("service".to_owned()), sk: Sk::text("key") }
    }

    /// A token of the operator's.
    pub fn operator_token(id: &str) -> Key {
        Key { pk: Pk::new("service".to_owned()), sk: Sk::text(&format!("token#{id}")) }
    }

    /// All of them: partition and prefix.
    pub fn operator_tokens() -> (Pk, Sk) {
        (Pk::new("service".to_owned()), Sk::text("token#"))
    }

    /// Answers to requests of the operator that may come again; with `exp`.
    pub fn once(sk: Sk) -> Key {
        Key { pk: Pk::new("service".to_owned()), sk }
    }

    /// Companies that are signing up.
    pub fn sign_ups() -> Pk {
        Pk::new("sign-ups".to_owned())
    }

    pub fn sign_up(id: penfold_types::CommitId) -> Key {
        Key { pk: sign_ups(), sk: Sk::parts(&[b"s#", id.as_bytes()]) }
    }

    /// How many there were from one network, or for one domain, on a day.
    pub fn sign_up_count(day: i64, of: &str) -> Key {
        Key { pk: sign_ups(), sk: Sk::parts(&[b"n#", &day.max(0).to_be_bytes(), of.as_bytes()]) }
    }

    /// The certificates that the cell shows, and what belongs to getting them.
    pub fn certificates() -> Pk {
        Pk::new("certificates".to_owned())
    }

    /// Who gets certificates at this time.
    pub fn certificates_lease() -> Key {
        Key { pk: certificates(), sk: Sk::text("lease") }
    }

    /// How many changes there were.
    pub fn certificates_version() -> Key {
        Key { pk: certificates(), sk: Sk::text("version") }
    }

    /// The account at an authority.
    pub fn certificates_account(authority: &str) -> Key {
        Key { pk: certificates(), sk: Sk::text(&format!("account#{authority}")) }
    }

    /// One name with its certificate.
    pub fn certificate(name: &str) -> Key {
        Key { pk: certificates(), sk: Sk::text(&format!("name#{name}")) }
    }

    pub fn all_certificates() -> Sk {
        Sk::text("name#")
    }

    /// The last change of a name; each name has one such row.
    pub fn certificate_change(number: u64) -> Key {
        Key { pk: certificates(), sk: Sk::parts(&[b"change#", &number.to_be_bytes()]) }
    }

    pub fn all_certificate_changes() -> Sk {
        Sk::text("change#")
    }

    /// What an authority fetches over HTTP.
    pub fn certificate_proof(token: &str) -> Key {
        Key { pk: certificates(), sk: Sk::text(&format!("http#{token}")) }
    }

    pub fn all_certificate_proofs() -> Sk {
        Sk::text("http#")
    }

    /// That an edge of the cell lives.
    pub fn edge(name: &str) -> Key {
        Key { pk: Pk::new("edges".to_owned()), sk: Sk::text(name) }
    }

    /// The list of tenants, for the operator.
    pub fn tenants() -> Pk {
        Pk::new("tenants".to_owned())
    }

    pub fn tenant_entry(name: &str) -> Key {
        Key { pk: tenants(), sk: Sk::text(name) }
    }
}

/// The rows and blobs of one tenant's organisation: itself, its domains, people, groups and audit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantScope {
    tenant: TenantId,
}

impl TenantScope {
    /// Only the directory calls this: for the operator, for an administrator who signed in, or for a resolved address.
    pub fn grant(tenant: TenantId) -> Self {
        Self { tenant }
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// `t#T`: the tenant's row, its domains and its data keys.
    pub fn organisation(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("t#{}", self.tenant)), sk }
    }

    /// `p#T#P`: a principal, its secrets and settings.
    pub fn principal(&self, principal: PrincipalId, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("p#{}#{principal}", self.tenant)), sk }
    }

    /// `g#T#G`: one row a member.
    pub fn member(&self, group: PrincipalId, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("g#{}#{group}", self.tenant)), sk }
    }

    /// `au#T#day`: acts, by their number.
    pub fn audit(&self, day: i64, number: u64) -> Key {
        Key { pk: Pk::new(format!("au#{}#{day}", self.tenant)), sk: Sk(number.to_be_bytes().to_vec()) }
    }

    /// `on#T`: answers to requests that may come again; with `exp`.
    pub fn once(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("on#{}", self.tenant)), sk }
    }

    /// `x#T#day`: the way of messages.
    pub fn trace(&self, day: i64, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("x#{}#{day}", self.tenant)), sk }
    }

    /// `u#T`: what its mailboxes used.
    pub fn usage(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("u#{}", self.tenant)), sk }
    }

    /// `o#T`: mail on its way to other hosts.
    pub fn outgoing(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("o#{}", self.tenant)), sk }
    }

    /// `rp#T`: what others reported about its domains.
    pub fn report(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("rp#{}", self.tenant)), sk }
    }

    /// `tf#T`: imports and exports.
    pub fn transfer(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("tf#{}", self.tenant)), sk }
    }

    /// `sb#T`: calendars that come from elsewhere.
    pub fn subscription(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("sb#{}", self.tenant)), sk }
    }

    pub fn blob(&self, acceptance: AcceptanceId) -> BlobKey {
        BlobKey::new(self.tenant, &acceptance.to_string())
    }
}

/// One account of one tenant, named without any right to it: for logs, wakes and caches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Account {
    pub tenant: TenantId,
    pub principal: PrincipalId,
}

/// The one kind of row that needs no right to the account: it says who wants wakes, and nothing of what is in there.
impl Account {
    /// `a#T#A`, for the rows that begin with [`Sk::watches`].
    pub fn watches(&self) -> Pk {
        account_pk(*self)
    }

    pub fn watch(&self, edge: &str) -> Key {
        Key { pk: account_pk(*self), sk: Sk::watch(edge) }
    }
}

fn account_pk(account: Account) -> Pk {
    Pk::new(format!("a#{}#{}", account.tenant, account.principal))
}

/// A ground on which somebody may have rights to single folders: what was granted to them, to a group that they are in, or to
/// everybody, by this commit of the owner's account or a later one. What was granted before is as if it had never been.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ground {
    pub to: Grantee,
    pub since: Modseq,
}

/// The right to one account's rows: who acts, on which account, and what they may do there: in all of its folders, or in those
/// alone whose own rows name one of the grounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    account: Account,
    viewer: PrincipalId,
    rights: Rights,
    grounds: Arc<[Ground]>,
    most: Rights,
    feeds: bool,
    pk: Pk,
}

impl Scope {
    /// Only the directory calls this, after a sign-in or from a job's header.
    pub fn grant(account: Account, viewer: PrincipalId, rights: Rights) -> Self {
        Self { account, viewer, rights, grounds: Arc::default(), most: Rights::ALL, feeds: false, pk: account_pk(account) }
    }

    /// The same for somebody to whom single folders were opened. The rights in each are in the folder's own row and are judged
    /// where it is read; `most` is what there may be at all.
    pub fn grant_folders(account: Account, viewer: PrincipalId, grounds: &[Ground], most: Rights) -> Self {
        Self { account, viewer, rights: Rights::NONE, grounds: grounds.into(), most, feeds: false, pk: account_pk(account) }
    }

    pub fn account(&self) -> Account {
        self.account
    }

    pub fn tenant(&self) -> TenantId {
        self.account.tenant
    }

    /// Whose sign-in this is; not the account's owner where a mailbox is shared.
    pub fn viewer(&self) -> PrincipalId {
        self.viewer
    }

    /// In every folder, and in the account as a whole.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Why there may be rights to single folders; none where there is a right to all.
    pub fn grounds(&self) -> &[Ground] {
        &self.grounds
    }

    /// The same for whoever brings what comes from elsewhere: it may also write to folders that are filled from there.
    #[must_use]
    pub fn feeding(self) -> Self {
        Self { feeds: true, ..self }
    }

    pub fn feeds(&self) -> bool {
        self.feeds
    }

    /// No right to a folder goes further.
    pub fn most(&self) -> Rights {
        self.most
    }

    pub fn pk(&self) -> &Pk {
        &self.pk
    }

    /// `a#T#A`
    pub fn key(&self, sk: Sk) -> Key {
        Key { pk: self.pk.clone(), sk }
    }

    pub fn blob(&self, acceptance: AcceptanceId) -> BlobKey {
        BlobKey::new(self.account.tenant, &acceptance.to_string())
    }

    /// A segment of a folder's checkpoint.
    pub fn segment(&self, id: AcceptanceId) -> BlobKey {
        BlobKey::new(self.account.tenant, &format!("k-{}-{id}", self.account.principal))
    }
}
