//! How typed passwords are hashed. A parameter, so that a simulated world, which has one thread and no blocking tasks,
//! brings a cheap one.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{constant_time, hmac};
use penfold_types::{Error, Result};

pub trait Hasher: Send + Sync {
    /// The hash with its parameters, as a PHC string.
    fn hash(&self, secret: &str, salt: &[u8; 16]) -> Result<String>;

    /// False also where `hash` is not one that this hasher reads.
    fn verify(&self, secret: &str, hash: &str) -> bool;

    /// True where the work belongs on a thread of its own.
    fn blocking(&self) -> bool;
}

/// RFC 9106 argon2id with 19 MiB, two passes and one lane.
#[derive(Debug, Clone, Copy, Default)]
pub struct Argon2id;

fn argon2id() -> Result<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|e| Error::broken("the password cannot be hashed").because(e))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

impl Hasher for Argon2id {
    fn hash(&self, secret: &str, salt: &[u8; 16]) -> Result<String> {
        let hash = argon2id()?.hash_password_with_salt(secret.as_bytes(), salt);
        hash.map(|hash| hash.to_string()).map_err(|e| Error::broken("the password cannot be hashed").because(e))
    }

    fn verify(&self, secret: &str, hash: &str) -> bool {
        // The parameters are those of the stored hash, so they can be raised later without a flag day.
        argon2id().is_ok_and(|argon2| argon2.verify_password(secret.as_bytes(), hash).is_ok())
    }

    fn blocking(&self) -> bool {
        true
    }
}

/// For simulations and tests only: one HMAC.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cheap;

impl Hasher for Cheap {
    fn hash(&self, secret: &str, salt: &[u8; 16]) -> Result<String> {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), secret.as_bytes());
        Ok(format!("$cheap${}${}", hex(salt), hex(tag.as_ref())))
    }

    fn verify(&self, secret: &str, hash: &str) -> bool {
        let Some((salt, _)) = hash.strip_prefix("$cheap$").and_then(|rest| rest.split_once('$')) else { return false };
        let Some(salt) = unhex(salt) else { return false };
        self.hash(secret, &salt).is_ok_and(|again| constant_time::verify_slices_are_equal(again.as_bytes(), hash.as_bytes()).is_ok())
    }

    fn blocking(&self) -> bool {
        false
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hashers_tell_right_from_wrong() {
        let hashers: [&dyn Hasher; 2] = [&Argon2id, &Cheap];
        for hasher in hashers {
            let hash = hasher.hash("correct horse", &[7; 16]).unwrap();
            assert!(hasher.verify("correct horse", &hash), "{hash}");
            assert!(!hasher.verify("correct horsf", &hash));
            assert!(!hasher.verify("correct horse", "nonsense"));
        }
        assert!(Argon2id.hash("x", &[7; 16]).unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}
