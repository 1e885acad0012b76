use crate::job::{Delivery, Mail, To, Walk};
use bytes::Bytes;
use penfold_types::{AcceptanceId, PrincipalId, TenantId, Timestamp};
use std::collections::BTreeSet;

fn delivery(to: To) -> Delivery {
    let mail = Mail {
        tenant: TenantId::from_bytes([1; 16]),
        acceptance: AcceptanceId::shaped(Timestamp::from_seconds(1_700_000_000), [2; 16]),
        length: 20_000,
        received: Timestamp::from_millis(1_700_000_000_123),
        prefix: Bytes::from_static(b"Return-Path: <>\r\n"),
        summary: Bytes::from_static(b"\0summary"),
        junk: true,
        submitted: true,
        from: "a@x.test".parse().ok(),
    };
    Delivery { mail, to, original: "B@y.test".to_owned() }
}

#[test]
fn jobs_survive_a_round_trip_and_torn_ones_are_no_jobs() {
    let mut walk = Walk::new(PrincipalId::from_bytes([3; 16]));
    walk.groups.push(PrincipalId::from_bytes([4; 16]));
    walk.cursor = Bytes::from_static(b"m#cursor");
    let person = PrincipalId::from_bytes([5; 16]);
    for to in [To::Mailbox(person), To::Sent(person), To::List(walk), To::Reports] {
        let job = delivery(to);
        let bytes = job.encode();
        assert_eq!(Delivery::decode(&bytes), Some(job));
        for cut in 0..bytes.len() {
            assert_eq!(Delivery::decode(&bytes.slice(..cut)), None);
        }
        assert_eq!(Delivery::decode(&[bytes.as_ref(), b"x"].concat().into()), None);
    }
}

/// Two jobs of one message never share an id, or the queue would drop one of them.
#[test]
fn job_ids_differ() {
    let acceptance = |n: u8| AcceptanceId::shaped(Timestamp::from_seconds(1_700_000_000), [n; 16]);
    let target = |n: u8| PrincipalId::shaped(Timestamp::from_seconds(1_600_000_000 + i64::from(n)), [n.wrapping_mul(37); 16]);
    let mut ids = BTreeSet::new();
    let mut count = 0;
    for a in 0..8 {
        for t in 0..32 {
            for step in 0..40 {
                ids.insert(crate::job_id(acceptance(a), target(t), step));
                count += 1;
            }
        }
    }
    assert_eq!(ids.len(), count);
}
