//! Small numbers of their own types, so that a uid is never taken for a modseq.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            pub const fn get(self) -> $inner {
                self.0
            }

            /// The number after it; the last one stays.
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// The number of a commit in its account, from 1 (RFC 7162 §3: a positive 63-bit value).
    Modseq,
    u64
);
number!(
    /// Unique identifier of a message in its folder (RFC 9051 §2.3.1.1), from 1, never reused.
    Uid,
    u32
);
number!(
    /// RFC 9051 §2.3.1.1.
    UidValidity,
    u32
);
