//! The second factor: codes by time (TOTP, RFC 6238 with SHA-1, six digits and 30 seconds, which is what every app reads),
//! and recovery codes for when the phone is lost. A code is taken once.

use crate::rows::{sk, time};
use crate::store::Refused;
use crate::{Directory, Operator, access, app_password};
use aws_lc_rs::{constant_time, hmac};
use data_encoding::BASE32_NOPAD;
use penfold_ports::{Account, Row, When, Write};
use penfold_types::{CommitId, Error, Result, Timestamp};

const STEP: i64 = 30;
const DIGITS: u32 = 6;
/// Steps before and after the present one that count as well: clocks differ.
const SKEW: i64 = 1;
/// Octets of the shared secret (RFC 4226 §4 asks for 160 bits).
const SECRET: usize = 20;
const CODES: usize = 10;

/// A shared secret that waits for its first code.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// In base32, for typing it in.
    pub secret: String,
    /// `otpauth://`, for a QR code.
    pub uri: String,
}

/// RFC 4226 §5.3 over the number of the step.
fn code_at(secret: &[u8], step: i64) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
    let word = bytes.get(offset..offset + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes);
    format!("{:0width$}", (word & 0x7fff_ffff) % 10u32.pow(DIGITS), width = DIGITS as usize)
}

/// The step whose code this is, of those around now that come after `last`.
fn step_of(secret: &[u8], code: &str, now: Timestamp, last: i64) -> Option<i64> {
    let here = now.seconds().div_euclid(STEP);
    let mut around = (here - SKEW..=here + SKEW).filter(|step| *step > last);
    around.find(|step| constant_time::verify_slices_are_equal(code_at(secret, *step).as_bytes(), code.as_bytes()).is_ok())
}

/// What belongs to the sealed secret: it opens for its own person only.
fn belongs_to(account: Account) -> Vec<u8> {
    format!("totp#{}", account.principal).into_bytes()
}

impl Directory {
    /// A new secret, which counts once its first code was given. One that counts already stays until then.
    pub async fn begin_second_factor(&self, account: Account) -> Result<NewSecret> {
        let principal = self.principal_now(account).await?;
        let mut secret = [0; SECRET];
        self.env().fill(&mut secret);
        let sealed = self.seal(account.tenant, &belongs_to(account), &secret).await?;
        let row = Row::new().with("k", sealed).with("at", time(self.env().now()));
        let key = access::organisation(account.tenant).principal(account.principal, sk::totp_next());
        self.store().put(Write::put(key, row)).await?;
        let shown = BASE32_NOPAD.encode(&secret);
        let label: String =
            principal.address.to_string().chars().map(|c| if matches!(c, '%' | '?' | '#' | '&' | ' ' | '"') { '_' } else { c }).collect();
        Ok(NewSecret { uri: format!("otpauth://totp/Penfold:{label}?secret={shown}&issuer=Penfold"), secret: shown })
    }

    /// The first code of a new secret: from here on it is asked for. Gives back the recovery codes, which are nowhere else.
    pub async fn confirm_second_factor(&self, operator: &Operator, account: Account, code: &str) -> Result<Vec<String>> {
        let scope = access::organisation(account.tenant);
        let next = scope.principal(account.principal, sk::totp_next());
        let row = self.store().get(&next).await?.ok_or_else(|| Error::not_found("no second factor waits to be confirmed"))?;
        let sealed = row.bytes("k").cloned().unwrap_or_default();
        let secret = self.open(account.tenant, &belongs_to(account), &sealed).await?;
        let step = step_of(&secret, code.trim(), self.env().now(), 0).ok_or_else(|| Error::invalid("the code is not the right one"))?;
        let (codes, kept) = self.recovery_codes(account).await?;
        let row = Row::new().with("k", sealed).with("sp", step.unsigned_abs()).with("at", time(self.env().now()));
        let writes = vec![
            Write::put(scope.principal(account.principal, sk::totp()), row),
            Write::put(scope.principal(account.principal, sk::recovery_codes()), kept),
            Write::Delete { key: next, when: When::Present },
        ];
        operator.change_second_factor(account, writes, true).await?;
        Ok(codes)
    }

