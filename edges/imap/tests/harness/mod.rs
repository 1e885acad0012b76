//! One server over simulated ports on virtual time, and what a test needs to set it up.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod player;

use bytes::Bytes;
use penfold_directory::{Cheap, Directory, NewGroup, NewPerson, NewShared, Options as DirectoryOptions, PostPolicy};
use penfold_imap::{Options, Server, connection};
use penfold_mailbox::{Keywords, Mailbox, Mailboxes, NewMessage, RightsChange};
use penfold_ports::{Rights, Turns};
use penfold_simulated::{Faults, Simulated};
use penfold_types::Address;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;

pub struct World {
    /// The clock, and the ports where they are not the cloud's.
    pub simulated: Simulated,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub server: Arc<Server>,
    stop: watch::Sender<bool>,
}

pub const PASSWORD: &str = "secret";

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

impl World {
    pub async fn new(seed: u64, change: impl FnOnce(&mut Options)) -> Self {
        let simulated = Simulated::new(seed, Faults::NONE);
        let world = simulated.world();
        Self::on(simulated, world, change).await
    }

    /// Tenants `a.test` and `b.test`, with ada and bob in the one and eve in the other, on whatever ports.
    pub async fn on(simulated: Simulated, world: penfold_ports::World, change: impl FnOnce(&mut Options)) -> Self {
        let options = DirectoryOptions { hasher: Arc::new(Cheap), ..DirectoryOptions::default() };
        let directory = Directory::with_options(world.clone(), options);
        let operator = directory.operator();
        for tenant in ["a", "b"] {
            operator.create_tenant(tenant).await.expect("a tenant");
            operator.create_domain(tenant, &format!("{tenant}.test").parse().expect("a domain")).await.expect("a domain");
        }
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        // One place for all: who held it while waiting for something else would be found out.
        let mut options = Options { turns: Turns::new(1), ..Options::default() };
        change(&mut options);
        let server = Server::new(simulated.env(), directory.clone(), mailboxes.clone(), options);
        let (stop, _) = watch::channel(false);
        let made = Self { simulated, directory, mailboxes, server, stop };
        for person in ["ada@a.test", "bob@a.test", "eve@b.test"] {
            made.person(person).await;
        }
        made
    }

    pub async fn person(&self, who: &str) {
        let new = NewPerson { address: address(who), name: who.to_owned(), password: Some(PASSWORD.to_owned()), quota: None };
        self.directory.operator().create_person(&new).await.expect("a person");
    }

    pub async fn quota(&self, who: &str, bytes: u64) {
        let change = penfold_directory::PersonChange { quota: Some(penfold_directory::Quota::Bytes(bytes)), ..Default::default() };
        self.directory.operator().update_person(&address(who), &change).await.expect("a quota");
    }

    pub async fn shared(&self, of: &str, members: &[&str]) {
        let operator = self.directory.operator();
        operator.create_shared(&NewShared { address: address(of), name: of.to_owned(), quota: None }).await.expect("a shared mailbox");
        let members: Vec<Address> = members.iter().map(|m| address(m)).collect();
        operator.add_shared_members(&address(of), &members).await.expect("members");
    }

    pub async fn unshare(&self, of: &str, member: &str) {
        self.directory.operator().remove_shared_member(&address(of), &address(member)).await.expect("no member");
    }

    pub async fn group(&self, of: &str, members: &[&str]) {
        let operator = self.directory.operator();
        let new = NewGroup { address: address(of), name: of.to_owned(), who_may_post: PostPolicy::Inside };
        operator.create_group(&new).await.expect("a group");
        let members: Vec<Address> = members.iter().map(|m| address(m)).collect();
        operator.add_members(&address(of), &members).await.expect("members");
    }

    /// Out of a group, or a group or person out of the world.
    pub async fn remove(&self, of: &str, member: Option<&str>) {
        let operator = self.directory.operator();
        match member {
            Some(member) => operator.remove_member(&address(of), &address(member)).await.expect("no member"),
            None if operator.delete_group(&address(of)).await.is_ok() => {}
            None => operator.delete_person(&address(of)).await.expect("nobody"),
        }
    }

