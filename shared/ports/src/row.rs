//! A row's attributes. A reader looks up the names it knows and keeps the others, so a row written by a newer version
//! survives being rewritten by an older one.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::fmt;

/// An attribute's name: 1 to 7 ASCII bytes. Short on purpose: DynamoDB bills names with every row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name([u8; 8]);

impl Name {
    /// Fails to compile in a `const` where the name is empty or too long.
    pub const fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= 7, "1 to 7 bytes");
        let mut out = [0; 8];
        out[7] = bytes.len() as u8;
        let mut i = 0;
        while i < bytes.len() {
            assert!(bytes[i].is_ascii_graphic(), "ASCII");
            out[i] = bytes[i];
            i += 1;
        }
        Self(out)
    }

    /// For adapters, which read names back from storage.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::read(text.as_bytes())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() || bytes.len() > 7 || !bytes.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut out = [0; 8];
        out[..bytes.len()].copy_from_slice(bytes);
        out[7] = bytes.len() as u8;
        Some(Self(out))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[..self.len()]).unwrap_or_default()
    }

    pub const fn len(&self) -> usize {
        self.0[7] as usize
    }

    pub const fn is_empty(&self) -> bool {
        false
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&'static str> for Name {
    /// For literals; a name that does not fit is a mistake of the programmer's.
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    U(u64),
    S(String),
    B(Bytes),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::U(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::U(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::U(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::S(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::S(value.to_owned())
    }
}

impl From<Bytes> for Value {
    fn from(value: Bytes) -> Self {
        Self::B(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::B(value.into())
    }
}

impl From<&[u8; 16]> for Value {
    fn from(value: &[u8; 16]) -> Self {
        Self::B(Bytes::copy_from_slice(value))
    }
}

/// Stored bytes that are no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored bytes are not a row")]
pub struct RowError;

/// Attributes; a handful, so a list beats a map. Their order means nothing, and not every store keeps it.
#[derive(Clone, Default, Debug)]
pub struct Row(Vec<(Name, Value)>);

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|(name, value)| other.get(*name) == Some(value))
    }
}

impl Eq for Row {}

const FORMAT: u8 = 1;

impl Row {
    pub fn new() -> Self {
        Self(Vec::with_capacity(6))
    }

    /// Sets an attribute, in place where it exists.
    pub fn set(&mut self, name: impl Into<Name>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some(slot) => slot.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// The same, for building a row in one expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    pub fn remove(&mut self, name: impl Into<Name>) {
        let name = name.into();
        self.0.retain(|(n, _)| *n != name);
    }

    pub fn get(&self, name: impl Into<Name>) -> Option<&Value> {
        let name = name.into();
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    pub fn u64(&self, name: impl Into<Name>) -> Option<u64> {
        match self.get(name)? {
            Value::U(value) => Some(*value),
            _ => None,
        }
    }

    pub fn str(&self, name: impl Into<Name>) -> Option<&str> {
        match self.get(name)? {
            Value::S(value) => Some(value),
            _ => None,
        }
    }

    pub fn bytes(&self, name: impl Into<Name>) -> Option<&Bytes> {
        match self.get(name)? {
            Value::B(value) => Some(value),
            _ => None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Name, Value)> {
        self.0.iter()
    }

    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(64);
        out.put_u8(FORMAT);
        for (name, value) in &self.0 {
            out.put_u8(name.len() as u8);
            out.put_slice(name.as_str().as_bytes());
            match value {
                Value::U(number) => {
                    out.put_u8(0);
                    out.put_u64(*number);
                }
                Value::S(text) => {
                    out.put_u8(1);
                    out.put_u32(text.len() as u32);
                    out.put_slice(text.as_bytes());
                }
                Value::B(bytes) => {
                    out.put_u8(2);
                    out.put_u32(bytes.len() as u32);
                    out.put_slice(bytes);
                }
            }
        }
        out.freeze()
    }

    pub fn decode(mut from: Bytes) -> Result<Self, RowError> {
        if from.first() != Some(&FORMAT) {
            return Err(RowError);
        }
        from.advance(1);
        let mut row = Self::new();
        while !from.is_empty() {
            let len = usize::from(from.get_u8());
            if from.len() < len + 1 {
                return Err(RowError);
            }
            let name = Name::read(&from.split_to(len)).ok_or(RowError)?;
            let value = match from.get_u8() {
                0 if from.len() >= 8 => Value::U(from.get_u64()),
                tag @ (1 | 2) if from.len() >= 4 => {
                    let len = from.get_u32() as usize;
                    if from.len() < len {
                        return Err(RowError);
                    }
                    let bytes = from.split_to(len);
                    if tag == 2 { Value::B(bytes) } else { Value::S(String::from_utf8(bytes.into()).map_err(|_| RowError)?) }
                }
                _ => return Err(RowError),
            };
            row.0.push((name, value));
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive_a_round_trip_and_torn_bytes_do_not_panic() {
        let row = Row::new().with("m", 7u64).with("name", "Entwürfe").with("b", vec![0, 255]).with("m", 8u64);
        let bytes = row.encode();
        assert_eq!(Row::decode(bytes.clone()), Ok(row));
        for cut in 0..bytes.len() {
            let _ = Row::decode(bytes.slice(..cut));
        }
        assert_eq!(Row::decode(Bytes::new()), Err(RowError));
    }
}
