//! What a tenant's domain needs in DNS, and the keys that its mail is signed with.
//!
//! | file | what |
//! |---|---|
//! | keys.rs, selector.rs | pairs of DKIM keys, made when they are first needed |
//! | signers.rs | signatures for mail that leaves |
//! | rotation.rs | a new pair every half year, and when the old one goes |
//! | records.rs, wanted.rs | the records that a domain should have |
//! | sts.rs | the MTA-STS policy that goes with them |
//! | check.rs, check/ | what is found in DNS instead, and how to mend it |
//! | ownership.rs | the proof that a domain is its tenant's |
//! | publish.rs | records put into a zone by whoever keeps it |
//! | zone.rs | records as a zone file |

mod check;
mod keys;
mod ownership;
mod publish;
mod records;
mod rotation;
mod selector;
mod signers;
mod sts;
mod wanted;
mod zone;

#[cfg(test)]
mod tests;

pub use check::{Finding, Report, Verdict, leads_to};
pub use keys::{Domains, PublicKey};
pub use ownership::{Proof, sign_up_record};
pub use penfold_authentication::Algorithm;
pub use publish::{Done, Primary, Published};
pub use records::{Aim, Data, Need, Record};
pub use rotation::{Act, LIFE, PUBLISHED, Rotation};
pub use signers::Signers;
pub use sts::mta_sts_policy;
pub use wanted::wanted;
pub use zone::zone_file;
