//! Every byte of an archive is input from outside.

use super::scene::*;
use crate::moving::ExportKey;
use crate::moving::record::{Block, End, Record, Whose, blob, decode, end, whose};
use penfold_ports::{BlobKey, Key, Pk, Row, Sk};
use penfold_types::TenantId;
use proptest::prelude::*;

fn any_row() -> impl Strategy<Value = Row> {
    let value = prop_oneof![
        any::<u64>().prop_map(penfold_ports::Value::U),
        ".{0,20}".prop_map(penfold_ports::Value::S),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| penfold_ports::Value::B(bytes.into())),
    ];
    proptest::collection::vec(("[a-z]{1,7}", value), 0..5).prop_map(|attributes| {
        attributes.into_iter().fold(Row::new(), |row, (name, value)| match penfold_ports::Name::from_stored(&name) {
            Some(name) => row.with(name, value),
            None => row,
        })
    })
}

fn any_record() -> impl Strategy<Value = Vec<u8>> {
    let tenant = any::<[u8; 16]>().prop_map(TenantId::from_bytes);
    let items = proptest::collection::vec(("[a-z#]{1,30}", proptest::collection::vec(any::<u8>(), 1..40), any_row()), 0..6);
    prop_oneof![
        (tenant.clone(), "[a-zA-Z ]{1,30}").prop_map(|(tenant, name)| whose(&Whose { tenant, name })),
        (tenant, "[0-9a-v]{26}", any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(tenant, name, more, bytes)| blob(&BlobKey::from_stored(&format!("{tenant}/{name}")), more, &bytes)),
        (items, any::<bool>()).prop_map(|(items, claims)| {
            let mut block = if claims { Block::claims() } else { Block::rows() };
            for (pk, sk, row) in items {
                block.push(&Key::from_stored(Pk::from_stored(&pk), Sk::from_stored(&sk)), &row);
            }
            block.take()
        }),
        any::<[u64; 3]>().prop_map(|[rows, blobs, bytes]| end(&End { rows, blobs, bytes, ..End::default() })),
    ]
}

fn again(record: &Record) -> Vec<u8> {
    let block = |mut block: Block, items: &[crate::moving::record::Item]| {
        items.iter().for_each(|item| block.push(&item.key, &item.row));
        block.take()
    };
    match record {
        Record::Whose(own) => whose(own),
        Record::Blob { key, more, bytes } => blob(key, *more, bytes),
        Record::Claims(items) => block(Block::claims(), items),
        Record::Rows(items) => block(Block::rows(), items),
        Record::End(own) => end(own),
    }
}

proptest! {
    #[test]
    fn records_come_back(bytes in any_record()) {
        let record = decode(bytes.clone().into()).unwrap();
        prop_assert_eq!(again(&record), bytes);
    }

    /// Refused or read, and never a panic; what is read is what was written.
    #[test]
    fn changed_records_harm_nobody(bytes in any_record(), at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = bytes;
        let at = at.index(bytes.len());
        bytes[at] = to;
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(record) = decode(bytes.to_vec().into()) {
                decode(again(&record).into()).unwrap();
            }
        }
    }

    #[test]
    fn noise_harms_nobody(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(bytes.into());
    }
}

#[test]
fn names_of_blobs_lead_nowhere_else() {
    let tenant = TenantId::from_bytes([1; 16]);
    for bad in ["../x", "a/b", "", "A", "a.b", "a\0b"] {
        assert!(decode(blob(&BlobKey::from_stored(&format!("{tenant}/{bad}")), false, b"").into()).is_err(), "{bad:?}");
    }
}

/// One bit anywhere, or an end anywhere: one sentence, and no tenant.
#[tokio::test(start_paused = true)]
async fn what_was_changed_or_cut_off_is_refused() {
    let (_simulated, a) = simulated(41);
    fill(&a, 10).await;
    let env = &a.service.world.env;
    let key = ExportKey::new(env);
    let (_, archive) = exported(&a, &key).await.unwrap();
    let (_there, b) = simulated(42);
    let mut places: Vec<usize> = (0..60).chain(archive.len() - 60..archive.len()).collect();
    places.extend((0..60).map(|_| env.below(archive.len() as u64) as usize));
    for at in places {
        let mut changed = archive.clone();
        changed[at] ^= 1 << env.below(8);
        for bytes in [&changed[..], &archive[..at]] {
            let refused = imported(&b, bytes, &key).await.unwrap_err();
            let text = refused.text();
            assert!(text.contains("archive") && !text.contains('\n'), "{at}: {refused}");
        }
        assert!(b.service.directory.every_tenant().await.unwrap().is_empty());
    }
    let longer = [&archive[..], b"x"].concat();
    assert!(imported(&b, &longer, &key).await.unwrap_err().text().contains("something follows"));
    let noise: Vec<u8> = (0..5000).map(|_| env.below(256) as u8).collect();
    for bytes in [&noise[..], b"", b"PENFOLD-TENANT-2\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"] {
        assert!(imported(&b, bytes, &key).await.unwrap_err().text().contains("archive"));
    }
    // After all that the real one still comes in.
    imported(&b, &archive, &key).await.unwrap();
    assert_eq!(problems(&b).await, Vec::<String>::new());
}
