//! Finding people, groups, shared mailboxes and outside contacts by the beginnings of words. A search goes through the rows of one
//! word, the one that fewest begin with, and each of those rows says whether the other words fit too: it costs what matches.
//! What may stand inside of words is looked for in all rows, as far as that is bounded.

use crate::cards::CardKind;
use crate::rows::{Principal, Status, principal_of, sk};
use crate::words::{Asked, begins, change, entry_of, kind_of};
use crate::{Directory, DirectoryCard, access};
use penfold_ports::{Account, Query, Row, Sk, When, Write};
use penfold_types::{PrincipalId, Result, TenantId};
use std::collections::BTreeSet;
use std::time::Duration;

/// How words are kept; moves where what is there has to be indexed anew.
pub(crate) const VERSION: u64 = 1;
/// Rows by which it is found out which word is rare.
const SAMPLE: usize = 200;
/// Rows that one search looks at.
const LOOKED_AT: usize = 5_000;
/// The same where it looks inside of words: those of about two thousand entries.
const LOOKED_INTO: usize = 10_000;
/// Rows that are read at once.
const PAGE: usize = 500;
/// Entries that one search reads, because those before them did not fit.
const READ: usize = 1_000;
/// Entries of an older version that a search gives their words before it begins.
const AT_FIRST: usize = 1_000;
/// For how long it is believed that a tenant's entries have their words.
const INDEXED: Duration = Duration::from_secs(24 * 3600);

/// Entries that are called as is asked, each once.
struct Walk {
    /// One of these is enough.
    asked: Vec<Asked>,
    /// It is enough that the words stand inside of others.
    inside: bool,
    query: Query,
    /// Read already.
    ready: Vec<(Sk, Row)>,
    seen: BTreeSet<PrincipalId>,
    left: usize,
    /// The range was read to its end.
    over: bool,
}

impl Walk {
    async fn begin(directory: &Directory, tenant: TenantId, asked: Asked) -> Result<Option<Self>> {
        let mut best: Option<Self> = None;
        for word in &asked.words {
            let prefix = begins(word);
            let mut query = Query::prefix(access::organisation(tenant).organisation(prefix.clone()).pk().clone(), &prefix);
            query.limit = SAMPLE;
            let page = directory.store().query(&query).await?;
            if let Some((last, _)) = page.rows.last() {
                query.from = last.successor();
            }
            // Of words that many begin with the longest is taken for the rarest.
            let rank = |walk: &Self| if walk.over { (0, walk.ready.len()) } else { (1, usize::MAX - walk.query.from.as_bytes().len()) };
            let own = Self {
                asked: vec![asked.clone()],
                inside: false,
                query: Query { limit: PAGE, ..query },
                left: LOOKED_AT.saturating_sub(page.rows.len()),
                ready: page.rows,
                seen: BTreeSet::new(),
                over: !page.more,
            };
            if best.as_ref().is_none_or(|best| rank(&own) < rank(best)) {
                best = Some(own);
            }
            if best.as_ref().is_some_and(|best| best.over && best.ready.is_empty()) {
                break;
            }
        }
        Ok(best)
    }

    /// Through all words that there are, as far as that is bounded.
    fn inside(tenant: TenantId, mut asked: Vec<Asked>) -> Self {
        asked.retain(|asked| !asked.words.is_empty());
        let prefix = begins("");
        let query = Query::prefix(access::organisation(tenant).organisation(prefix.clone()).pk().clone(), &prefix);
        let over = asked.is_empty();
        Self {
            asked,
            inside: true,
            query: Query { limit: PAGE, ..query },
            ready: Vec::new(),
            seen: BTreeSet::new(),
            left: LOOKED_INTO,
            over,
        }
    }

