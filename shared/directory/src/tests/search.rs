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

#[tokio::test(start_paused = true)]
async fn outside_contacts_stand_beside_everybody_else() {
    let house = house().await;
    let tenant = house.tenant("One").await;
    let texts = [(Attribute::Company, Some("Acme".to_owned()))].into_iter().collect();
    let new = ContactChange {
        name: Some("Zoë Smith".into()),
        addresses: Some(vec![a("zoe@acme.test"), a("z.smith@home.test")]),
        profile: ProfileChange { texts, manager: None },
    };
    let id = house.operator.create_contact(tenant, &new).await.unwrap();
    for (text, count) in [("zoe", 1), ("smi zo", 1), ("z.smith@ho", 1), ("zoe@acme.test", 1), ("zoe@one", 0), ("acme", 0)] {
        assert_eq!(house.called(text).await.len(), count, "{text}");
    }
    let (cards, _) = house.directory.search_cards(tenant, &["zoe"], (false, false), 10, |_| true).await.unwrap();
    assert!(cards.is_empty(), "nobody who signs in");
    for (text, inside, count) in [("nn", false, 0), ("nn", true, 1), ("AN", true, 1), ("xnn", true, 0), ("-", true, 0)] {
        let (cards, more) = house.directory.search_cards(tenant, &[text], (false, inside), 10, |_| true).await.unwrap();
        assert_eq!((cards.len(), more), (count, false), "{text} {inside}");
    }
    let (first, next) = house.directory.all_cards(tenant, None, 10).await.unwrap();
    assert_eq!((first.len(), first[0].id, first[0].more_addresses.len()), (1, id, 1));
    assert_eq!(house.directory.all_cards(tenant, next.as_deref(), 10).await.unwrap().0.len(), 2);
    assert_eq!(house.directory.entries(tenant, &[id]).await.unwrap()[0].as_ref().unwrap().name, "Zoë Smith");

    let seen = house.directory.contact(tenant, id).await.unwrap().revision;
    let other = ContactChange { addresses: Some(vec![a("zoe@acme.test")]), name: Some("Zoe Jones".into()), ..Default::default() };
    let changed = house.operator.expecting(Some(seen)).update_contact(tenant, id, &other).await.unwrap();
    assert_eq!((changed.revision, changed.profile.get(Attribute::Company)), (seen + 1, Some("Acme")));
    assert_eq!((house.called("smith").await.len(), house.called("jon").await.len()), (0, 1));
    assert_eq!(kind(house.operator.expecting(Some(seen)).delete_contact(tenant, id).await), Kind::Conflict);
    assert_eq!(kind(house.operator.delete_contact(house.tenant("Two").await, id).await), Kind::NotFound);
    for wrong in [vec![], vec![a("x@one.test")], vec![a("x@a.test"), a("X@a.test")], (0..6).map(|n| a(&format!("x{n}@a.test"))).collect()] {
        let change = ContactChange { addresses: Some(wrong), ..Default::default() };
        assert_eq!(kind(house.operator.update_contact(tenant, id, &change).await), Kind::Invalid);
    }
    house.operator.delete_contact(tenant, id).await.unwrap();
    assert!(house.called("zoe").await.is_empty());
    house.words_agree().await;
}

#[tokio::test(start_paused = true)]
async fn a_photo_is_what_its_bytes_are_and_goes_with_its_person() {
    let house = house().await;
    let ann = house.account("ann@one.test").await;
    let jpeg = bytes::Bytes::from([&b"\xff\xd8\xff\xe0"[..], &[7; 1000]].concat());
    let set = house.operator.set_photo(&a("ann@one.test"), Some(jpeg.clone())).await.unwrap();
    assert_eq!(set.photo.as_ref().map(|info| (info.kind, info.size)), Some((LogoKind::Jpeg, 1004)));
    assert_eq!(house.directory.photo(ann).await.unwrap(), Some(jpeg.clone()));
    let stored = house.partition("p#").into_iter().find(|(key, _)| key.sk().as_bytes() == b"photo").unwrap().1;
    assert!(!stored.bytes("b").unwrap().windows(100).any(|part| part == [7; 100]), "it is sealed");
    let large = [&jpeg[..], &vec![0; crate::PHOTO]].concat();
    for wrong in [b"<svg/>".to_vec(), b"RIFF\x10\0\0\0WEBPVP8 ".to_vec(), large] {
        assert_eq!(kind(house.operator.set_photo(&a("ann@one.test"), Some(wrong.into())).await), Kind::Invalid);
    }
    house.operator.delete_person(&a("ann@one.test")).await.unwrap();
    house.operator.restore(ann.tenant, ann.principal).await.unwrap();
    assert_eq!((house.directory.photo_info(ann).await.unwrap(), house.directory.photo(ann).await.unwrap()), (None, None));
    house.operator.set_photo(&a("bob@one.test"), Some(jpeg)).await.unwrap();
    assert_eq!(house.operator.set_photo(&a("bob@one.test"), None).await.unwrap().photo, None);
}

#[tokio::test(start_paused = true)]
async fn whom_somebody_writes_to_is_remembered_bounded_and_for_them_alone() {
    let house = house().await;
    let (ann, bob) = (house.account("ann@one.test").await, house.account("bob@one.test").await);
    let to = |address: &str, name: &str| (a(address), name.to_owned());
    house.directory.note_mailed(ann, &[to("kim@far.test", "Kim Ngô"), to("kurt@far.test", "")]).await.unwrap();
    for _ in 0..3 {
        house.directory.note_mailed(ann, &[to("Kurt@far.test", ""), to("kurt@far.test", "Kurt")]).await.unwrap();
    }
    let found = async |who, text: &str| {
        let all = house.directory.mailed(who, Some(text), 10).await.unwrap();
        all.into_iter().map(|one| (one.address.key(), one.name, one.count)).collect::<Vec<_>>()
    };
    let (kim, kurt) = (("kim@far.test".to_owned(), "Kim Ngô".to_owned(), 1), ("kurt@far.test".to_owned(), "Kurt".to_owned(), 4));
    assert_eq!(found(ann, "k").await.iter().map(|one| (one.0.clone(), one.2)).collect::<Vec<_>>(), [(kurt.0, 4), (kim.0.clone(), 1)]);
    for text in ["ngo", "kim@fa"] {
        assert_eq!(found(ann, text).await, std::slice::from_ref(&kim), "{text}");
    }
    assert!(found(ann, "kim@near").await.is_empty() && found(ann, "").await.is_empty() && found(bob, "k").await.is_empty());
    assert!(!house.partition("p#").iter().any(|(_, row)| row.encode().windows(8).any(|part| part == b"far.test")), "it is sealed");
    // The oldest go.
    for day in 0..60 {
        house.sleep(DAY).await;
        let many: Vec<_> = (0..10).map(|number| to(&format!("x{day}.{number}@far.test"), "")).collect();
        house.directory.note_mailed(ann, &many).await.unwrap();
    }
    assert_eq!(house.partition("p#").iter().filter(|(key, _)| key.sk().as_bytes().starts_with(b"mailed#")).count(), 500);
    assert!(found(ann, "kim").await.is_empty());
    assert_eq!(found(ann, "x59").await.len(), 10);
    house.directory.operator().delete_person(&a("ann@one.test")).await.unwrap();
    assert!(!house.partition("p#").iter().any(|(key, _)| key.sk().as_bytes().starts_with(b"mailed#")));
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
