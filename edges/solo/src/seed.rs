//! What the first start finds: the tenants of a seed file, or a demo tenant to try things out with.

use penfold_directory::{Directory, NewPerson, Operator};
use penfold_types::{Address, Domain, Env, Result};
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    #[serde(default)]
    tenant: Vec<SeedTenant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedTenant {
    name: String,
    domains: Vec<Domain>,
    #[serde(default)]
    people: Vec<SeedPerson>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedPerson {
    address: Address,
    /// Without one the person receives, and signs in once there is one.
    password: Option<String>,
    #[serde(default)]
    name: String,
}

impl Seed {
    /// An error is one sentence for the person who wrote the file.
    pub fn read(path: &Path) -> std::result::Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read the seed file {}: {e}", path.display()))?;
        toml::from_str(&text).map_err(|e| format!("{}: {}", path.display(), e.to_string().trim().replace('\n', " ")))
    }

    /// Creates what is absent and leaves alone what is there.
    pub async fn plant(&self, directory: &Directory) -> Result<()> {
        let operator = directory.operator();
        for tenant in &self.tenant {
            operator.ensure_tenant(&tenant.name).await?;
            for domain in &tenant.domains {
                operator.ensure_domain(&tenant.name, domain).await?;
            }
            for person in &tenant.people {
                let name = if person.name.is_empty() { person.address.local().to_owned() } else { person.name.clone() };
                let new = NewPerson { address: person.address.clone(), name, password: person.password.clone(), quota: None };
                operator.ensure_person(&new).await?;
            }
        }
        Ok(())
    }
}

const DEMO_TENANT: &str = "Demo";
const DEMO_DOMAIN: &str = "demo.test";
const DEMO_PEOPLE: [(&str, &str); 2] = [("ann", "Ann Demo"), ("bob", "Bob Demo")];

/// Somebody whom the demo tenant has, and the password where it was made just now.
#[derive(Debug)]
pub struct DemoPerson {
    pub address: Address,
    pub password: Option<String>,
}

/// Makes the demo tenant at the very first start; `None` where there are other tenants.
pub async fn demo(env: &Env, operator: &Operator) -> Result<Option<Vec<DemoPerson>>> {
    let tenants = operator.tenants(None, 2).await?.items;
    if !tenants.iter().all(|tenant| tenant.name == DEMO_TENANT) {
        return Ok(None);
    }
    operator.ensure_tenant(DEMO_TENANT).await?;
    let domain: Domain = DEMO_DOMAIN.parse().map_err(|_| penfold_types::Error::broken("the demo domain is no domain"))?;
    operator.ensure_domain(DEMO_TENANT, &domain).await?;
    let mut people = Vec::new();
    for (local, name) in DEMO_PEOPLE {
        let address: Address =
            format!("{local}@{DEMO_DOMAIN}").parse().map_err(|_| penfold_types::Error::broken("a demo address is no address"))?;
        let password = password(env);
        let new = NewPerson { address: address.clone(), name: name.to_owned(), password: Some(password.clone()), quota: None };
        let (_, made) = operator.ensure_person(&new).await?;
        people.push(DemoPerson { address, password: made.then_some(password) });
    }
    Ok(Some(people))
}

/// Sixteen characters that are told apart when read aloud: 80 bits.
fn password(env: &Env) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 16];
    env.fill(&mut bytes);
    bytes.iter().map(|byte| LETTERS[usize::from(byte % 32)] as char).collect()
}
