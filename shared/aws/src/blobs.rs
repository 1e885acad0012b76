//! Blobs as objects under their keys. A key begins with its tenant, so a tenant's objects are one prefix.

use crate::cells::Cells;
use crate::wire::{Repeat, Wire};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::{AggregatedBytes, ByteStream};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};
use penfold_ports::{BlobKey, Blobs, PortError, Units};
use penfold_types::TenantId;
use std::ops::Range;
use std::sync::Arc;

/// From here on a blob is sent in parts, so that a lost connection costs one part and not all.
const PART: usize = 8 << 20;
const LIST: i32 = 1000;
/// Named at the beginning, or S3 refuses the parts' sums at the end.
const SUM: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

#[derive(Clone)]
pub(crate) struct S3Blobs {
    pub(crate) wire: Arc<Wire>,
    pub(crate) client: Client,
    pub(crate) cells: Arc<Cells>,
}

/// Joins what is in memory already in pieces of `size`; copies only where a piece spans parts.
fn pieces(parts: Vec<Bytes>, size: usize) -> Vec<Bytes> {
    let mut out = Vec::new();
    let mut piece: Vec<Bytes> = Vec::new();
    let mut have = 0;
    for mut part in parts {
        while have + part.len() >= size {
            piece.push(part.split_to(size - have));
            out.push(join(std::mem::take(&mut piece)));
            have = 0;
        }
        have += part.len();
        piece.push(part);
    }
    if have > 0 || out.is_empty() {
        out.push(join(piece));
    }
    out
}

fn join(mut parts: Vec<Bytes>) -> Bytes {
    parts.retain(|part| !part.is_empty());
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole.freeze()
}

impl S3Blobs {
    async fn bucket(&self, key: &BlobKey, spent: &mut Units) -> Result<&str, PortError> {
        Ok(match key.tenant() {
            Some(tenant) => &self.cells.of(tenant, spent).await?.bucket,
            None => &self.cells.home().bucket,
        })
    }

    async fn put_whole(&self, key: &BlobKey, bytes: Bytes, spent: &mut Units) -> Result<(), PortError> {
        let bucket = self.bucket(key, spent).await?;
        spent.blob_put += 1;
        let request = || {
            let put = self.client.put_object().bucket(bucket).key(key.as_str());
            put.body(ByteStream::from(bytes.clone())).send()
        };
        // A key is written once, always with the same bytes: sending again changes nothing.
        self.wire.call(Repeat::Safe, request).await.map(drop).map_err(|failure| failure.of_write())
    }

    async fn put_parts(&self, key: &BlobKey, pieces: Vec<Bytes>, spent: &mut Units) -> Result<(), PortError> {
        let bucket = self.bucket(key, spent).await?;
        spent.blob_put += 1;
        let begin = self.client.create_multipart_upload().bucket(bucket).key(key.as_str()).checksum_algorithm(SUM);
        let begun = self.wire.call(Repeat::Safe, || begin.clone().send()).await.map_err(|failure| failure.of_write())?;
        let upload = begun.upload_id.ok_or_else(|| PortError::Broken("S3 began an upload without a name".to_owned()))?;
        let sent = self.send_parts(key, &upload, pieces, spent).await;
        if sent.is_err() {
            // What this leaves behind, the bucket's lifecycle rule sweeps.
            let abort = self.client.abort_multipart_upload().bucket(bucket).key(key.as_str()).upload_id(&upload);
            let _ = self.wire.call(Repeat::Safe, || abort.clone().send()).await;
        }
        sent
    }

