use serde::Deserialize;
use std::net::IpAddr;
use std::str::FromStr;

/// An address to send from: `ADDRESS` for everybody's mail, `POOL=ADDRESS` for that of tenants whose pool it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Source {
    pub pool: Option<String>,
    pub address: IpAddr,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pool, address) = text.split_once('=').map_or((None, text), |(pool, address)| (Some(pool), address));
        let wrong = || format!("{text} is no source; write an address, or POOL=ADDRESS");
        let address = address.parse().map_err(|_| wrong())?;
        match pool {
            Some("") => Err(wrong()),
            pool => Ok(Self { pool: pool.map(str::to_owned), address }),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_a_pool() {
        let address = "2001:db8::1".parse().unwrap();
        assert_eq!("2001:db8::1".parse(), Ok(Source { pool: None, address }));
        assert_eq!("bulk=2001:db8::1".parse(), Ok(Source { pool: Some("bulk".to_owned()), address }));
        for bad in ["", "=192.0.2.1", "bulk=", "bulk"] {
            assert!(bad.parse::<Source>().is_err(), "{bad}");
        }
    }
}
