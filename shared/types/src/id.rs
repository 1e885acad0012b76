//! Ids are 16 bytes, shaped as UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds first, so they sort by time.
//! In text they are 26 characters of lower-case base32hex (RFC 4648 §7, no padding), which sorts as the bytes do and is
//! allowed wherever a protocol wants an opaque id (RFC 8474 §4, RFC 8620 §1.2).

use crate::{Env, Timestamp};
use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The text was not a 26 character id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 26 characters of 0-9 and a-v")]
pub struct IdError;

fn write_text(bytes: &[u8; 16], out: &mut impl fmt::Write) -> fmt::Result {
    let value = u128::from_be_bytes(*bytes);
    // 26 digits of 5 bits are 130 bits: the first digit carries the top 3 bits.
    for digit in (0..26).rev() {
        let index = (value >> (digit * 5)) & 31;
        out.write_char(ALPHABET[index as usize] as char)?;
    }
    Ok(())
}

fn read_text(text: &str) -> Result<[u8; 16], IdError> {
    let bytes = text.as_bytes();
    if bytes.len() != 26 || bytes[0] > b'7' {
        return Err(IdError);
    }
    let mut value: u128 = 0;
    for byte in bytes {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'v' => byte - b'a' + 10,
            _ => return Err(IdError),
        };
        value = (value << 5) | u128::from(digit);
    }
    Ok(value.to_be_bytes())
}

/// Sets the version and variant bits of a version 7 UUID over `random`, with the time in front.
fn shape(at: Timestamp, mut random: [u8; 16]) -> [u8; 16] {
    let millis = at.millis().max(0) as u64;
    random[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    random[6] = 0x70 | (random[6] & 0x0f);
    random[8] = 0x80 | (random[8] & 0x3f);
    random
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new id: the time now, then randomness.
            pub fn new(env: &Env) -> Self {
                let mut random = [0; 16];
                env.fill(&mut random);
                Self(shape(env.now(), random))
            }

            /// An id with a given time and given other bits; used where the id is a key for idempotency.
            pub fn shaped(at: Timestamp, bits: [u8; 16]) -> Self {
                Self(shape(at, bits))
            }

            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Reads 16 bytes; `None` where there are more or fewer.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Some(Self(bytes.try_into().ok()?))
            }

            /// The milliseconds in front.
            pub fn time(&self) -> Timestamp {
                let mut wide = [0; 8];
                wide[2..].copy_from_slice(&self.0[..6]);
                Timestamp::from_millis(i64::from_be_bytes(wide))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_text(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_text(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                read_text(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// An organisation.
    TenantId
);
id!(
    /// A person, group, shared mailbox or room. A principal that has a mailbox has one account, under the same id.
    PrincipalId
);
id!(
    /// A folder of one account.
    FolderId
);
id!(
    /// An item of one account; for a delivered one its bits are a hash of the acceptance and the mailbox, so that a job
    /// delivered twice names the same row.
    ItemId
);
id!(
    /// One SMTP transaction, upload or APPEND; it keys the blob, which all recipients and copies share.
    AcceptanceId
);
id!(
    /// One commit: the client token of the request and the mark in its change row.
    CommitId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree_and_sort_alike() {
        let low = ItemId::from_bytes([0; 16]);
        let high = ItemId::from_bytes([255; 16]);
        assert_eq!(low.to_string(), "0".repeat(26));
        assert_eq!(high.to_string().parse::<ItemId>(), Ok(high));
        assert!(low.to_string() < high.to_string());
        assert!("8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<ItemId>().is_err());
        assert!("".parse::<ItemId>().is_err());
    }

    #[test]
    fn shape_keeps_the_time() {
        let at = Timestamp::from_millis(1_700_000_000_123);
        let id = ItemId::shaped(at, [0xff; 16]);
        assert_eq!(id.time(), at);
        assert_eq!(id.as_bytes()[6] >> 4, 7);
        assert_eq!(id.as_bytes()[8] >> 6, 2);
    }
}