    /// The next of them; nothing at the end, or where enough was looked at.
    async fn next(&mut self, directory: &Directory) -> Result<Option<Vec<(PrincipalId, CardKind)>>> {
        let mut rows = std::mem::take(&mut self.ready);
        if rows.is_empty() {
            if self.over || self.left == 0 {
                return Ok(None);
            }
            let page = directory.store().query(&self.query).await?;
            self.over = !page.more;
            self.left = self.left.saturating_sub(page.rows.len().max(1));
            if let Some((last, _)) = page.rows.last() {
                self.query.from = last.successor();
            }
            rows = page.rows;
        }
        let mut found = Vec::new();
        for (key, row) in &rows {
            let words = row.str("w").unwrap_or_default();
            let (Some(id), Some(kind)) = (entry_of(key), kind_of(row)) else { continue };
            let fits = |asked: &Asked| if self.inside { asked.stands_in(words.split(' ')) } else { asked.fits(words.split(' ')) };
            if self.asked.iter().any(fits) && self.seen.insert(id) {
                found.push((id, CardKind::of(kind)));
            }
        }
        Ok(Some(found))
    }
}

impl Directory {
    /// Whom `fits` picks among people, groups and shared mailboxes that are called by `words`: by all of them, or by one where that
    /// is enough (`any`). Each word is the beginning of one of theirs, or stands `inside` of it. At most `limit`, and whether there are more.
    pub async fn search_cards(
        &self,
        tenant: TenantId,
        words: &[&str],
        (any, inside): (bool, bool),
        limit: usize,
        fits: impl Fn(&DirectoryCard) -> bool + Send,
    ) -> Result<(Vec<DirectoryCard>, bool)> {
        let asked = if any { words.iter().map(|word| Asked::read(word)).collect() } else { vec![Asked::read(&words.join(" "))] };
        self.search(tenant, (asked, inside), limit, move |card| card.kind != CardKind::Contact && fits(card)).await
    }

    /// Everybody in the organisation's directory, outside contacts too, who is called by what somebody typed.
    pub async fn find_cards(&self, tenant: TenantId, text: &str, limit: usize) -> Result<(Vec<DirectoryCard>, bool)> {
        self.search(tenant, (vec![Asked::read(text)], false), limit, |_| true).await
    }

    /// The same, for several texts any of which is enough, and where whoever asks looks at the entries themselves.
    pub async fn find_any(
        &self,
        tenant: TenantId,
        texts: &[&str],
        limit: usize,
        fits: impl Fn(&DirectoryCard) -> bool + Send,
    ) -> Result<(Vec<DirectoryCard>, bool)> {
        self.search(tenant, (texts.iter().map(|text| Asked::read(text)).collect(), false), limit, fits).await
    }

    async fn search(
        &self,
        tenant: TenantId,
        (asked, inside): (Vec<Asked>, bool),
        limit: usize,
        fits: impl Fn(&DirectoryCard) -> bool + Send,
    ) -> Result<(Vec<DirectoryCard>, bool)> {
        self.have_words(tenant).await?;
        let mut once: Vec<Asked> = Vec::new();
        asked.into_iter().for_each(|asked| {
            if !once.contains(&asked) {
                once.push(asked)
            }
        });
        // One each, and then one for all that looks inside: whoever is called so comes first.
        let walks = once.iter().map(Some).chain(inside.then_some(None));
        let (mut found, mut more): (Vec<DirectoryCard>, bool) = (Vec::new(), false);
        let (mut known, mut read) = (BTreeSet::new(), 0);
        for one in walks {
            // Contacts are elsewhere; of everybody else an address has to be in a domain of the tenant.
            let mut at_home = false;
            for asked in one.map_or(once.as_slice(), std::slice::from_ref) {
                at_home = at_home || self.has_domains(tenant, &asked.domains).await?;
            }
            let walk = match one {
                Some(asked) => Walk::begin(self, tenant, asked.clone()).await?,
                None => Some(Walk::inside(tenant, once.clone())),
            };
            let Some(mut walk) = walk else { continue };
            while let Some(hits) = walk.next(self).await? {
                let hits: Vec<_> =
                    hits.into_iter().filter(|(id, kind)| (at_home || *kind == CardKind::Contact) && known.insert(*id)).collect();
                for some in hits.chunks(100) {
                    read += some.len();
                    let called = |card: &DirectoryCard| walk.asked.iter().any(|asked| card.may_be_in(&asked.domains));
                    found.extend(self.cards_of(tenant, some).await?.into_iter().filter(|card| called(card) && fits(card)));
                    if found.len() > limit {
                        found.truncate(limit);
                        return Ok((found, true));
                    }
                    if read >= READ {
                        return Ok((found, true));
                    }
                }
            }
            more |= !walk.over;
        }
        Ok((found, more))
    }

