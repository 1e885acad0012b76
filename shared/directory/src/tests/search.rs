//! Who is found by what, and what that costs.

use super::*;
use crate::rows::{Principal, PrincipalKind, sk};
use penfold_types::{PrincipalId, Timestamp};
use std::collections::BTreeSet;

impl House {
    async fn called(&self, text: &str) -> Vec<String> {
        let tenant = self.tenant("One").await;
        let (cards, _) = self.directory.find_cards(tenant, text, 100).await.unwrap();
        let mut found: Vec<_> = cards.into_iter().map(|card| card.address.to_string()).collect();
        found.sort();
        found
    }

    /// That every entry has the rows of its words and that there are no others, and nothing is amiss.
    async fn words_agree(&self) {
        let mut wanted = BTreeSet::new();
        for (key, row) in self.partition("p#").into_iter().filter(|(key, _)| *key.sk() == sk::principal()) {
            let mut parts = key.pk().as_str().split('#').skip(1);
            let account = Account { tenant: parts.next().unwrap().parse().unwrap(), principal: parts.next().unwrap().parse().unwrap() };
            let own = Principal::read(&row).unwrap();
            let aliases = self.directory.addresses(account).await.unwrap().split_off(1);
            wanted.extend(own.own_words(&aliases).into_iter().map(|word| (account.tenant, word, account.principal)));
        }
        let there = self.partition("t#").into_iter().filter_map(|(key, _)| {
            let rest = key.sk().as_bytes().strip_prefix(b"word#")?;
            let (word, id) = rest.split_at(rest.len() - 17);
            Some((key.pk().tenant().unwrap(), String::from_utf8(word.to_vec()).unwrap(), PrincipalId::from_slice(&id[1..]).unwrap()))
        });
        assert_eq!(there.collect::<BTreeSet<_>>(), wanted);
        assert_eq!(self.directory.check().await.unwrap(), Vec::<String>::new());
    }

