//! A policy's text: RFC 8461 §3.2.

use std::str::FromStr;
use std::time::Duration;

/// RFC 8461 §3.2, max_age: about a year.
const MAX_AGE: u64 = 31_557_600;
/// Patterns of one policy.
const PATTERNS: usize = 500;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Enforce,
    Testing,
    None,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    pub mode: Mode,
    /// In lower case; `*.` stands for one label.
    pub mx: Vec<String>,
    pub max_age: Duration,
    /// Its lines, for reports.
    pub lines: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("it does not begin with version: STSv1")]
    Version,
    #[error("mode is missing or unknown")]
    Mode,
    #[error("max_age is missing or no number")]
    MaxAge,
    #[error("it names no host, or too many")]
    Mx,
    #[error("a line is no field")]
    Field,
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (mut version, mut mode, mut max_age, mut mx, mut lines) = (None, None, None, Vec::new(), Vec::new());
        for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(PolicyError::Field)?;
            let value = value.trim();
            // The first of a field counts; but hosts are many.
            match name.trim() {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" => mx.push(value.trim_end_matches('.').to_ascii_lowercase()),
                _ => {}
            }
            if lines.len() < PATTERNS {
                lines.push(line.to_owned());
            }
        }
        if version != Some("STSv1") {
            return Err(PolicyError::Version);
        }
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            _ => return Err(PolicyError::Mode),
        };
        let number = max_age.filter(|digits| (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
        let max_age: u64 = number.and_then(|digits| digits.parse().ok()).ok_or(PolicyError::MaxAge)?;
        if mx.len() > PATTERNS || (mx.is_empty() && mode != Mode::None) {
            return Err(PolicyError::Mx);
        }
        Ok(Self { mode, mx, max_age: Duration::from_secs(max_age.min(MAX_AGE)), lines })
    }
}

impl Policy {
    /// RFC 8461 §4.1: a wildcard stands for exactly one label.
    pub fn allows(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => *pattern == host,
        })
    }
}
