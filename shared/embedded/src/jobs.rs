//! Jobs as they are stored.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use penfold_ports::{Job, JobId};
use penfold_types::{TenantId, Timestamp};

const FORMAT: u8 = 1;

pub(crate) fn encode(job: &Job, since: Timestamp) -> Bytes {
    let mut out = BytesMut::with_capacity(1 + 16 + 16 + 8 + 2 + job.group.len() + job.body.len());
    out.put_u8(FORMAT);
    out.put_slice(job.id.as_bytes());
    out.put_slice(job.tenant.as_bytes());
    out.put_i64(since.millis());
    out.put_u16(job.group.len() as u16);
    out.put_slice(job.group.as_bytes());
    out.put_slice(&job.body);
    out.freeze()
}

/// `None` where the bytes are no job.
pub(crate) fn decode(mut from: Bytes) -> Option<(Job, Timestamp)> {
    if from.len() < 43 || from.get_u8() != FORMAT {
        return None;
    }
    let id = JobId::from_slice(&from.split_to(16))?;
    let tenant = TenantId::from_slice(&from.split_to(16))?;
    let since = Timestamp::from_millis(from.get_i64());
    let len = usize::from(from.get_u16());
    if from.len() < len {
        return None;
    }
    let group = String::from_utf8(from.split_to(len).into()).ok()?;
    Some((Job { id, tenant, group, body: from }, since))
}