    /// Takes it away, with its codes.
    pub async fn end_second_factor(&self, operator: &Operator, account: Account) -> Result<()> {
        let scope = access::organisation(account.tenant);
        let writes = [sk::totp(), sk::totp_next(), sk::recovery_codes()].map(|sk| Write::delete(scope.principal(account.principal, sk)));
        operator.change_second_factor(account, writes.to_vec(), false).await
    }

    /// Whether a code is right: by time, or one of the recovery codes. It is used up with that.
    pub(crate) async fn second_factor(&self, account: Account, code: &str) -> Result<bool> {
        let code: String = code.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if code.len() == DIGITS as usize { self.timed_code(account, &code).await } else { self.recovery_code(account, &code).await }
    }

    async fn timed_code(&self, account: Account, code: &str) -> Result<bool> {
        let key = access::organisation(account.tenant).principal(account.principal, sk::totp());
        let Some(row) = self.store().get(&key).await? else { return Ok(false) };
        let last = row.u64("sp").unwrap_or(0);
        let secret = self.open(account.tenant, &belongs_to(account), row.bytes("k").map_or(&[][..], |bytes| bytes)).await?;
        let Some(step) = step_of(&secret, code, self.env().now(), i64::try_from(last).unwrap_or(i64::MAX)) else { return Ok(false) };
        let when = When::Equal(vec![("sp".into(), last.into())]);
        match self.store().once(Write::Update { key, set: vec![("sp".into(), step.unsigned_abs().into())], remove: vec![], when }).await {
            Ok(()) => Ok(true),
            // Somebody else used this very code a moment ago.
            Err(Refused::Condition(_)) => Ok(false),
            Err(Refused::Other(error)) => Err(error),
        }
    }

    async fn recovery_code(&self, account: Account, code: &str) -> Result<bool> {
        let key = access::organisation(account.tenant).principal(account.principal, sk::recovery_codes());
        let Some(row) = self.store().get(&key).await? else { return Ok(false) };
        let before = row.bytes("h").cloned().unwrap_or_default();
        let version = row.u64("kv").and_then(|version| u32::try_from(version).ok()).unwrap_or(1);
        let data_key = self.data_key_version(account.tenant, version).await?;
        let tag = app_password::tag(&data_key, account.principal, &code.to_ascii_lowercase());
        let left: Vec<&[u8]> = before.chunks(tag.len()).filter(|kept| !app_password::same(kept, &tag)).collect();
        if left.len() * tag.len() == before.len() {
            return Ok(false);
        }
        let when = When::Equal(vec![("h".into(), before.clone().into())]);
        match self.store().once(Write::Update { key, set: vec![("h".into(), left.concat().into())], remove: vec![], when }).await {
            Ok(()) => Ok(true),
            Err(Refused::Condition(_)) => Ok(false),
            Err(Refused::Other(error)) => Err(error),
        }
    }

    /// Ten codes of 50 bits as they are shown, and the row that keeps what is needed to know them.
    async fn recovery_codes(&self, account: Account) -> Result<(Vec<String>, Row)> {
        let data_key = self.data_key(account.tenant).await?;
        let (mut shown, mut kept) = (Vec::with_capacity(CODES), Vec::new());
        for _ in 0..CODES {
            let text: String = CommitId::to_string(&self.secret()).chars().skip(1).take(10).collect();
            kept.extend(app_password::tag(&data_key, account.principal, &text));
            let (first, last) = text.split_at(5);
            shown.push(format!("{first}-{last}"));
        }
        Ok((shown, Row::new().with("h", kept).with("kv", data_key.version)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, of whose eight digits the last six are ours.
    #[test]
    fn the_codes_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(secret, seconds / STEP), code, "{seconds}");
            assert_eq!(step_of(secret, code, Timestamp::from_seconds(seconds), 0), Some(seconds / STEP));
            assert_eq!(step_of(secret, code, Timestamp::from_seconds(seconds), seconds / STEP), None, "used before");
            assert_eq!(step_of(secret, code, Timestamp::from_seconds(seconds + 61), 0), None, "too old");
        }
    }
}
