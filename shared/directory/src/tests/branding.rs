//! How a tenant is seen.

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";

#[tokio::test(start_paused = true)]
async fn what_was_set_reads_back_and_goes_with_the_tenant() {
    let house = house().await;
    let tenant = house.tenant("Two").await;
    assert_eq!(house.directory.branding(tenant).await.unwrap(), Branding::default());
    let new = Branding { display_name: Some("Two".into()), accent: Colour::parse("#0a5fc4"), ..Branding::default() };
    let set = house.operator.set_branding(tenant, &new).await.unwrap();
    assert_eq!((set.display_name.as_deref(), set.revision), (Some("Two"), 1));
    let with = house.operator.set_logo(tenant, Some(PNG.into())).await.unwrap();
    let info = with.logo.clone().unwrap();
    assert_eq!((info.kind, info.size, &with.display_name), (LogoKind::Png, PNG.len() as u64, &set.display_name));
    assert_eq!(house.neighbour().logo(tenant).await.unwrap().as_deref(), Some(PNG));
    for wrong in [b"<svg/>".to_vec(), [PNG, &[0; LOGO]].concat()] {
        assert_eq!(kind(house.operator.set_logo(tenant, Some(wrong.into())).await), Kind::Invalid);
    }
    let bare = house.operator.set_branding(tenant, &Branding::default()).await.unwrap();
    assert_eq!((bare.display_name, bare.accent, bare.logo), (None, None, Some(info)));
    assert_eq!(kind(house.operator.expecting(Some(2)).set_branding(tenant, &new).await), Kind::Conflict, "changed since");
    assert_eq!(house.operator.set_logo(tenant, None).await.unwrap().logo, None);
    assert_eq!(house.directory.logo(tenant).await.unwrap(), None);
    house.operator.set_logo(tenant, Some(PNG.into())).await.unwrap();
    house.operator.destroy_tenant("Two").await.unwrap();
    assert!(house.partition(&format!("t#{tenant}")).iter().all(|(key, _)| !key.sk().as_bytes().starts_with(b"brand")));
    assert_eq!(kind(house.operator.set_branding(tenant, &new).await), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_set_it_at_once_neither_is_half_done() {
    for seed in 0..10 {
        let house = seeded(seed).await;
        let (tenant, there) = (house.tenant("One").await, house.neighbour().operator());
        let named = |name: &str| Branding {
            display_name: Some(name.into()),
            support_url: Some(format!("https://{name}.test/")),
            ..Branding::default()
        };
        let (a, b) = (named("a"), named("b"));
        let (first, second) = tokio::join!(house.operator.set_branding(tenant, &a), there.set_branding(tenant, &b));
        assert!(first.is_ok() || second.is_ok());
        let found = house.directory.branding(tenant).await.unwrap();
        assert!([a, b].iter().any(|one| one.display_name == found.display_name && one.support_url == found.support_url), "seed {seed}");
    }
}
