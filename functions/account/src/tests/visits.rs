//! What people do in mailboxes of others.

use super::*;
use penfold_directory::NewShared;
use penfold_mailbox::RightsChange;
use penfold_ports::{Account, Grantee, Rights};
use penfold_transfers::{Step, Transfers};
use penfold_types::Address;

fn a(text: &str) -> Address {
    text.parse().unwrap()
}

impl House {
    async fn person(&self, address: &str) -> Account {
        let info = self.directory.operator().person(&a(address)).await.unwrap();
        Account { tenant: info.tenant, principal: info.id }
    }

    /// As it would be after its worker was there.
    async fn done(&self, who: Account, export: &str) {
        let transfers = Transfers::new(&self.world, &self.directory, &self.mailboxes);
        let mut one = transfers.find_of(who.tenant, Some(who.principal), export.parse().unwrap(), false).await.unwrap();
        let step = Step { parts: vec!["BEGIN:VCALENDAR\r\n".into()], last: true, ..Step::default() };
        assert!(transfers.advance(&mut one, step).await.unwrap());
    }

    /// How often somebody was noted as looking into another's mailbox.
    async fn visits(&self, who: Account, actor: &str) -> usize {
        let day = self.world.env.now().seconds().div_euclid(86_400);
        let log = self.directory.operator().audit_log(who.tenant, day, 1000).await.unwrap();
        log.iter().filter(|one| one.act == "mailbox.open" && one.actor == actor).count()
    }
}

fn calendar(all: &Answer) -> String {
    let found = all.body["items"].as_array().unwrap().iter().find(|one| one["holds"] == "events").unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn who_is_no_member_any_more_downloads_nothing_of_a_shared_mailbox() {
    let house = house().await;
    let (operator, bob, token) = (house.directory.operator(), house.person("bob@one.test").await, house.token("bob@one.test").await);
    operator.create_shared(&NewShared { address: a("sales@one.test"), name: "Sales".to_owned(), quota: None }).await.unwrap();
    operator.add_shared_members(&a("sales@one.test"), &[a("bob@one.test")]).await.unwrap();
    let theirs = calendar(&house.get("/v1/me/collections?owner=sales@one.test", &token).await);
    let own = calendar(&house.get("/v1/me/collections", &token).await);
    let (mut contents, path) = (Vec::new(), "/v1/me/exports");
    for order in [json!({ "collection": theirs, "owner": "sales@one.test" }), json!({ "collection": own })] {
        let one = house.post(path, &token, order).await;
        assert_eq!(one.status, 202, "{one:?}");
        house.done(bob, one.text("id")).await;
        contents.push(format!("{path}/{}/content", one.text("id")));
        assert_eq!(house.get(contents.last().unwrap(), &token).await.status, 200);
    }
    operator.remove_shared_member(&a("sales@one.test"), &a("bob@one.test")).await.unwrap();
    let said = [house.get(&contents[0], &token).await.status, house.get(&contents[1], &token).await.status];
    assert_eq!(said, [404, 200]);
    // Nor by what single people may see.
    let sales = operator.shared(&a("sales@one.test")).await.unwrap();
    let mailbox = house.mailboxes.open(&house.directory.job_scope(Account { principal: sales.id, ..bob })).await.unwrap();
    let (to, rights) = (Grantee::Principal(bob.principal), RightsChange::Set(Rights::read("lr").unwrap()));
    mailbox.set_rights(theirs.parse().unwrap(), to, rights, "ann@one.test", None, false).await.unwrap();
    assert_eq!(calendar(&house.get("/v1/me/collections?owner=sales@one.test", &token).await), theirs);
    assert_eq!(house.get(&contents[0], &token).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_what_is_open_to_them_is_noted_once_a_day() {
    let house = house().await;
    let (ann, bob) = (house.person("ann@one.test").await, house.person("bob@one.test").await);
    let (anns, bobs) = (house.token("ann@one.test").await, house.token("bob@one.test").await);
    let own = calendar(&house.get("/v1/me/collections", &anns).await);
    let mailbox = house.mailboxes.open(&house.directory.job_scope(ann)).await.unwrap();
    let (to, rights) = (Grantee::Principal(bob.principal), RightsChange::Set(Rights::read("lr").unwrap()));
    mailbox.set_rights(own.parse().unwrap(), to, rights, "ann@one.test", None, false).await.unwrap();
    assert_eq!(house.visits(bob, "bob@one.test").await, 0);
    for _ in 0..2 {
        assert_eq!(calendar(&house.get("/v1/me/collections?owner=ann@one.test", &bobs).await), own);
        assert_eq!(house.visits(bob, "bob@one.test").await, 1);
    }
    assert_eq!(house.get("/v1/me/collections?owner=ann@one.test", &anns).await.status, 200);
    assert_eq!(house.visits(ann, "ann@one.test").await, 0, "one's own is no visit");
}
