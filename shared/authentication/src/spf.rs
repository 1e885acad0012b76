//! The Sender Policy Framework (RFC 7208): may this host send for that name?

mod check;
mod limits;
mod macros;
mod record;

pub(crate) use check::{Query, check};

/// RFC 7208 §2.6.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SpfResult {
    #[default]
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,
    TempError,
    PermError,
}

impl SpfResult {
    /// The keyword of RFC 8601 §2.7.2.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// What was found for one identity.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spf {
    /// That was asked: the name of HELO, or the domain of MAIL FROM. Empty where there is none.
    pub domain: String,
    pub result: SpfResult,
    /// What the domain's owner says to whoever fails (§6.2): printable ASCII, from outside, never to be trusted.
    pub explanation: Option<String>,
}