    /// By the owner.
    pub async fn grant(&self, of: &str, folder: &str, to: &str, letters: &str) {
        let mailbox = self.mailbox(of).await;
        let folder = mailbox.folders().await.expect("folders").find(folder).expect("a folder").id;
        let to = self.directory.grantee(mailbox.scope().tenant(), to).await.expect("somebody");
        let change = RightsChange::Set(Rights::read(letters).expect("rights"));
        mailbox.set_rights(folder, to, change, of, None, false).await.expect("granted");
    }

    pub async fn mailbox(&self, of: &str) -> Mailbox {
        let scope = self.directory.operator().open_mailbox(&address(of), "a test").await.expect("a scope");
        self.mailboxes.open(&scope).await.expect("a mailbox")
    }

    pub async fn append(&self, of: &str, folder: &str, flags: &[&str], received: Option<(i64, i16)>, bytes: Vec<u8>) {
        let mailbox = self.mailbox(of).await;
        let folders = mailbox.folders().await.expect("folders");
        let folder = match folders.find(folder) {
            Some(folder) => folder.id,
            None => mailbox.create_folder(folder, None).await.expect("a folder"),
        };
        let keywords = Keywords::parse(flags.iter().copied()).expect("keywords");
        let message = NewMessage { bytes: Bytes::from(bytes), keywords, received };
        mailbox.append(folder, vec![message]).await.expect("appended");
    }

    /// Into a folder that is there.
    pub async fn append_many(&self, of: &str, folder: &str, messages: Vec<Vec<u8>>) {
        let mailbox = self.mailbox(of).await;
        let folder = mailbox.folders().await.expect("folders").find(folder).expect("a folder").id;
        for some in messages.chunks(penfold_mailbox::APPEND_LIMIT) {
            let new = |bytes: &Vec<u8>| NewMessage { bytes: Bytes::from(bytes.clone()), keywords: Keywords::NONE, received: None };
            mailbox.append(folder, some.iter().map(new).collect()).await.expect("appended");
        }
    }

    pub fn connect(&self, peer: IpAddr, room: usize) -> Client {
        let (ours, theirs) = tokio::io::duplex(room);
        tokio::spawn(connection(self.server.clone(), theirs, peer, false, self.stop.subscribe()));
        Client { wire: ours, buf: Vec::new() }
    }

    pub fn local(&self) -> Client {
        self.connect(IpAddr::V4(Ipv4Addr::LOCALHOST), 1 << 20)
    }

    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }
}

/// One connection.
pub struct Client {
    wire: DuplexStream,
    buf: Vec<u8>,
}

impl Client {
    /// The bare connection, for a handshake.
    pub fn into_wire(self) -> DuplexStream {
        self.wire
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        // A server that has said BYE reads no more.
        let _ = self.wire.write_all(bytes).await;
    }

    /// The next line without its line break; `None` at the end of the connection.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buf.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buf.drain(..=end).collect();
                let line = line.strip_suffix(b"\r\n").map_or_else(|| panic!("a bare LF: {line:?}"), <[u8]>::to_vec);
                return Some(line.iter().map(|b| char::from(*b)).collect::<String>())
                    .map(|latin| String::from_utf8(line.clone()).unwrap_or(latin));
            }
            let mut space = [0; 65536];
            match tokio::time::timeout(Duration::from_secs(7200), self.wire.read(&mut space)).await {
                Ok(Ok(0) | Err(_)) => return None,
                Ok(Ok(n)) => self.buf.extend_from_slice(&space[..n]),
                Err(_) => panic!("nothing came"),
            }
        }
    }

    /// Nothing comes for a while.
    pub async fn silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(2), self.line()).await.is_err()
    }

    /// Sends a command and gives back its answer, the tagged line last.
    pub async fn command(&mut self, tag: &str, command: &str) -> Vec<String> {
        self.send(format!("{tag} {command}\r\n").as_bytes()).await;
        let mut lines = Vec::new();
        loop {
            let line = self.line().await.unwrap_or_else(|| panic!("closed during {command}: {lines:?}"));
            let done = line.starts_with(&format!("{tag} "));
            lines.push(line);
            if done {
                return lines;
            }
        }
    }

    pub async fn ok(&mut self, tag: &str, command: &str) -> Vec<String> {
        let lines = self.command(tag, command).await;
        assert!(lines.last().is_some_and(|line| line.starts_with(&format!("{tag} OK"))), "{command}: {lines:?}");
        lines
    }

    pub async fn login(&mut self, who: &str) {
        self.line().await;
        self.ok("login", &format!("LOGIN {who} {PASSWORD}")).await;
    }
}
