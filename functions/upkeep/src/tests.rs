use super::*;
use bytes::Bytes;
use penfold_directory::{Cheap, NewPerson, Options};
use penfold_mailbox::NewMessage;
use penfold_ports::{Account, BlobKey, Query, Sk, World};
use penfold_simulated::{Faults, Simulated};
use std::sync::Arc;

struct House {
    world: World,
    upkeep: Upkeep,
}

fn house() -> House {
    let world = Simulated::new(7, Faults::NONE).world();
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let domains = Domains::with_algorithms(&world, directory.clone(), &[penfold_domains::Algorithm::Ed25519Sha256]);
    House { upkeep: Upkeep { world: world.clone(), directory, domains, mailboxes, retention_days: 30 }, world }
}

impl House {
    async fn person(&self, address: &str) -> Account {
        let new = NewPerson { address: address.parse().unwrap(), name: address.to_owned(), password: None, quota: None };
        self.upkeep.directory.operator().create_person(&new).await.unwrap()
    }

    async fn tenant(&self, name: &str, domain: &str) {
        let operator = self.upkeep.directory.operator();
        operator.create_tenant(name).await.unwrap();
        operator.create_domain(name, &domain.parse().unwrap()).await.unwrap();
    }

    async fn mail(&self, account: Account) {
        let mailbox = self.upkeep.mailboxes.open(&self.upkeep.directory.job_scope(account)).await.unwrap();
        let inbox = mailbox.folders().await.unwrap().find("INBOX").unwrap().id;
        let message = NewMessage { bytes: Bytes::from_static(b"Subject: x\r\n\r\nx\r\n"), keywords: Default::default(), received: None };
        mailbox.append(inbox, vec![message]).await.unwrap();
    }

    async fn rows(&self, account: Account) -> usize {
        let pk = self.upkeep.directory.job_scope(account).pk().clone();
        let query = Query { pk, from: Sk::text(""), to: None, limit: usize::MAX, reverse: false };
        self.world.table.query_all(query).await.unwrap().len()
    }

    async fn blobs(&self, tenant: TenantId) -> Vec<BlobKey> {
        self.world.blobs.list(tenant, None).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_person_s_mailbox_stays_for_a_month_and_then_goes() {
    let house = house();
    house.tenant("One", "one.test").await;
    let (ann, bob) = (house.person("ann@one.test").await, house.person("bob@one.test").await);
    house.mail(ann).await;
    house.mail(bob).await;
    house.upkeep.directory.operator().delete_person(&"ann@one.test".parse().unwrap()).await.unwrap();
    house.world.env.sleep(KEPT - DAY).await;
    house.upkeep.round(true).await.unwrap();
    assert!(house.rows(ann).await > 1);
    assert_eq!(house.blobs(ann.tenant).await.len(), 2, "what could be brought back is not swept");
    house.world.env.sleep(DAY * 2).await;
    house.upkeep.round(true).await.unwrap();
    assert_eq!(house.rows(ann).await, 1, "the head that says so");
    assert_eq!(house.blobs(ann.tenant).await.len(), 1);
    assert!(house.upkeep.directory.gone_accounts(ann.tenant).await.unwrap().is_empty());
    let late = house.upkeep.mailboxes.open(&house.upkeep.directory.job_scope(ann)).await;
    assert_eq!(late.err().map(|error| error.kind()), Some(penfold_types::Kind::NotFound), "a late job does not make it anew");
    assert!(house.rows(bob).await > 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_removed_tenant_nothing_stays_but_heads() {
    let house = house();
    house.tenant("One", "one.test").await;
    let ann = house.person("ann@one.test").await;
    house.mail(ann).await;
    let operator = house.upkeep.directory.operator();
    operator.delete_person(&"ann@one.test".parse().unwrap()).await.unwrap();
    operator.remove_domain(ann.tenant, &"one.test".parse().unwrap()).await.unwrap();
    operator.remove_tenant("One").await.unwrap();
    house.upkeep.round(false).await.unwrap();
    assert_eq!(house.rows(ann).await, 1);
    assert_eq!(house.upkeep.directory.gone_tenants().await.unwrap(), [ann.tenant], "its blobs are too young yet");
    house.world.env.sleep(DAY * 16).await;
    house.upkeep.round(false).await.unwrap();
    assert!(house.blobs(ann.tenant).await.is_empty());
    assert!(house.upkeep.directory.gone_tenants().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_its_proof_lapses() {
    let house = house();
    house.tenant("One", "one.test").await;
    let (directory, domain) = (&house.upkeep.directory, "new.test".parse().unwrap());
    let tenant = directory.every_tenant().await.unwrap()[0];
    directory.operator().claim_domain("One", &domain).await.unwrap();
    house.upkeep.domains.ensure(tenant, &domain).await.unwrap();
    house.upkeep.round(true).await.unwrap();
    assert!(directory.claim(tenant, &domain).await.unwrap().is_some());
    house.world.env.sleep(DAY * 7).await;
    house.upkeep.round(true).await.unwrap();
    assert!(directory.domain_keys(tenant, &domain).await.unwrap().is_empty());
    assert_eq!(directory.operator().audit_log(tenant, house.world.env.now().seconds() / 86_400, 1).await.unwrap()[0].act, "domain.lapse");
}

#[tokio::test(start_paused = true)]
async fn keys_of_domains_rotate_by_themselves() {
    let house = house();
    house.tenant("One", "one.test").await;
    let (tenant, domain) = (house.upkeep.directory.every_tenant().await.unwrap()[0], "one.test".parse().unwrap());
    house.upkeep.domains.ensure(tenant, &domain).await.unwrap();
    house.world.env.sleep(penfold_domains::LIFE).await;
    house.upkeep.round(false).await.unwrap();
    assert_eq!(house.upkeep.directory.domain_keys(tenant, &domain).await.unwrap().len(), 2);
}
