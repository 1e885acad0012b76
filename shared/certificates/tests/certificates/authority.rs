use async_trait::async_trait;
use parking_lot::Mutex;
use penfold_certificates::*;
use penfold_types::{Env, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use std::sync::Arc;
use std::time::Duration;

/// What the authority does with the next orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    Refuses,
    /// Fails at an order that was begun before, every time.
    Stuck,
    /// Wants fewer requests.
    Busy,
    /// Has forgotten who we are.
    Forgetful,
    /// Never answers.
    Silent,
    /// Gives what is no certificate.
    Garbage,
    /// Gives one for another key, or for another name, or one that is over.
    OtherKey,
    OtherName,
    Expired,
}

/// One request, and what was seen while it was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub name: String,
    pub account: Option<Vec<u8>>,
    pub order: Option<String>,
    pub key: Vec<u8>,
    pub first: Method,
}

pub struct Fake {
    env: Env,
    pub mood: Mutex<Mood>,
    pub seen: Mutex<Vec<Seen>>,
    /// What it looks for by HTTP.
    pub token: Mutex<String>,
    issuer: Issuer<'static, KeyPair>,
}

/// How long its certificates are good.
pub const LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

impl Fake {
    pub fn new(env: Env) -> Arc<Self> {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = Issuer::new(parameters, KeyPair::generate().unwrap());
        Arc::new(Self { env, mood: Mutex::new(Mood::Good), seen: Mutex::default(), token: Mutex::new("token_1".to_owned()), issuer })
    }

    pub fn be(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    pub fn orders(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock())
    }

    fn issue(&self, name: &str, key: &[u8], from: Timestamp) -> String {
        let at = |at: Timestamp| time::OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap();
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) = (at(from), at(from.plus(LIFE)));
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        parameters.signed_by(&key, &self.issuer).unwrap().pem()
    }
}

#[async_trait]
impl Authority for Fake {
    fn name(&self) -> &str {
        "https://authority.test/directory"
    }

    async fn order(&self, request: Request, steps: &dyn Steps) -> Result<String, Refused> {
        let Request { name, key, account, order, methods } = request;
        let seen = Seen { name: name.clone(), account: account.clone(), order: order.clone(), key: key.clone(), first: methods[0] };
        self.seen.lock().push(seen);
        let (mood, token) = (*self.mood.lock(), self.token.lock().clone());
        if account.is_none() {
            steps.keep_account(b"our account").await?;
        }
        if order.is_none() {
            steps.begun("https://authority.test/order/1").await?;
        }
        let proof = Proof { method: methods[0], token: token.clone(), key_authorization: format!("{token}.thumb"), digest: vec![7; 32] };
        assert!(steps.show(&proof).await?);
        match mood {
            Mood::Refuses => return Err(Refused::new("it does not lead to you").ended()),
            Mood::Stuck if order.is_some() => return Err(Refused::new("the order cannot be had")),
            Mood::Busy => return Err(Refused { busy: true, ..Refused::new("too many orders") }),
            Mood::Forgetful if account.is_some() => {
                return Err(Refused { unknown: true, ..Refused::new("there is no such account") });
            }
            Mood::Silent => std::future::pending().await,
            Mood::Garbage => return Ok("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
            _ => {}
        }
        let now = self.env.now();
        Ok(match mood {
            Mood::OtherKey => self.issue(&name, &KeyPair::generate().unwrap().serialize_der(), now),
            Mood::OtherName => self.issue("somebody.else.test", &key, now),
            Mood::Expired => self.issue(&name, &key, Timestamp::from_seconds(now.seconds() - 91 * 24 * 3600)),
            _ => self.issue(&name, &key, now),
        })
    }
}