    async fn send_parts(&self, key: &BlobKey, upload: &str, pieces: Vec<Bytes>, spent: &mut Units) -> Result<(), PortError> {
        let bucket = self.bucket(key, spent).await?;
        let mut done = Vec::with_capacity(pieces.len());
        for (number, piece) in (1..).zip(pieces) {
            spent.blob_put += 1;
            let request = || {
                let part = self.client.upload_part().bucket(bucket).key(key.as_str()).upload_id(upload).part_number(number);
                part.checksum_algorithm(SUM).body(ByteStream::from(piece.clone())).send()
            };
            let part = self.wire.call(Repeat::Safe, request).await.map_err(|failure| failure.of_write())?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).set_checksum_crc32(part.checksum_crc32);
            done.push(part.build());
        }
        spent.blob_put += 1;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let end = self.client.complete_multipart_upload().bucket(bucket).key(key.as_str()).upload_id(upload).multipart_upload(parts);
        match self.wire.call(Repeat::Safe, || end.clone().send()).await {
            // Completed by a sending before, whose answer was lost; `head` would cost as much as it would tell.
            Err(failure) if failure.code() == "NoSuchUpload" => Err(PortError::Unknown),
            answer => answer.map(drop).map_err(|failure| failure.of_write()),
        }
    }

    /// `range` in HTTP's words (RFC 9110 §14.1.2); `None` for all of it.
    async fn fetch(&self, key: &BlobKey, range: Option<String>, spent: &mut Units) -> Result<Bytes, PortError> {
        let bucket = self.bucket(key, spent).await?;
        spent.blob_get += 1;
        let request = self.client.get_object().bucket(bucket).key(key.as_str()).set_range(range);
        // Reading the body belongs to the request: a connection that breaks in the middle is tried again.
        let whole = || {
            let request = request.clone();
            async move {
                let answer: Result<_, SdkError<GetObjectError>> = request.send().await;
                Ok(answer?.body.collect().await.map(AggregatedBytes::into_bytes))
            }
        };
        for _ in 0..3 {
            match self.wire.call(Repeat::Safe, whole).await {
                Ok(Ok(bytes)) => return Ok(bytes),
                Ok(Err(error)) => tracing::warn!(%error, "a blob's bytes broke off"),
                Err(failure) => {
                    return match failure.code() {
                        "NoSuchKey" => Err(PortError::Missing),
                        "InvalidRange" | "416" => Ok(Bytes::new()),
                        _ => Err(failure.of_read()),
                    };
                }
            }
        }
        Err(PortError::Throttled)
    }
}

/// The header's text; `None` where there is nothing to ask for.
fn range_header(range: &Range<u64>) -> Option<String> {
    if range.start >= range.end {
        return None;
    }
    // No object is as long as this; servers read offsets as signed numbers.
    let open = range.end > i64::MAX as u64;
    Some(if open { format!("bytes={}-", range.start) } else { format!("bytes={}-{}", range.start, range.end - 1) })
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &BlobKey, parts: Vec<Bytes>, spent: &mut Units) -> Result<(), PortError> {
        let mut pieces = pieces(parts, PART);
        if pieces.len() == 1 { self.put_whole(key, pieces.swap_remove(0), spent).await } else { self.put_parts(key, pieces, spent).await }
    }

    async fn get(&self, key: &BlobKey, spent: &mut Units) -> Result<Bytes, PortError> {
        self.fetch(key, None, spent).await
    }

    async fn get_range(&self, key: &BlobKey, range: Range<u64>, spent: &mut Units) -> Result<Bytes, PortError> {
        match range_header(&range) {
            Some(header) => self.fetch(key, Some(header), spent).await,
            None => Ok(Bytes::new()),
        }
    }

    async fn delete(&self, key: &BlobKey, spent: &mut Units) -> Result<(), PortError> {
        let bucket = self.bucket(key, spent).await?;
        spent.blob_delete += 1;
        let request = self.client.delete_object().bucket(bucket).key(key.as_str());
        match self.wire.call(Repeat::Safe, || request.clone().send()).await {
            Err(failure) if failure.code() == "NoSuchKey" => Ok(()),
            answer => answer.map(drop).map_err(|failure| failure.of_write()),
        }
    }

    async fn list(&self, tenant: TenantId, after: Option<&BlobKey>, spent: &mut Units) -> Result<Vec<BlobKey>, PortError> {
        let bucket = &self.cells.of(tenant, spent).await?.bucket;
        spent.blob_put += 1;
        let request = self.client.list_objects_v2().bucket(bucket).prefix(format!("{tenant}/")).max_keys(LIST);
        let request = request.set_start_after(after.map(|key| key.as_str().to_owned()));
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(|failure| failure.of_read())?;
        let keys = answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
        Ok(keys.map(|key| BlobKey::from_stored(&key)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_everything_once() {
        let parts = |lens: &[usize]| lens.iter().map(|len| Bytes::from(vec![b'x'; *len])).collect::<Vec<_>>();
        let lens = |given: &[usize]| pieces(parts(given), 4).iter().map(Bytes::len).collect::<Vec<_>>();
        assert_eq!(lens(&[]), [0]);
        assert_eq!(lens(&[3]), [3]);
        assert_eq!(lens(&[4]), [4]);
        assert_eq!(lens(&[2, 0, 1]), [3]);
        assert_eq!(lens(&[2, 3, 1]), [4, 2]);
        assert_eq!(lens(&[9]), [4, 4, 1]);
        let joined = pieces(vec!["ab".into(), "cdefg".into()], 4);
        assert_eq!(joined, [Bytes::from("abcd"), Bytes::from("efg")]);
    }

    #[test]
    fn ranges_in_http() {
        assert_eq!(range_header(&(0..10)).as_deref(), Some("bytes=0-9"));
        assert_eq!(range_header(&(5..u64::MAX)).as_deref(), Some("bytes=5-"));
        assert_eq!(range_header(&(3..3)), None);
    }
}