    async fn rename(&self, address: &str, name: &str) {
        let change = PersonChange { name: Some(name.into()), ..Default::default() };
        self.operator.update_person(&a(address), &change).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_is_found_by_the_beginnings_of_their_words() {
    let house = house().await;
    house.rename("ann@one.test", "Ann-Kathrin Müller").await;
    house.rename("bob@one.test", "Bob Miller").await;
    house.operator.create_group(&group("team.sales@one.test", PostPolicy::Inside)).await.unwrap();
    house.operator.create_shared(&NewShared { address: a("info@one.test"), name: "Müller & Sons".into(), quota: None }).await.unwrap();
    house.operator.add_alias(&a("bob@one.test"), &a("robert.m@one.test")).await.unwrap();
    for (text, wanted) in [
        ("mul", vec!["ann@one.test", "info@one.test"]),
        ("MÜLLER kat", vec!["ann@one.test"]),
        ("m", vec!["ann@one.test", "bob@one.test", "info@one.test"]),
        ("sales", vec!["team.sales@one.test"]),
        ("rob", vec!["bob@one.test"]),
        ("robert.m@on", vec!["bob@one.test"]),
        ("bob@two", vec![]),
        ("eve", vec![]),
        ("iller", vec![]),
        ("  - ", vec![]),
    ] {
        assert_eq!(house.called(text).await, wanted, "{text}");
    }
    house.words_agree().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_stays_of_a_name_that_somebody_had() {
    let house = house().await;
    house.rename("ann@one.test", "Anna Maria Lopez").await;
    house.operator.add_alias(&a("ann@one.test"), &a("boss@one.test")).await.unwrap();
    house.rename("ann@one.test", "Anna Smith").await;
    assert_eq!((house.called("lopez").await.len(), house.called("boss smith").await.len()), (0, 1));
    house.operator.remove_alias(&a("ann@one.test"), &a("boss@one.test")).await.unwrap();
    assert!(house.called("boss").await.is_empty());
    house.words_agree().await;
    house.operator.add_alias(&a("ann@one.test"), &a("boss@one.test")).await.unwrap();
    let ann = house.account("ann@one.test").await;
    house.operator.delete_person(&a("ann@one.test")).await.unwrap();
    assert!(house.called("anna").await.is_empty());
    house.words_agree().await;
    house.operator.restore(ann.tenant, ann.principal).await.unwrap();
    assert_eq!(house.called("boss smi").await, ["ann@one.test"]);
    house.words_agree().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_hidden_is_found_by_nobody_and_is_there_for_whoever_knows_them() {
    let house = house().await;
    let hide = |hidden| PersonChange { hidden: Some(hidden), ..Default::default() };
    let ann = house.account("ann@one.test").await;
    assert!(house.operator.update_person(&a("ann@one.test"), &hide(true)).await.unwrap().hidden);
    house.operator.add_alias(&a("ann@one.test"), &a("boss@one.test")).await.unwrap();
    assert!(house.called("ann").await.is_empty() && house.called("boss").await.is_empty());
    let (all, _) = house.directory.all_cards(ann.tenant, Some(b"name#"), 100).await.unwrap();
    assert_eq!(all.iter().map(|card| card.address.to_string()).collect::<Vec<_>>(), ["bob@one.test"]);
    assert_eq!(house.directory.entries(ann.tenant, &[ann.principal]).await.unwrap(), [None]);
    assert_eq!(house.directory.cards(ann.tenant, &[ann.principal]).await.unwrap().len(), 1);
    house.words_agree().await;
    house.operator.update_person(&a("ann@one.test"), &hide(false)).await.unwrap();
    assert_eq!(house.called("bos").await, ["ann@one.test"]);
    house.words_agree().await;
}

#[tokio::test(start_paused = true)]
async fn words_agree_whatever_happens_at_the_same_time() {
    for seed in 0..30 {
        let house = seeded(seed).await;
        house.world.faults(Faults { lost: 500, ..Faults::NONE });
        let (one, two) = (house.operator.clone(), house.neighbour().operator());
        let names = ["Anna Smith", "Ann Miller", "A B C"];
        let renames = async {
            for name in names {
                let change = PersonChange { name: Some(name.into()), ..Default::default() };
                let _ = one.update_person(&a("ann@one.test"), &change).await;
            }
        };
        let aliases = async {
            for alias in ["x1@one.test", "x2@one.test", "x3@one.test"] {
                two.add_alias(&a("ann@one.test"), &a(alias)).await.unwrap();
            }
            two.remove_alias(&a("ann@one.test"), &a("x2@one.test")).await.unwrap();
        };
        tokio::join!(renames, aliases);
        house.world.faults(Faults::NONE);
        house.words_agree().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_older_version_wrote_is_found_after_the_first_search_and_kept_right() {
    for by_upkeep in [false, true] {
        let house = house().await;
        house.operator.add_alias(&a("bob@one.test"), &a("rob@one.test")).await.unwrap();
        let tenant = house.tenant("One").await;
        for (key, row) in house.world.rows() {
            if key.sk().as_bytes().starts_with(b"word") {
                house.write(Write::delete(key)).await;
            } else if *key.sk() == sk::principal() {
                let mut row = row;
                row.remove("wd");
                house.write(Write::put(key, row)).await;
            }
        }
        // Changed before it is found the first time.
        house.rename("ann@one.test", "Ann Old").await;
        house.operator.add_alias(&a("bob@one.test"), &a("bobby@one.test")).await.unwrap();
        if by_upkeep {
            house.directory.complete_words(tenant).await.unwrap();
            house.directory.complete_words(house.tenant("Two").await).await.unwrap();
        }
        assert_eq!(house.called("old").await, ["ann@one.test"]);
        assert_eq!((house.called("rob").await, house.called("bobb").await), (vec!["bob@one.test".to_owned()], vec!["bob@one.test".into()]));
        let _ = house.directory.find_cards(house.tenant("Two").await, "x", 1).await.unwrap();
        house.words_agree().await;
    }
}

/// Rows as they are written one by one, of people whose names are made of few parts.
async fn many(house: &House, tenant: TenantId, count: u32) {
    let (first, last) = (["anna", "bert", "carla", "dora"], ["smith", "miller", "jones"]);
    for number in 0..count {
        let id = PrincipalId::from_bytes(u128::from(number + 1).to_be_bytes());
        let name = format!("{} {} n{number}", first[number as usize % 4], last[number as usize % 3]);
        let address = a(&format!("p{number}@one.test"));
        let mut own = Principal::new(PrincipalKind::Person, &address, &name, Timestamp::from_millis(0));
        let scope = crate::access::organisation(tenant);
        for write in own.index(&scope, id, &[]) {
            house.write(write).await;
        }
        house.write(Write::put(scope.principal(id, sk::principal()), own.row())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_costs_what_matches_however_many_there_are() {
    let house = house().await;
    let tenant = house.tenant("One").await;
    many(&house, tenant, 100_000).await;
    let world = house.directory.store().world.clone();
    let cost = |text: &'static str| {
        let (directory, world) = (house.directory.clone(), world.clone());
        async move {
            let before = world.meter.total("directory").read;
            let (found, more) = directory.find_cards(tenant, text, 20).await.unwrap();
            (found.len(), more, world.meter.total("directory").read - before)
        }
    };
    cost("warm").await;
    for (text, count, more, most) in [
        ("an", 20, true, 120),
        ("anna smith n1200", 2, false, 40),
        ("n77777", 1, false, 5),
        ("smith anna n77777", 0, false, 40),
        ("xyz", 0, false, 2),
        // Nobody has both, and many have either.
        ("anna bert", 0, true, 300),
    ] {
        let (found, cut, read) = cost(text).await;
        assert_eq!((found, cut), (count, more), "{text}");
        assert!(read <= most, "{text}: {read} units");
    }
}
