//! A tenant's secret is in no backup of the rest: once it is destroyed, nothing of the tenant opens from a backup either.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use penfold_directory::Directory;
use penfold_domains::{Algorithm, Domains};
use penfold_embedded::{Options, Ports};
use penfold_mailbox::{Blob, Mailboxes};
use penfold_ports::{Account, World};
use penfold_tests::town::{accepted, address, directory, folder, person};
use penfold_types::{Domain, Env, Error, Kind};
use penfold_upkeep::Upkeep;
use std::fs;
use std::path::Path;

const LETTER: &[u8] = b"Subject: a word\r\n\r\nfor your eyes only\r\n";

struct House {
    ports: Ports,
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
}

fn open(dir: &Path) -> House {
    let ports = penfold_embedded::open(Env::system(), dir, Options::default()).unwrap();
    let world = ports.world(Env::system());
    let directory = directory(&world);
    House { mailboxes: Mailboxes::new(world.clone(), directory.clone()), ports, world, directory }
}

/// Somebody with a mail, in a domain that signs.
struct Resident {
    account: Account,
    domain: Domain,
    blob: Blob,
}

impl House {
    async fn resident(&self, tenant: &str, mail: &str) -> Resident {
        let account = person(&self.world, &self.directory, tenant, mail, None).await;
        let domain = address(mail).domain().clone();
        self.domains().ensure(account.tenant, &domain).await.unwrap();
        let mailbox = self.mailboxes.open(&self.directory.job_scope(account)).await.unwrap();
        let delivery = accepted(&self.mailboxes, &self.world, account, Bytes::from_static(LETTER)).await;
        let blob = delivery.blob;
        mailbox.deliver(&[delivery]).await.unwrap();
        Resident { account, domain, blob }
    }

    fn domains(&self) -> Domains {
        Domains::with_algorithms(&self.world, self.directory.clone(), &[Algorithm::Ed25519Sha256])
    }

    /// With everybody in it.
    async fn remove(&self, zoe: &Resident) {
        let operator = self.directory.operator();
        operator.delete_person(&address("zoe@zeta.test")).await.unwrap();
        operator.remove_domain(zoe.account.tenant, &zoe.domain).await.unwrap();
        operator.remove_tenant("zeta").await.unwrap();
    }

    async fn upkeep(&self) {
        let (world, directory, mailboxes) = (self.world.clone(), self.directory.clone(), self.mailboxes.clone());
        Upkeep { world, directory, domains: self.domains(), mailboxes, retention_days: 30 }.round(true).await.unwrap();
    }

    /// The blob, the summary, the list's digest, the key that signs; each as a new process finds it.
    async fn looks(&self, resident: &Resident) -> [Result<bool, Error>; 4] {
        let Resident { account, domain, blob } = resident;
        let mailbox = self.mailboxes.open(&self.directory.job_scope(*account)).await.unwrap();
        let inbox = folder(&mailbox, "INBOX").await;
        let item = mailbox.index(inbox).await.unwrap().iter().next().expect("the row is there").item;
        [
            self.mailboxes.blob(account.tenant, *blob).await.map(|bytes| bytes == LETTER),
            mailbox.contents(&[item]).await.map(|found| found[0].is_some()),
            mailbox.newest(inbox, 1).await.map(|found| found[0].1.subject == "a word"),
            self.directory.domain_keys(account.tenant, domain).await.map(|keys| keys.len() == 1),
        ]
    }

    async fn assert_reads(&self, resident: &Resident) {
        assert!(self.looks(resident).await.into_iter().all(|look| look.unwrap()));
    }

    async fn assert_cannot_read(&self, resident: &Resident) {
        for look in self.looks(resident).await {
            assert_eq!(look.unwrap_err().kind(), Kind::NotFound);
        }
    }
}

fn copy(from: &Path, to: &Path, but: &str) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        } else if path.is_dir() && name != but {
            copy(&path, &to.join(name), but);
        }
    }
}

#[tokio::test]
async fn a_backup_with_the_master_key_opens_nothing_of_a_tenant_that_was_removed() {
    let (live, backup, early) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let house = open(live.path());
    let ann = house.resident("acme", "ann@acme.test").await;
    let zoe = house.resident("zeta", "zoe@zeta.test").await;
    house.directory.operator().rotate_data_key("zeta").await.unwrap();
    house.ports.close();
    drop(house);
    // As one is told to: all but the secrets. To compare with, also as one is told not to.
    copy(live.path(), backup.path(), "secrets");
    copy(live.path(), early.path(), "");
    assert!(backup.path().join("master.key").exists() && !backup.path().join("secrets").exists());

    let house = open(live.path());
    house.remove(&zoe).await;
    house.assert_reads(&ann).await;
    house.ports.close();
    drop(house);

    copy(&live.path().join("secrets"), &backup.path().join("secrets"), "");
    let restored = open(backup.path());
    assert!(restored.directory.operator().tenant("zeta").await.is_ok(), "its rows are in the backup");
    restored.assert_cannot_read(&zoe).await;
    restored.assert_reads(&ann).await;
    // It is in nobody's way, and is removed once more.
    restored.upkeep().await;
    restored.remove(&zoe).await;
    restored.upkeep().await;
    restored.assert_reads(&ann).await;
    restored.ports.close();

    open(early.path()).assert_reads(&zoe).await;
}
