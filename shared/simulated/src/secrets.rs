use crate::call::{Fate, Shared};
use async_trait::async_trait;
use penfold_ports::{PortError, Secrets};
use penfold_types::TenantId;
use std::sync::Arc;

/// Keeps nothing secret: the tenant and the number of its secret in front of a mask, so that a mix-up is noticed.
pub(crate) struct SimSecrets(pub(crate) Arc<Shared>);

/// What there is for a tenant that anything was ever asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Secret {
    /// The number of its secret; no two have the same.
    Living(u64),
    Destroyed,
}

fn mask(key: [u8; 32], secret: u64) -> [u8; 32] {
    let mask = secret.to_be_bytes();
    std::array::from_fn(|i| key[i] ^ mask[i % 8] ^ 0xa5)
}

fn front(tenant: TenantId, secret: u64) -> Vec<u8> {
    [&tenant.as_bytes()[..], &secret.to_be_bytes()].concat()
}

impl SimSecrets {
    /// A change, of which the answer may get lost.
    async fn change(
        &self,
        name: &str,
        tenant: TenantId,
        change: impl FnOnce(Option<Secret>, u64) -> Option<Secret>,
    ) -> Result<(), PortError> {
        self.0.call(name, tenant.as_bytes()).await?;
        let mut state = self.0.state.lock();
        let fate = state.fate();
        if fate != Fate::Lost {
            let next = state.next_secret();
            if let Some(secret) = change(state.secrets.get(&tenant).copied(), next) {
                state.secrets.insert(tenant, secret);
            }
        }
        drop(state);
        self.0.answer(name, if fate == Fate::Fine { Ok(()) } else { Err(PortError::Unknown) })
    }
}

#[async_trait]
impl Secrets for SimSecrets {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        self.0.call("wrap", tenant.as_bytes()).await?;
        let secret = {
            let mut state = self.0.state.lock();
            let next = state.next_secret();
            *state.secrets.entry(tenant).or_insert(Secret::Living(next))
        };
        self.0.answer(
            "wrap",
            match secret {
                Secret::Living(secret) => Ok([front(tenant, secret), mask(*key, secret).to_vec()].concat()),
                Secret::Destroyed => Err(PortError::Destroyed),
            },
        )
    }

    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        self.0.call("unwrap", tenant.as_bytes()).await?;
        let secret = self.0.state.lock().secrets.get(&tenant).copied();
        let wrong = || PortError::Broken("the key was not wrapped here for this tenant".to_owned());
        self.0.answer(
            "unwrap",
            match secret {
                Some(Secret::Destroyed) => Err(PortError::Destroyed),
                Some(Secret::Living(secret)) => {
                    let key = wrapped.strip_prefix(&front(tenant, secret)[..]).and_then(|key| key.try_into().ok());
                    key.map(|key| mask(key, secret)).ok_or_else(wrong)
                }
                None => Err(wrong()),
            },
        )
    }

    async fn destroy(&self, tenant: TenantId) -> Result<(), PortError> {
        self.change("destroy", tenant, |_, _| Some(Secret::Destroyed)).await
    }

    async fn renew(&self, tenant: TenantId) -> Result<(), PortError> {
        self.change("renew", tenant, |there, next| (there == Some(Secret::Destroyed)).then_some(Secret::Living(next))).await
    }
}
