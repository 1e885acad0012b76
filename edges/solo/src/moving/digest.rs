//! The checksum that an archive carries and that an import comes to by reading back what it wrote. Each partition (its rows in
//! order) and each blob has a SHA-256; these are added up modulo 2^256, so that they can be read side by side and in any order,
//! and the sums are hashed once more together with the counts. Wrapped data keys are left out: they differ by design.

use super::record::End;
use aws_lc_rs::digest::{Context, SHA256};
use penfold_ports::{BlobKey, Key, Pk, Row, Sk};

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum([u8; 32]);

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl Sum {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn add(&mut self, other: Self) {
        let mut carry = 0;
        for (own, byte) in self.0.iter_mut().zip(other.0).rev() {
            let sum = u16::from(*own) + u16::from(byte) + carry;
            *own = sum as u8;
            carry = sum >> 8;
        }
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn finish(context: Context) -> Sum {
    let digest = context.finish();
    Sum(std::array::from_fn(|i| digest.as_ref().get(i).copied().unwrap_or_default()))
}

fn field(context: &mut Context, bytes: &[u8]) {
    context.update(&(bytes.len() as u64).to_be_bytes());
    context.update(bytes);
}

/// What both sides print.
pub fn checksum(end: &End) -> String {
    let mut context = Context::new(&SHA256);
    context.update(b"penfold tenant 1");
    for number in [end.rows, end.blobs, end.bytes] {
        context.update(&number.to_be_bytes());
    }
    context.update(end.inner.as_bytes());
    context.update(end.claims.as_bytes());
    hex(&finish(context).0)
}

/// Of one blob.
pub struct BlobSum(Context);

impl BlobSum {
    pub fn new(key: &BlobKey) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(b"blob");
        field(&mut context, key.as_str().as_bytes());
        Self(context)
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> Sum {
        finish(self.0)
    }
}

/// Of rows in the order of their keys, a partition at a time. Of audit and traces each row counts by itself: the other store may
/// have some of this tenant's from an earlier time.
#[derive(Default)]
pub struct RowSum {
    current: Option<(Pk, Context)>,
    total: Sum,
    pub rows: u64,
}

/// Whether a partition is a log of what happened, and not a state.
pub fn is_log(pk: &Pk) -> bool {
    pk.as_str().starts_with("au#") || pk.as_str().starts_with("x#")
}

impl RowSum {
    pub fn update(&mut self, key: &Key, row: &Row) {
        self.update_without(key, row, &[]);
    }

    /// `but`: names of attributes that do not count.
    pub fn update_without(&mut self, key: &Key, row: &Row, but: &[&'static str]) {
        self.rows += 1;
        if self.current.as_ref().is_none_or(|(pk, _)| pk != key.pk()) || is_log(key.pk()) {
            self.close();
            let mut context = Context::new(&SHA256);
            context.update(b"rows");
            field(&mut context, key.pk().as_str().as_bytes());
            self.current = Some((key.pk().clone(), context));
        }
        let Some((_, context)) = &mut self.current else { return };
        field(context, key.sk().as_bytes());
        field(context, &sorted(row, |name| (is_data_key(key) && name == "w") || but.contains(&name)).encode());
    }

    fn close(&mut self) {
        if let Some((_, context)) = self.current.take() {
            self.total.add(finish(context));
        }
    }

    pub fn finish(mut self) -> Sum {
        self.close();
        self.total
    }
}

/// A row that holds a data key of the tenant, wrapped.
pub fn is_data_key(key: &Key) -> bool {
    key.pk().as_str().starts_with("t#") && key.sk() >= &Sk::text("key#") && key.sk() < &Sk::text("key#").after_prefix()
}

/// The order of attributes means nothing, and stores give them back in different ones.
fn sorted(row: &Row, leave_out: impl Fn(&str) -> bool) -> Row {
    let mut attributes: Vec<_> = row.iter().filter(|(name, _)| !leave_out(name.as_str())).collect();
    attributes.sort_by_key(|(name, _)| *name);
    attributes.into_iter().fold(Row::new(), |row, (name, value)| row.with(*name, value.clone()))
}
