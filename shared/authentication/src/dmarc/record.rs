//! DMARC records (RFC 9989 §4.7, §4.8). Unknown tags are ignored, `pct` among them, which is gone.

use crate::tags::trim;

/// What the owner asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Policy {
    #[default]
    None,
    Quarantine,
    Reject,
}

impl Policy {
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// One step down.
    pub fn less(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            _ => Self::None,
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject].into_iter().find(|policy| policy.keyword().eq_ignore_ascii_case(text))
    }
}

/// How near a name must be to the author's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Alignment {
    #[default]
    Relaxed,
    Strict,
}

/// Whether a domain is a Public Suffix Domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Psd {
    Yes,
    No,
    #[default]
    Unknown,
}

/// A record as it was published.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Published {
    /// `None` where the record has none that is valid.
    pub p: Option<Policy>,
    pub sp: Option<Policy>,
    pub np: Option<Policy>,
    pub adkim: Alignment,
    pub aspf: Alignment,
    pub psd: Psd,
    /// `t=y`
    pub testing: bool,
    /// As it is written; `0` where it is not.
    pub fo: String,
    /// URIs of aggregate and of failure reports.
    pub rua: Vec<String>,
    pub ruf: Vec<String>,
}

/// URIs of one tag.
const URIS: usize = 10;

impl Published {
    /// `None` where the text is no DMARC record.
    pub fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut tags = text.split(';').take(64).map(|tag| tag.split_once('=').map(|(name, value)| (name.trim_ascii(), value.trim_ascii())));
        // The version comes first and is in one case.
        tags.next().flatten().filter(|(name, value)| name.eq_ignore_ascii_case("v") && *value == "DMARC1")?;
        let mut out = Self { fo: "0".to_owned(), ..Self::default() };
        let (mut seen, mut broken) = (Vec::new(), false);
        for (name, value) in tags.flatten() {
            let name = name.to_ascii_lowercase();
            if seen.contains(&name) {
                continue;
            }
            let is = |other: &str| value.eq_ignore_ascii_case(other);
            match name.as_str() {
                "p" => out.p = Policy::read(value),
                "sp" | "np" => {
                    let policy = Policy::read(value);
                    broken |= policy.is_none();
                    *(if name == "sp" { &mut out.sp } else { &mut out.np }) = policy;
                }
                "adkim" if is("s") => out.adkim = Alignment::Strict,
                "aspf" if is("s") => out.aspf = Alignment::Strict,
                "psd" if is("y") => out.psd = Psd::Yes,
                "psd" if is("n") => out.psd = Psd::No,
                "t" => out.testing = is("y"),
                "fo" => out.fo = value.chars().filter(|c| "01ds:".contains(*c)).take(16).collect(),
                "rua" => out.rua = uris(value),
                "ruf" => out.ruf = uris(value),
                _ => (),
            }
            seen.push(name);
        }
        if broken {
            // §4.10.1: as if `p` were not valid.
            (out.p, out.sp, out.np) = (None, None, None);
        }
        Some(out)
    }

    /// Whether the record asks for anything: a policy, or at least reports.
    pub fn counts(&self) -> bool {
        self.p.is_some() || !self.rua.is_empty()
    }

    pub fn for_itself(&self) -> Policy {
        self.p.unwrap_or_default()
    }

    pub fn for_subdomains(&self) -> Policy {
        self.sp.unwrap_or(self.for_itself())
    }

    pub fn for_nonexistent(&self) -> Policy {
        self.np.unwrap_or(self.for_subdomains())
    }
}

fn uris(text: &str) -> Vec<String> {
    let uri = |text: &str| {
        let text = std::str::from_utf8(trim(text.as_bytes())).unwrap_or_default();
        let scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        });
        (scheme && text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
    };
    text.split(',').filter_map(uri).take(URIS).collect()
}
