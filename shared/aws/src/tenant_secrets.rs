//! Each tenant's own secret, an object that is named by the tenant, in a bucket that keeps one version of each and of which
//! there is no copy: which life of the tenant it is for, then the secret, encrypted by KMS. Empty once it is destroyed; nothing
//! is ever deleted there. Of all cells the secrets lie in the home cell's bucket, so a tenant has one wherever it lies.

use crate::cells::Cells;
use crate::secrets::{TENANT, WRONG};
use crate::wire::{Failure, Repeat, Wire};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use penfold_ports::PortError;
use penfold_types::TenantId;
use std::sync::Arc;

pub(crate) const KEY: usize = 32;
const TRIES: u32 = 4;

/// Codes of S3 that mean: somebody else has put it, or is about to.
const TAKEN: [&str; 4] = ["PreconditionFailed", "412", "ConditionalRequestConflict", "409"];

/// In its first life a tenant may have keys that KMS itself wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Life {
    First = 1,
    /// After it was destroyed here.
    Later = 2,
}

pub(crate) enum Secret {
    None,
    /// As KMS encrypted it.
    Living(Life, Vec<u8>),
    Destroyed {
        etag: String,
    },
}

/// On what condition an object is put.
enum When {
    Absent,
    Is(String),
    Always,
}

pub(crate) struct TenantSecrets {
    pub(crate) wire: Arc<Wire>,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) cells: Arc<Cells>,
}

impl TenantSecrets {
    fn place(&self) -> &str {
        &self.cells.home().secrets
    }

    pub(crate) fn missing(&self, tenant: TenantId) -> PortError {
        PortError::Broken(format!("there is no {tenant} in bucket {}; without it none of the tenant's mail can be read", self.place()))
    }

    pub(crate) async fn read(&self, tenant: TenantId) -> Result<Secret, PortError> {
        let request = self.s3.get_object().bucket(self.place()).key(tenant.to_string());
        let whole = || {
            let request = request.clone();
            async move {
                let answer: Result<_, SdkError<GetObjectError>> = request.send().await;
                let answer = answer?;
                Ok((answer.e_tag.unwrap_or_default(), answer.body.collect().await.map(|bytes| bytes.to_vec())))
            }
        };
        let (etag, bytes) = match self.wire.call(Repeat::Safe, whole).await {
            Ok((etag, bytes)) => (etag, bytes.map_err(|_| PortError::Throttled)?),
            Err(failure) if failure.code() == "NoSuchKey" => return Ok(Secret::None),
            Err(failure) => return Err(failure.of_read()),
        };
        match bytes.split_first() {
            None => Ok(Secret::Destroyed { etag }),
            Some((1, sealed)) => Ok(Secret::Living(Life::First, sealed.to_vec())),
            Some((2, sealed)) => Ok(Secret::Living(Life::Later, sealed.to_vec())),
            Some(_) => Err(PortError::Broken(format!("{tenant} in bucket {} has an unknown format", self.place()))),
        }
    }

    pub(crate) async fn decrypt(&self, tenant: TenantId, sealed: Vec<u8>) -> Result<[u8; KEY], PortError> {
        let request = self.kms.decrypt().key_id(&self.cells.home().key).ciphertext_blob(Blob::new(sealed));
        let request = request.encryption_context(TENANT, tenant.to_string());
        let damaged = || PortError::Broken(format!("{tenant} in bucket {} was not put there for this tenant", self.place()));
        match self.wire.call(Repeat::Safe, || request.clone().send()).await {
            Ok(answer) => answer.plaintext.map(Blob::into_inner).unwrap_or_default().try_into().map_err(|_| damaged()),
            Err(failure) if WRONG.contains(&failure.code()) => Err(damaged()),
            Err(failure) => Err(failure.of_read()),
        }
    }

    /// Where there is none, one is put; then what stands there counts, whoever put it.
    pub(crate) async fn read_or_make(&self, tenant: TenantId) -> Result<[u8; KEY], PortError> {
        for _ in 0..TRIES {
            match self.read(tenant).await? {
                Secret::Living(_, sealed) => return self.decrypt(tenant, sealed).await,
                Secret::Destroyed { .. } => return Err(PortError::Destroyed),
                Secret::None => self.put_new(tenant, Life::First, When::Absent).await.map_err(as_read)?,
            }
        }
        Err(PortError::Throttled)
    }

    async fn put_new(&self, tenant: TenantId, life: Life, when: When) -> Result<(), PortError> {
        let mut secret = [0; KEY];
        self.wire.env.fill(&mut secret);
        let request = self.kms.encrypt().key_id(&self.cells.home().key).plaintext(Blob::new(secret.as_slice()));
        let request = request.encryption_context(TENANT, tenant.to_string());
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(|failure| failure.of_read())?;
        let sealed = answer.ciphertext_blob.map(Blob::into_inner).ok_or_else(|| PortError::Broken("KMS gave nothing back".to_owned()))?;
        match self.put(tenant, [&[life as u8][..], &sealed].concat(), when).await {
            Err(failure) if TAKEN.contains(&failure.code()) => Ok(()),
            answer => answer.map(drop).map_err(|failure| failure.of_write()),
        }
    }

    async fn put(&self, tenant: TenantId, bytes: Vec<u8>, when: When) -> Result<PutObjectOutput, Failure<PutObjectError>> {
        let request = || {
            let put = self.s3.put_object().bucket(self.place()).key(tenant.to_string()).body(ByteStream::from(bytes.clone()));
            match &when {
                When::Absent => put.if_none_match("*"),
                When::Is(etag) => put.if_match(etag),
                When::Always => put,
            }
            .send()
        };
        self.wire.call(Repeat::Safe, request).await
    }

    /// The empty object takes the secret's place, and says that there is to be no other.
    pub(crate) async fn destroy(&self, tenant: TenantId) -> Result<(), PortError> {
        let put = self.put(tenant, Vec::new(), When::Always).await.map_err(|failure| failure.of_write())?;
        if put.version_id.is_some() {
            let bucket = self.place();
            return Err(PortError::Broken(format!(
                "bucket {bucket} keeps old versions, so the secret of {tenant} is still there: end that, and delete them"
            )));
        }
        Ok(())
    }

    pub(crate) async fn renew(&self, tenant: TenantId) -> Result<(), PortError> {
        for _ in 0..TRIES {
            match self.read(tenant).await? {
                Secret::Destroyed { etag } => self.put_new(tenant, Life::Later, When::Is(etag)).await?,
                Secret::None | Secret::Living(..) => return Ok(()),
            }
        }
        Err(PortError::Throttled)
    }
}

/// A secret that may or may not have been put is found by reading.
fn as_read(error: PortError) -> PortError {
    if error == PortError::Unknown { PortError::Throttled } else { error }
}
