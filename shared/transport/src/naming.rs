//! Jobs are named by what they do, so that a queue that gets one twice does it once.

use aws_lc_rs::digest::{Context, SHA256};
use penfold_ports::JobId;
use penfold_types::AcceptanceId;

/// An id of its own for each acceptance and `what`, with the acceptance's time. A hash, for a queue drops a job whose id it knows:
/// ids that only fold their parts together meet where parts are counted.
pub(crate) fn name(acceptance: AcceptanceId, what: &[&[u8]]) -> JobId {
    let mut hash = Context::new(&SHA256);
    hash.update(acceptance.as_bytes());
    for part in what {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bits = [0; 16];
    bits.iter_mut().zip(hash.finish().as_ref()).for_each(|(slot, byte)| *slot = *byte);
    JobId::shaped(acceptance.time(), bits)
}