    async fn has_domains(&self, tenant: TenantId, begun: &[String]) -> Result<bool> {
        for begin in begun {
            let prefix = Sk::text(&format!("domain#{begin}"));
            let mut query = Query::prefix(access::organisation(tenant).organisation(prefix.clone()).pk().clone(), &prefix);
            query.limit = 1;
            if self.store().query(&query).await?.rows.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Before a search: what an older version wrote gets its words, as far as that can be waited for.
    async fn have_words(&self, tenant: TenantId) -> Result<()> {
        let now = self.env().monotonic();
        if self.inner.worded.get(&tenant, now).is_some() {
            return Ok(());
        }
        let key = access::organisation(tenant).organisation(sk::words());
        let row = self.store().get(&key).await?;
        let done = row.as_ref().and_then(|row| row.u64("v")) == Some(VERSION);
        let from = row.and_then(|row| row.bytes("p").map(|bytes| Sk::from_stored(bytes)));
        if done || self.give_words(tenant, from, AT_FIRST).await? {
            self.inner.worded.put(tenant, (), now + INDEXED);
        }
        Ok(())
    }

    /// For upkeep: gives their words to all who have none, whoever wrote them.
    pub async fn complete_words(&self, tenant: TenantId) -> Result<()> {
        self.give_words(tenant, None, usize::MAX).await.map(|_| ())
    }

    /// From a place in the list of names, to as many as are still to be looked at; true at its end. Where it stopped is kept.
    async fn give_words(&self, tenant: TenantId, from: Option<Sk>, most: usize) -> Result<bool> {
        let key = access::organisation(tenant).organisation(sk::words());
        let (first, end) = sk::everybody();
        let mut query = Query { pk: key.pk().clone(), from: from.unwrap_or(first), to: Some(end), limit: 100, reverse: false };
        let mut looked_at = 0;
        loop {
            let page = self.store().query(&query).await?;
            let primary = page.rows.iter().filter(|(_, row)| row.u64("al") != Some(1));
            let ids = primary.map(|(_, row)| principal_of(row)).collect::<Result<Vec<_>>>()?;
            for (id, own) in self.principals_now(tenant, &ids).await? {
                if own.words.is_none() && own.status != Status::Deleting {
                    self.give_one(Account { tenant, principal: id }, &own).await?;
                }
            }
            looked_at += page.rows.len();
            match page.rows.last() {
                Some((last, _)) if page.more => query.from = last.successor(),
                _ => {
                    // Mostly it says so already.
                    if self.store().get(&key).await?.and_then(|row| row.u64("v")) != Some(VERSION) {
                        self.store().put(Write::put(key, Row::new().with("v", VERSION))).await?;
                    }
                    return Ok(true);
                }
            }
            if looked_at >= most {
                self.store().put(Write::put(key, Row::new().with("p", query.from.as_bytes().to_vec()))).await?;
                return Ok(false);
            }
        }
    }

    async fn give_one(&self, account: Account, own: &Principal) -> Result<()> {
        let aliases = self.addresses(account).await?.split_off(1);
        let scope = access::organisation(account.tenant);
        let change = change(&scope, account.principal, own.kind.number(), None, &own.own_words(&aliases));
        let mut still = vec![("lv".into(), 1u64.into())];
        if own.revision > 0 {
            still.push(("rv".into(), own.revision.into()));
        }
        // Who changes it at the same time has not seen these words.
        let set = vec![("wd".into(), change.stored.into()), ("rv".into(), own.revision.saturating_add(1).into())];
        let key = scope.principal(account.principal, sk::principal());
        let mut writes = vec![Write::Update { key, set, remove: vec![], when: When::Equal(still) }];
        writes.extend(change.writes);
        match self.store().commit(writes).await {
            // Whoever was faster wrote them.
            Err(crate::store::Refused::Condition(_)) => Ok(()),
            done => Ok(done?),
        }
    }
}
