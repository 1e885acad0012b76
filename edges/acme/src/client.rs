//! An order's way: RFC 8555 §7.1.6. Each step looks at where the order is, so one that was interrupted goes on from there.

use crate::https::Https;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use instant_acme::{
    AccountCredentials, AuthorizationHandle, AuthorizationStatus, ChallengeStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder,
    Order, OrderStatus, Problem,
};
use penfold_certificates::{Authority, Method, Proof, Refused, Request, Steps};
use penfold_types::Env;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use std::time::Duration;

/// Between two looks at an order, growing.
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(10);
/// How often an order is looked at.
const LOOKS: u32 = 30;

/// Who we are to the authority.
#[derive(Debug, Clone)]
pub struct Account {
    /// The directory's URL.
    pub directory: String,
    /// `mailto:` URLs; whoever names one agrees to the authority's terms.
    pub contacts: Vec<String>,
}

pub struct Acme {
    env: Env,
    account: Account,
    https: Https,
}

impl Acme {
    pub fn new(env: Env, account: Account, https: Https) -> Self {
        Self { env, account, https }
    }

    fn builder(&self) -> instant_acme::AccountBuilder {
        instant_acme::Account::builder_with_http(Box::new(self.https.clone()))
    }

    async fn account(&self, kept: Option<&[u8]>, steps: &dyn Steps) -> Result<instant_acme::Account, Refused> {
        let wrong = |error: serde_json::Error| Refused::new(format!("the account cannot be read: {error}"));
        if let Some(kept) = kept {
            // Where they cannot be read a new account is all that is left.
            let unreadable = |error| Refused { unknown: true, ..wrong(error) };
            let credentials: AccountCredentials = serde_json::from_slice(kept).map_err(unreadable)?;
            return self.builder().from_credentials(credentials).await.map_err(|error| refused(&error));
        }
        let contacts: Vec<&str> = self.account.contacts.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
        let created = self.builder().create(&new, self.account.directory.clone(), None).await;
        let (account, credentials) = created.map_err(|error| refused(&error))?;
        let kept = serde_json::to_vec(&credentials).map_err(wrong)?;
        steps.keep_account(&kept).await?;
        Ok(account)
    }

    /// The one that was begun, or a new one.
    async fn begin(&self, account: &instant_acme::Account, request: &Request, steps: &dyn Steps) -> Result<Order, Refused> {
        if let Some(url) = &request.order {
            match account.order(url.clone()).await {
                Ok(mut order) => {
                    if order.state().status != OrderStatus::Invalid {
                        return Ok(order);
                    }
                }
                Err(Error::Api(problem)) if of_problem(&problem).unknown => return Err(of_problem(&problem)),
                // It is gone, or another account's.
                Err(Error::Api(problem)) => tracing::debug!(%problem, "an order cannot be taken up again"),
                Err(error) => return Err(refused(&error)),
            }
        }
        let names = [Identifier::Dns(request.name.clone())];
        let order = account.new_order(&NewOrder::new(&names)).await.map_err(|error| refused(&error))?;
        steps.begun(order.url()).await?;
        Ok(order)
    }

    async fn prove(order: &mut Order, thumb: &str, methods: &[Method], steps: &dyn Steps) -> Result<(), Refused> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let authorization = authorization.map_err(|error| refused(&error))?;
            match authorization.status {
                AuthorizationStatus::Valid => {}
                AuthorizationStatus::Pending => challenge(authorization, thumb, methods, steps).await?,
                other => return Err(Refused::new(format!("the authority's question is {other:?}")).ended()),
            }
        }
        Ok(())
    }

    /// Until the order is in one of these states; an order that is invalid says why.
    async fn wait(&self, order: &mut Order, until: &[OrderStatus]) -> Result<(), Refused> {
        let mut pause = FIRST;
        for _ in 0..LOOKS {
            let state = order.refresh().await.map_err(|error| refused(&error))?;
            if until.contains(&state.status) {
                return Ok(());
            }
            if state.status == OrderStatus::Invalid {
                return Err(self.why(order).await.ended());
            }
            self.env.sleep(pause).await;
            pause = (pause * 3 / 2).min(LAST);
        }
        Err(Refused::new("the authority does not come to an end with the order"))
    }

    /// The order's own error is seldom there; its challenges say more.
    async fn why(&self, order: &mut Order) -> Refused {
        if let Some(problem) = order.state().error.as_ref().map(of_problem) {
            return problem;
        }
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            let Ok(state) = authorization.refresh().await else { continue };
            if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
                return of_problem(problem);
            }
        }
        Refused::new("the authority says that the order is invalid")
    }

    async fn chain(&self, order: &mut Order, request: &Request) -> Result<String, Refused> {
        if order.state().status == OrderStatus::Ready {
            let csr = csr(&request.name, &request.key).map_err(|error| Refused::new(format!("no request can be made: {error}")))?;
            order.finalize_csr(&csr).await.map_err(|error| refused(&error))?;
        }
        if order.state().status != OrderStatus::Valid {
            self.wait(order, &[OrderStatus::Valid]).await?;
        }
        let chain = order.certificate().await.map_err(|error| refused(&error))?;
        chain.ok_or_else(|| Refused::new("the authority gives no certificate"))
    }
}

