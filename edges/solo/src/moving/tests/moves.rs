use super::scene::*;
use crate::moving::ExportKey;
use penfold_metering::usage::Round;
use penfold_types::{Env, Kind};

/// Embedded, simulated, and embedded again.
#[tokio::test(start_paused = true)]
async fn everything_comes_over_as_it_was() {
    let (dir, back) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |dir: &tempfile::TempDir| penfold_embedded::open(Env::system(), dir.path(), penfold_embedded::Options::default()).unwrap();
    let (ports, ports_back) = (open(&dir), open(&back));
    let a = context(ports.world(Env::system()));
    let secret = fill(&a, 9 << 20).await;
    let (_simulated, b) = simulated(1);
    let c = context(ports_back.world(Env::system()));
    let key = ExportKey::new(&Env::system());
    for (from, to) in [(&a, &b), (&b, &c)] {
        let looks = (seen(from, "ann@one.test").await, seen(from, "info@one.test").await);
        count(from).await;
        let before = (rows(from, tenant(from).await).await, looks.0, looks.1);
        assert!(head_of(&before.0) >= 3, "ann, the shared mailbox, and the one that is kept for a while");
        let (left, archive) = exported(from, &key).await.unwrap();
        let came = imported(to, &archive, &key).await.unwrap();
        assert_eq!(count(to).await, Round::default(), "what was counted there is not counted again");
        assert_eq!(left, came, "the same numbers and the same checksum on both sides");
        assert!(came.blobs >= 15 && came.bytes > 4 << 20, "{came:?}");
        let after = (rows(to, tenant(to).await).await, seen(to, "ann@one.test").await, seen(to, "info@one.test").await);
        assert_eq!(after.0, before.0);
        assert_eq!((after.1, after.2), (before.1.clone(), before.2.clone()));
        assert_eq!(problems(to).await, Vec::<String>::new());
        assert_eq!(domain_keys(to).await, domain_keys(from).await);
        for (who, secret) in [("ann@one.test", "secret"), ("a.n.n@one.example", "secret"), ("ann@one.test", secret.as_str())] {
            assert!(to.service.directory.sign_in(who, secret, [127, 0, 0, 1].into()).await.is_ok(), "{who}");
        }
        assert!(to.service.directory.sign_in("ann@one.test", "other", [127, 0, 0, 1].into()).await.is_err());
    }
    // It lives on there: what comes now gets the next uid, and is sealed with the same keys.
    let ann = mailbox(&c, "ann@one.test").await;
    let next = ann.folder(inbox(&ann).await).await.unwrap().uidnext;
    append(&ann, inbox(&ann).await, &["Subject: after\r\n\r\nx\r\n".to_owned()]).await;
    assert_eq!(seen(&c, "ann@one.test").await["INBOX"].1.last().unwrap().0, next);
    assert_eq!(problems(&c).await, Vec::<String>::new());
    ports.close();
    ports_back.close();
}

/// A tenant that was removed here comes home: heads of what was destroyed give way, and its old audit rows stay.
#[tokio::test(start_paused = true)]
async fn a_tenant_comes_back_to_where_it_was_removed() {
    let ((_s, a), (_t, b)) = (simulated(3), simulated(4));
    fill(&a, 10).await;
    let key = ExportKey::new(&Env::system());
    let (_, archive) = exported(&a, &key).await.unwrap();
    imported(&b, &archive, &key).await.unwrap();
    let operator = a.service.directory.operator();
    for person in ["ann@one.test", "bob@one.test"] {
        operator.delete_person(&address(person)).await.unwrap();
    }
    operator.delete_group(&address("team@one.test")).await.unwrap();
    operator.delete_shared(&address("info@one.test")).await.unwrap();
    for domain in ["one.test", "one.example"] {
        operator.remove_domain(operator.tenant("One").await.unwrap().id, &domain.parse().unwrap()).await.unwrap();
    }
    let id = tenant(&a).await;
    operator.remove_tenant("One").await.unwrap();
    let (_, archive) = exported(&b, &key).await.unwrap();
    let refused = imported(&a, &archive, &key).await.unwrap_err();
    assert!(refused.kind() == Kind::Conflict && refused.text().contains("being removed"), "{refused}");
    for (scope, _) in a.service.directory.gone_accounts(id).await.unwrap() {
        a.service.mailboxes.destroy(&scope).await.unwrap();
        a.service.directory.forget_gone(scope.account()).await.unwrap();
    }
    assert!(count(&a).await.moved > 2, "their usage ends here");
    a.service.directory.forget_tenant(id).await.unwrap();
    imported(&a, &archive, &key).await.unwrap();
    assert_eq!(rows(&a, id).await, rows(&b, id).await);
    assert_eq!(count(&a).await, Round::default());
    assert_eq!(seen(&a, "ann@one.test").await, seen(&b, "ann@one.test").await);
    assert_eq!(problems(&a).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_frozen_mailbox_is_read_and_not_written() {
    let (simulated, a) = simulated(5);
    fill(&a, 10).await;
    // Another process, which has looked before.
    let other = context(simulated.world());
    let theirs = mailbox(&other, "ann@one.test").await;
    let folder = inbox(&theirs).await;
    let ann = mailbox(&a, "ann@one.test").await;
    let epoch = ann.head().await.unwrap().epoch;
    assert!(ann.freeze().await.unwrap() && !ann.freeze().await.unwrap());
    assert_eq!(ann.head().await.unwrap().epoch, epoch + 1);
    let message =
        penfold_mailbox::NewMessage { bytes: "Subject: x\r\n\r\nx\r\n".into(), keywords: penfold_mailbox::Keywords::NONE, received: None };
    for mailbox in [&ann, &theirs] {
        assert_eq!(mailbox.append(folder, vec![message.clone()]).await.unwrap_err().kind(), Kind::Retry);
        assert_eq!(mailbox.create_folder("New", None).await.unwrap_err().kind(), Kind::Retry);
    }
    assert!(!seen(&other, "ann@one.test").await["INBOX"].1.is_empty());
    // It comes over frozen, so that it can be looked at before anything is written there.
    let key = ExportKey::new(&Env::system());
    let (_, archive) = exported(&a, &key).await.unwrap();
    let (_there, b) = super::scene::simulated(6);
    imported(&b, &archive, &key).await.unwrap();
    for context in [&a, &b, &other] {
        let mailbox = mailbox(context, "ann@one.test").await;
        mailbox.thaw().await.unwrap();
        mailbox.append(folder, vec![message.clone()]).await.unwrap();
        assert_eq!(problems(context).await, Vec::<String>::new());
    }
}
