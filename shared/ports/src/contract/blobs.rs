use super::{Given, numbered};
use crate::{BlobKey, PortError, World, Write};
use bytes::Bytes;

impl Given {
    fn blob_key(&self) -> BlobKey {
        self.tenant().blob(self.acceptance())
    }

    async fn put_blob(&self, bytes: &[u8]) -> BlobKey {
        let key = self.blob_key();
        self.world.blobs.put(&key, vec![Bytes::copy_from_slice(bytes)]).await.expect("a put");
        key
    }

    /// What a put needs to be durable.
    async fn settle(&self) {
        self.commit(vec![Write::put(self.key("settle"), numbered(1))]).await.expect("a commit");
    }
}

pub async fn durable_with_the_commit(world: World) {
    let given = Given::new(world);
    let key = given.put_blob(b"mail").await;
    given.settle().await;
    assert_eq!(given.world.blobs.get(&key).await, Ok(Bytes::from("mail")));
}

pub async fn durable_with_the_send(world: World) {
    let given = Given::new(world);
    let key = given.put_blob(b"mail").await;
    given.send(vec![given.job("g", "job")]).await;
    assert_eq!(given.world.blobs.get(&key).await, Ok(Bytes::from("mail")));
}

pub async fn ranges(world: World) {
    let given = Given::new(world);
    let key = given.put_blob(b"0123456789").await;
    given.settle().await;
    for (range, wanted) in
        [(0..10, "0123456789"), (2..5, "234"), (8..100, "89"), (10..20, ""), (50..60, ""), (3..3, ""), (0..u64::MAX, "0123456789")]
    {
        assert_eq!(given.world.blobs.get_range(&key, range.clone()).await, Ok(Bytes::from(wanted)), "{range:?}");
    }
}

pub async fn missing(world: World) {
    let given = Given::new(world);
    assert_eq!(given.world.blobs.get(&given.blob_key()).await, Err(PortError::Missing));
    assert_eq!(given.world.blobs.get_range(&given.blob_key(), 0..1).await, Err(PortError::Missing));
    assert_eq!(given.world.blobs.delete(&given.blob_key()).await, Ok(()));
}

pub async fn parts_are_joined(world: World) {
    let given = Given::new(world);
    let key = given.blob_key();
    given.world.blobs.put(&key, vec!["ab".into(), "".into(), "cde".into()]).await.expect("a put");
    given.settle().await;
    assert_eq!(given.world.blobs.get(&key).await, Ok(Bytes::from("abcde")));
}

pub async fn large_ones(world: World) {
    let given = Given::new(world);
    // Around 256 KB, where adapters may change their ways.
    for len in [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3_000_000] {
        let bytes: Vec<u8> = (0..len as u32).map(|n| (n % 251) as u8).collect();
        let key = given.put_blob(&bytes).await;
        given.settle().await;
        assert_eq!(given.world.blobs.get(&key).await.map(|blob| blob == bytes), Ok(true), "{len}");
        let end = len as u64;
        assert_eq!(given.world.blobs.get_range(&key, end - 10..end + 5).await, Ok(Bytes::copy_from_slice(&bytes[len - 10..])));
        given.world.blobs.delete(&key).await.expect("a delete");
        given.settle().await;
        assert_eq!(given.world.blobs.get(&key).await, Err(PortError::Missing));
    }
}

pub async fn delete_twice(world: World) {
    let given = Given::new(world);
    let (key, other) = (given.put_blob(b"a").await, given.put_blob(b"b").await);
    given.settle().await;
    given.world.blobs.delete(&key).await.expect("a delete");
    given.world.blobs.delete(&key).await.expect("deleting an absent one is no error");
    given.settle().await;
    assert_eq!(given.world.blobs.get(&key).await, Err(PortError::Missing));
    assert_eq!(given.world.blobs.get(&other).await, Ok(Bytes::from("b")));
}

pub async fn list_in_order(world: World) {
    let given = Given::new(world);
    let stranger = Given::new(given.world.clone());
    let mut keys = vec![given.put_blob(b"a").await, given.put_blob(b"b").await, given.put_blob(&[0; 300_000]).await];
    keys.push(given.scope.segment(given.acceptance()));
    given.world.blobs.put(&keys[3], vec!["segment".into()]).await.expect("a put");
    let strange = stranger.put_blob(b"c").await;
    given.settle().await;
    keys.sort();
    assert_eq!(given.world.blobs.list(given.scope.tenant(), None).await, Ok(keys.clone()));
    assert_eq!(given.world.blobs.list(given.scope.tenant(), Some(&keys[1])).await, Ok(keys[2..].to_vec()));
    assert_eq!(given.world.blobs.list(given.scope.tenant(), Some(&keys[3])).await, Ok(vec![]));
    assert_eq!(given.world.blobs.list(stranger.scope.tenant(), None).await, Ok(vec![strange]));
    given.world.blobs.delete(&keys[0]).await.expect("a delete");
    given.settle().await;
    assert_eq!(given.world.blobs.list(given.scope.tenant(), None).await, Ok(keys[1..].to_vec()));
}

pub async fn list_goes_on(world: World) {
    let given = Given::new(world);
    let mut keys = Vec::new();
    for _ in 0..1010 {
        keys.push(given.put_blob(b"x").await);
    }
    given.settle().await;
    keys.sort();
    let first = given.world.blobs.list(given.scope.tenant(), None).await.expect("a list");
    assert_eq!(first, keys[..1000]);
    assert_eq!(given.world.blobs.list(given.scope.tenant(), first.last()).await, Ok(keys[1000..].to_vec()));
}

pub async fn empty_ones(world: World) {
    let given = Given::new(world);
    let key = given.blob_key();
    given.world.blobs.put(&key, vec![]).await.expect("a put");
    given.settle().await;
    assert_eq!(given.world.blobs.get(&key).await, Ok(Bytes::new()));
}
