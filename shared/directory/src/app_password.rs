//! App passwords: generated, 128 bits, shown once. Nobody can guess one, so a keyed hash does and takes microseconds; its
//! key comes from the tenant's data key and is destroyed with it.

use crate::keys::DataKey;
use aws_lc_rs::{constant_time, hmac};
use penfold_types::{CommitId, Env, PrincipalId};

/// Four groups of letters and digits with hyphens between them, as it is shown.
pub(crate) fn generate(env: &Env) -> String {
    let mut bits = [0; 16];
    env.fill(&mut bits);
    let text = CommitId::from_bytes(bits).to_string();
    let mut shown = String::with_capacity(32);
    for (index, c) in text.chars().enumerate() {
        if index > 0 && index % 7 == 0 {
            shown.push('-');
        }
        shown.push(c);
    }
    shown
}

/// The 26 characters without what people and clients add when they copy; `None` where it cannot be an app password.
pub(crate) fn normalise(secret: &str) -> Option<String> {
    if secret.len() > 64 {
        return None;
    }
    let text: String = secret.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    text.parse::<CommitId>().is_ok().then_some(text)
}

/// What is kept of one.
pub(crate) fn tag(key: &DataKey, owner: PrincipalId, normal: &str) -> Vec<u8> {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.key), b"penfold app password");
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()));
    context.update(owner.as_bytes());
    context.update(normal.as_bytes());
    context.sign().as_ref().to_vec()
}

pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again_as_people_type_it() {
        let shown = generate(&Env::system());
        assert_eq!(shown.split('-').count(), 4);
        let normal = normalise(&shown).unwrap();
        assert_eq!(normalise(&shown.to_uppercase().replace('-', " ")), Some(normal));
        assert_eq!(normalise("correct horse battery staple"), None);
    }
}
