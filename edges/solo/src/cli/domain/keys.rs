use super::{Of, domains};
use crate::control::{Context, Reply};
use penfold_domains::{PublicKey, Rotation};
use penfold_types::{Domain, Result};
use serde_json::json;

pub async fn rotate(context: &Context, reply: &Reply, of: &Of, domain: &Domain, force: bool) -> Result<()> {
    let tenant = of.find(context, domain).await?;
    let (keys, done, text) = match domains(context).rotate(tenant, domain, force).await? {
        Rotation::Made(keys) => {
            (keys, "made", "are made; publish their records (penfold domain records), and they sign once they are seen")
        }
        Rotation::Waiting(keys) => (keys, "waiting", "wait: their records are not seen yet"),
        Rotation::Activated(keys) => (keys, "active", "sign from now on; leave the records of the old ones for two weeks"),
    };
    let selectors: Vec<String> = keys.into_iter().map(|PublicKey { selector, .. }| selector).collect();
    let value = json!({ "domain": domain.as_str(), "selectors": selectors, "state": done });
    reply.say(format!("the keys {} of {domain} {text}", selectors.join(" and ")), value).await
}
