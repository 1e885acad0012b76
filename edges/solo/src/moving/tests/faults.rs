//! Cut off anywhere, on a store that throttles and loses answers.

use super::scene::*;
use crate::moving::{ExportKey, Moved, import, remove};
use penfold_ports::{BlobKey, Sk, When, Write};
use penfold_simulated::Faults;
use penfold_types::{Kind, Result};
use std::time::Duration;

const SEEDS: u64 = 24;

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("MOVE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

/// Ends after so much virtual time, wherever it is then.
async fn cut(into: &crate::control::Context, archive: &[u8], key: &ExportKey, after: Duration) -> Option<Result<Moved>> {
    let (records, reply, env) = (records(archive, key), quiet(), into.service.world.env.clone());
    tokio::select! {
        biased;
        done = import(into, key, records, &reply) => Some(done),
        () = env.sleep(after) => None,
    }
}

async fn archive() -> (crate::control::Context, ExportKey, Moved, Vec<u8>) {
    let (_simulated, a) = simulated(51);
    fill(&a, 100).await;
    let key = ExportKey::new(&a.service.world.env);
    let (moved, archive) = exported(&a, &key).await.unwrap();
    (a, key, moved, archive)
}

#[tokio::test(start_paused = true)]
async fn an_import_that_was_cut_off_is_run_again() {
    let (a, key, left, archive) = archive().await;
    let wanted = rows(&a, tenant(&a).await).await;
    let mut cut_off = 0;
    for seed in seeds() {
        let (there, b) = simulated(1000 + seed);
        let env = &b.service.world.env;
        there.faults(Faults::STORMY);
        for _ in 0..3 {
            let whole = env.below(2) == 0;
            let end = if whole { archive.len() } else { env.below(archive.len() as u64) as usize };
            let done = cut(&b, &archive[..end], &key, Duration::from_millis(env.below(4000))).await;
            cut_off += u32::from(done.is_none());
            if matches!(done, Some(Ok(_))) {
                break;
            }
            there.crash();
        }
        let came = loop {
            match imported(&b, &archive, &key).await {
                Ok(came) => break came,
                // The name was the last thing to be written: it is all here.
                Err(error) if error.kind() == Kind::Conflict => {
                    assert!(error.text().contains("a tenant named One"), "seed {seed}: {error}");
                    break left.clone();
                }
                Err(error) => assert_eq!(error.kind(), Kind::Retry, "seed {seed}: {error}"),
            }
        };
        there.faults(Faults::NONE);
        assert_eq!(came, left, "seed {seed}");
        assert_eq!(rows(&b, tenant(&b).await).await, wanted, "seed {seed}");
        assert_eq!(problems(&b).await, Vec::<String>::new(), "seed {seed}");
    }
    println!("{} seeds, {cut_off} imports cut off in their middle", seeds().end);
    assert!(cut_off > 0);
}

#[tokio::test(start_paused = true)]
async fn or_it_is_taken_out() {
    let (a, key, _, archive) = archive().await;
    let id = tenant(&a).await;
    for seed in seeds() {
        let (there, b) = simulated(2000 + seed);
        let after = Duration::from_millis(b.service.world.env.below(3000));
        if let Some(done) = cut(&b, &archive[..archive.len() - 1], &key, after).await {
            assert_eq!(done.unwrap_err().kind(), Kind::Broken, "seed {seed}");
        }
        remove(&b, &key, records(&archive, &key), &quiet()).await.unwrap();
        let left: Vec<_> = there.rows().into_iter().filter(|(key, _)| !key.pk().as_str().starts_with("au#")).collect();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
        assert_eq!(b.service.world.blobs.list(id, None).await.unwrap(), Vec::<BlobKey>::new(), "seed {seed}");
        imported(&b, &archive, &key).await.unwrap();
        // What came over whole is not taken out in this way.
        assert_eq!(remove(&b, &key, records(&archive, &key), &quiet()).await.unwrap_err().kind(), Kind::Conflict);
    }
}

/// Somebody writes while it is read: each mailbox comes over as it was at one moment.
#[tokio::test(start_paused = true)]
async fn a_mailbox_is_read_at_one_modseq() {
    for seed in 0..8 {
        let (source, a) = simulated(3000 + seed);
        fill(&a, 10).await;
        source.faults(Faults { slow: 0, ..Faults::STORMY });
        let writer = mailbox(&a, "ann@one.test").await;
        let env = a.service.world.env.clone();
        let writing = tokio::spawn(async move {
            for n in 0..30 {
                let folder = writer.folders().await.map(|all| all.find("INBOX").map(|one| one.id));
                if let Ok(Some(folder)) = folder {
                    let message = penfold_mailbox::NewMessage {
                        bytes: format!("Subject: meanwhile {n}\r\n\r\nx\r\n").into(),
                        keywords: penfold_mailbox::Keywords::NONE,
                        received: None,
                    };
                    let _ = writer.append(folder, vec![message]).await;
                }
                env.sleep(Duration::from_millis(env.below(200))).await;
            }
        });
        let key = ExportKey::new(&a.service.world.env);
        let (left, archive) = exported(&a, &key).await.unwrap();
        writing.await.unwrap();
        let (_there, b) = simulated(4000 + seed);
        assert_eq!(imported(&b, &archive, &key).await.unwrap(), left);
        assert_eq!(problems(&b).await, Vec::<String>::new(), "seed {seed}");
        seen(&b, "ann@one.test").await;
    }
}

/// One that never rests is not read in a torn state; it is said what to do.
#[tokio::test(start_paused = true)]
async fn a_mailbox_that_never_rests_is_refused() {
    let (source, a) = simulated(61);
    fill(&a, 10).await;
    let ann = mailbox(&a, "ann@one.test").await;
    let (table, head) = (source.world().table, ann.scope().key(Sk::head()));
    let mut writing = tokio::task::JoinSet::new();
    for writer in 0u64..4 {
        let (table, head) = (table.clone(), head.clone());
        writing.spawn(async move {
            for n in 0u64.. {
                // An attribute that nobody knows: each request moves the head, and a reading takes several.
                let set = vec![("zz".into(), (n * 4 + writer).into())];
                let _ = table.put(Write::Update { key: head.clone(), set, remove: Vec::new(), when: When::Present }).await;
            }
        });
    }
    let key = ExportKey::new(&a.service.world.env);
    let refused = exported(&a, &key).await.unwrap_err();
    assert!(refused.kind() == Kind::Retry && refused.text().contains("--freeze"), "{refused}");
    writing.shutdown().await;
    ann.freeze().await.unwrap();
    exported(&a, &key).await.unwrap();
}
