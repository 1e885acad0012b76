//! An organisation on a world of ports, and processes that serve it.

use bytes::Bytes;
use penfold_directory::{Cheap, Directory, NewGroup, NewPerson, Options, PostPolicy, SignedIn};
use penfold_formats::mime::summarise;
use penfold_mailbox::{Delivery, Keywords, Mailbox, Mailboxes, Place, Role};
use penfold_ports::{Account, World};
use penfold_transport::Origin;
use penfold_types::{AcceptanceId, Address, FolderId, Kind, Result};
use std::sync::Arc;

/// A directory with its own caches, and a hasher that a simulation can afford.
pub fn directory(world: &World) -> Directory {
    Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), quota: 1 << 34, ..Options::default() })
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Asks again while the store is busy; what was done already counts as done.
pub async fn insist<T, F: Future<Output = Result<T>>>(world: &World, mut work: impl FnMut() -> F) -> Result<T> {
    for _ in 0..60 {
        match work().await {
            Err(error) if error.kind() == Kind::Retry => world.env.sleep_jittered(std::time::Duration::from_millis(200)).await,
            answer => return answer,
        }
    }
    work().await
}

pub async fn person(world: &World, directory: &Directory, tenant: &str, mail: &str, password: Option<&str>) -> Account {
    let operator = directory.operator();
    let address = address(mail);
    insist(world, || operator.ensure_tenant(tenant)).await.unwrap();
    insist(world, || operator.ensure_domain(tenant, address.domain())).await.unwrap();
    let new = NewPerson { address: address.clone(), name: mail.to_owned(), password: password.map(str::to_owned), quota: None };
    insist(world, || operator.ensure_person(&new)).await.unwrap().0
}

pub async fn group(directory: &Directory, mail: &str, members: &[Address]) -> Account {
    let operator = directory.operator();
    let new = NewGroup { address: address(mail), name: mail.to_owned(), who_may_post: PostPolicy::Anyone };
    let group = operator.create_group(&new).await.unwrap();
    operator.add_members(&address(mail), members).await.unwrap();
    group
}

/// What accepting a message makes of it, for the suites that need no transport.
pub async fn accepted(mailboxes: &Mailboxes, world: &World, account: Account, message: Bytes) -> Delivery {
    let summary = summarise(&message).encode().into();
    let acceptance = AcceptanceId::new(&world.env);
    let blob = mailboxes.put_blob(account.tenant, acceptance, vec![message]).await.unwrap();
    let prefix = "Return-Path: <margarethe.lindqvist@example.com>\r\nReceived: from edge7.relay.example.net (edge7.relay.example.net [203.0.113.7])\r\n\tby mx.penfold.test (Penfold) with ESMTPS id 01jdrdla00fdnbiv3ari64g286\r\n\tfor <ann@acme.test>; Wed, 25 Nov 2026 17:40:02 +0000\r\n";
    Delivery { blob, prefix: prefix.into(), summary, received: world.env.now(), place: Place::Role(Role::Inbox), keywords: Keywords::NONE }
}

pub async fn folder(mailbox: &Mailbox, path: &str) -> FolderId {
    mailbox.folders().await.unwrap().find(path).unwrap().id
}

/// Somebody at another host whose word is taken, or who signed in.
pub fn origin(submitter: Option<SignedIn>) -> Origin {
    Origin { helo: "x.test".into(), peer: [192, 0, 2, 1].into(), esmtp: true, tls: true, utf8: false, trusted: true, submitter }
}