#[async_trait]
impl Authority for Acme {
    fn name(&self) -> &str {
        &self.account.directory
    }

    async fn order(&self, request: Request, steps: &dyn Steps) -> Result<String, Refused> {
        let account = self.account(request.account.as_deref(), steps).await?;
        let mut order = self.begin(&account, &request, steps).await?;
        if order.state().status == OrderStatus::Pending {
            Self::prove(&mut order, account.key_thumbprint(), &request.methods, steps).await?;
            self.wait(&mut order, &[OrderStatus::Ready, OrderStatus::Valid]).await?;
        }
        self.chain(&mut order, &request).await
    }
}

/// Shows the proof of the first method that the authority offers and that can be shown. One that the authority is looking at
/// already, since before we were interrupted, is shown again and not asked for twice.
async fn challenge(authorization: AuthorizationHandle<'_>, thumb: &str, methods: &[Method], steps: &dyn Steps) -> Result<(), Refused> {
    // Shortens the handle's lifetime, which its challenge takes up whole.
    let mut authorization = authorization;
    let begun = authorization.challenges.iter().find(|one| one.status != ChallengeStatus::Pending).and_then(|one| method(&one.r#type));
    let mut shown = None;
    for method in begun.into_iter().chain(methods.iter().copied()) {
        let Some(offered) = authorization.challenges.iter().find(|one| one.r#type == kind(method)) else { continue };
        let key_authorization = format!("{}.{thumb}", offered.token);
        let digest = digest(&SHA256, key_authorization.as_bytes()).as_ref().to_vec();
        let proof = Proof { method, token: offered.token.clone(), key_authorization, digest };
        if steps.show(&proof).await? {
            shown = Some(method);
            break;
        }
    }
    let shown = shown.ok_or_else(|| Refused::new("the authority offers no challenge that can be met here"))?;
    match authorization.challenge(kind(shown)) {
        Some(mut challenge) if challenge.status == ChallengeStatus::Pending => challenge.set_ready().await.map_err(|error| refused(&error)),
        _ => Ok(()),
    }
}

fn kind(method: Method) -> ChallengeType {
    match method {
        Method::Http => ChallengeType::Http01,
        Method::Dns => ChallengeType::Dns01,
        Method::TlsAlpn => ChallengeType::TlsAlpn01,
    }
}

fn method(of: &ChallengeType) -> Option<Method> {
    [Method::Http, Method::Dns, Method::TlsAlpn].into_iter().find(|method| kind(*method) == *of)
}

/// RFC 8555 §7.4: the name, and nothing else.
fn csr(name: &str, key: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = CertificateParams::new(vec![name.to_owned()])?;
    parameters.distinguished_name = DistinguishedName::new();
    Ok(parameters.serialize_request(&pair)?.der().to_vec())
}

fn of_problem(problem: &Problem) -> Refused {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    let busy = kind.ends_with(":rateLimited") || problem.status == Some(429);
    let unknown = kind.ends_with(":accountDoesNotExist");
    Refused { busy, unknown, ..Refused::new(problem.to_string()) }
}

fn refused(error: &Error) -> Refused {
    match error {
        Error::Api(problem) => of_problem(problem),
        other => Refused::new(other.to_string()),
    }
}
