//! Deleting a principal. First it is marked, so that nothing is added to it any more and nobody signs in; then its rows go
//! in commits of their own; last its addresses and its own row. Whatever stops it, doing it again goes on.

use super::Operator;
use super::aliases::alias_removal;
use super::principals::act;
use super::restore::gone_row;
use super::roles::role_groups;
use crate::access;
use crate::rows::{Principal, PrincipalKind, Status, rest, sk};
use crate::words;
use penfold_ports::{Account, Query, Sk, When, Write, shared};
use penfold_types::{Address, PrincipalId, Result};
use std::collections::BTreeSet;

const CHUNK: usize = 90;

impl Operator {
    pub(super) async fn delete_principal(&self, address: &Address, kind: PrincipalKind) -> Result<()> {
        let (account, principal) = self.find_kind(address, kind).await?;
        self.delete_found(account, &principal, None).await
    }

    /// `guard` is written with the mark.
    pub(super) async fn delete_found(&self, account: Account, principal: &Principal, guard: Option<Write>) -> Result<()> {
        let kind = principal.kind;
        self.mark_deleted(account, principal, guard).await?;
        if self.rehearses {
            return Ok(());
        }
        let store = self.directory.store();
        self.directory.forget_principal(account);
        self.delete_members(account, kind).await?;
        self.delete_own_rows(account, kind).await?;
        let scope = access::organisation(account.tenant);
        let mine = When::Equal(vec![("p".into(), account.principal.as_bytes().into())]);
        let mut last = vec![
            Write::Delete { key: shared::route(&principal.address), when: mine },
            Write::delete(scope.organisation(sk::name(kind, &principal.address))),
            Write::delete(self.principal_key(account)),
        ];
        if principal.group.dynamic {
            last.push(Write::delete(scope.organisation(sk::filter(account.principal))));
        }
        last.extend(role_groups(&principal.roles).map(|group| Write::delete(scope.member(group, sk::role_holder(account.principal)))));
        store.commit(last).await?;
        self.directory.forget_principal(account);
        self.directory.forget_routes();
        Ok(())
    }

    /// From here on it is not there for anybody. What is kept of it is what it is at this moment.
    async fn mark_deleted(&self, account: Account, principal: &Principal, guard: Option<Write>) -> Result<()> {
        self.expects(principal.revision)?;
        let mut set = vec![
            ("st".into(), Status::Deleting.number().into()),
            ("lv".into(), 0u64.into()),
            ("sv".into(), principal.secret_version.saturating_add(1).into()),
        ];
        let act = self.act(account.tenant, act(principal.kind, "delete"), &principal.address.to_string(), &principal.name);
        if principal.status == Status::Deleting {
            let mark = Write::Update { key: self.principal_key(account), set, remove: vec![], when: When::Present };
            return Ok(self.commit(vec![mark], act).await?);
        }
        let scope = access::organisation(account.tenant);
        let words = words::change(&scope, account.principal, principal.kind.number(), principal.words.as_deref(), &BTreeSet::new());
        set.push(("wd".into(), words.stored.into()));
        let mut writes = vec![self.principal_update(account, principal, set, vec![])?];
        writes.extend(words.writes);
        writes.extend(guard);
        if principal.kind != PrincipalKind::Group {
            // The mailbox itself: the sweep marks its head destroyed, removes its rows and then this one; until then it can
            // be restored.
            let gone = gone_row(principal, &self.aliases(account).await?, self.directory.env().now());
            writes.push(Write::put(scope.organisation(sk::gone(account.principal)), gone));
        }
        Ok(self.commit(writes, act).await?)
    }

    /// Those who are in it, with their own rows about it, those who are named, and those who write in its name.
    async fn delete_members(&self, account: Account, kind: PrincipalKind) -> Result<()> {
        let scope = access::organisation(account.tenant);
        let pk = scope.member(account.principal, Sk::text("m#")).pk().clone();
        loop {
            let query = Query { pk: pk.clone(), from: Sk::text("a"), to: None, limit: CHUNK / 2, reverse: false };
            let page = self.directory.store().query(&query).await?;
            if page.rows.is_empty() {
                return Ok(());
            }
            let mut writes = Vec::with_capacity(CHUNK);
            for (key, _) in page.rows {
                if let Some(member) = rest(&key, "m#").and_then(PrincipalId::from_slice) {
                    writes.push(Write::delete(scope.principal(member, sk::membership(kind, account.principal))));
                }
                // Owners, and those who ask.
                for (begins, theirs) in [("a#", sk::owned(account.principal)), ("j#", sk::asked(account.principal))] {
                    if let Some(person) = rest(&key, begins).and_then(PrincipalId::from_slice) {
                        writes.push(Write::delete(scope.principal(person, theirs)));
                    }
                }
                writes.push(Write::delete(scope.member(account.principal, key)));
            }
            self.directory.store().commit(writes).await?;
        }
    }

    /// Secrets, aliases and memberships.
    async fn delete_own_rows(&self, account: Account, kind: PrincipalKind) -> Result<()> {
        let scope = access::organisation(account.tenant);
        let pk = scope.principal(account.principal, sk::principal()).pk().clone();
        let rows =
            self.directory.store().query_all(&Query { pk, from: Sk::text("a"), to: None, limit: usize::MAX, reverse: false }).await?;
        let mut writes = Vec::new();
        for (key, row) in rows {
            if writes.len() + 3 > CHUNK {
                self.directory.store().commit(std::mem::take(&mut writes)).await?;
            }
            let container = |prefix| rest(&key, prefix).and_then(PrincipalId::from_slice);
            if let Some(alias) = rest(&key, "alias#").and_then(|_| row.str("a")).and_then(|text| text.parse().ok()) {
                writes.extend(alias_removal(account, kind, &alias));
            } else if key != sk::principal() {
                if let Some(container) = container("in#g#").or_else(|| container("in#s#")) {
                    writes.push(Write::delete(scope.member(container, sk::member(account.principal))));
                }
                for (begins, its) in [("owns#", sk::owner(account.principal)), ("asks#", sk::asker(account.principal))] {
                    if let Some(group) = container(begins) {
                        writes.push(Write::delete(scope.member(group, its)));
                    }
                }
                writes.push(Write::delete(scope.principal(account.principal, key)));
            }
        }
        if writes.is_empty() { Ok(()) } else { Ok(self.directory.store().commit(writes).await?) }
    }
}
