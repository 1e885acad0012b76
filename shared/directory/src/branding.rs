//! How a tenant wants to be seen: its name, colours, logo, and where its people find help. Only what was set is there.

use crate::rows::{TenantStatus, sk};
use crate::{Directory, Operator, access};
use aws_lc_rs::digest;
use bytes::Bytes;
use penfold_ports::{Name, Row, Value, When, Write};
use penfold_types::{Address, Error, Result, TenantId};
use serde::{Deserialize, Serialize};

/// Bytes of a logo.
pub const LOGO: usize = 64 * 1024;
/// Bytes of a web address.
const URL: usize = 500;

/// What is `None` was not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Branding {
    pub display_name: Option<String>,
    pub accent: Option<Colour>,
    /// Beside the accent.
    pub second: Option<Colour>,
    pub support_address: Option<Address>,
    pub support_url: Option<String>,
    pub logo: Option<LogoInfo>,
    /// Moves with each change; 0 where nothing was ever set.
    pub revision: u64,
}

/// What is said of a logo without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoInfo {
    pub kind: LogoKind,
    pub size: u64,
    /// Of these bytes, and of no others.
    pub tag: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogoKind {
    Png,
    Jpeg,
    WebP,
}

impl LogoKind {
    pub(crate) const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::WebP];

    /// What the bytes are, whatever is said of them.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16) == Some(b"IHDR") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else {
            None
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

/// `#rrggbb`, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    pub const WHITE: Self = Self([255; 3]);
    pub const BLACK: Self = Self([0; 3]);

    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// Relative luminance (WCAG 2.1).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// 1 to 21 (WCAG 2.1).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Black or white, whichever reads better on it: that is always at least 4.5 (WCAG 2.1 §1.4.3).
    pub fn text_on_it(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// What is said of a picture; `None` where the bytes are none of those that are shown here.
pub(crate) fn picture(bytes: &Bytes) -> Option<LogoInfo> {
    let kind = LogoKind::of(bytes)?;
    let hash = digest::digest(&digest::SHA256, bytes);
    let tag = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(LogoInfo { kind, size: bytes.len() as u64, tag })
}

impl Branding {
    fn read(row: &Row) -> Self {
        let text = |name: &'static str| row.str(name).map(str::to_owned);
        let kind = row.u64("lk").and_then(|number| LogoKind::ALL.get(usize::try_from(number).ok()?).copied());
        let logo = |kind| Some(LogoInfo { kind, size: row.u64("ls")?, tag: text("lh")? });
        Self {
            display_name: text("n"),
            accent: row.str("c1").and_then(Colour::parse),
            second: row.str("c2").and_then(Colour::parse),
            support_address: row.str("sa").and_then(|address| address.parse().ok()),
            support_url: text("su"),
            logo: kind.and_then(logo),
            revision: row.u64("rv").unwrap_or(0),
        }
    }

    /// Names the first field that cannot be taken, and what would be.
    pub fn wrong(&self) -> Option<(&'static str, String)> {
        if let Some(name) = &self.display_name
            && let Err(error) = crate::check_name(name)
        {
            return Some(("display_name", error.text().to_owned()));
        }
        for (field, colour) in [("accent", self.accent), ("second_accent", self.second)] {
            // WCAG 2.1 §1.4.11: what is not text must stand out from the page by that much.
            if let Some(contrast) = colour.map(|colour| colour.contrast(Colour::WHITE)).filter(|contrast| *contrast < 3.0) {
                return Some((
                    field,
                    format!("its contrast to a white page is {contrast:.1}; at least 3 is needed to be seen by everybody"),
                ));
            }
        }
        let fits = |url: &String| {
            let rest = url.strip_prefix("https://").unwrap_or_default();
            let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
            url.len() <= URL && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}@".contains(&byte)) && host.contains('.')
        };
        match &self.support_url {
            Some(url) if !fits(url) => Some(("support_url", format!("an https:// address of at most {URL} octets, without a user in it"))),
            _ => None,
        }
    }
}

impl Directory {
    pub async fn branding(&self, tenant: TenantId) -> Result<Branding> {
        let row = self.store().get(&access::organisation(tenant).organisation(sk::branding())).await?;
        Ok(row.map(|row| Branding::read(&row)).unwrap_or_default())
    }

    pub async fn logo(&self, tenant: TenantId) -> Result<Option<Bytes>> {
        let row = self.store().get(&access::organisation(tenant).organisation(sk::logo())).await?;
        Ok(row.and_then(|row| row.bytes("b").cloned()))
    }
}

impl Operator {
    /// All of it but the logo; what is `None` is taken away.
    pub async fn set_branding(&self, tenant: TenantId, new: &Branding) -> Result<Branding> {
        if let Some((field, words)) = new.wrong() {
            return Err(Error::invalid(format!("{field}: {words}")));
        }
        let fields: [(&'static str, Option<String>); 5] = [
            ("n", new.display_name.clone()),
            ("c1", new.accent.map(|colour| colour.to_string())),
            ("c2", new.second.map(|colour| colour.to_string())),
            ("sa", new.support_address.as_ref().map(Address::to_string)),
            ("su", new.support_url.clone()),
        ];
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (name, value) in fields {
            match value {
                Some(value) => set.push((Name::from(name), Value::from(value))),
                None => remove.push(Name::from(name)),
            }
        }
        self.change_branding(tenant, set, remove, Vec::new(), "branding.set").await
    }

    /// A logo of at most 64 KB, or none.
    pub async fn set_logo(&self, tenant: TenantId, logo: Option<Bytes>) -> Result<Branding> {
        let key = access::organisation(tenant).organisation(sk::logo());
        let Some(bytes) = logo else {
            let remove = ["lk", "ls", "lh"].map(Name::from).to_vec();
            return self.change_branding(tenant, Vec::new(), remove, vec![Write::delete(key)], "branding.logo").await;
        };
        if bytes.len() > LOGO {
            return Err(Error::invalid(format!("a logo has at most {LOGO} bytes")));
        }
        let LogoInfo { kind, tag, .. } = picture(&bytes).ok_or_else(|| Error::invalid("a logo is a PNG, a JPEG or a WebP"))?;
        let number = LogoKind::ALL.iter().position(|one| *one == kind).unwrap_or_default() as u64;
        let set = vec![("lk".into(), number.into()), ("ls".into(), (bytes.len() as u64).into()), ("lh".into(), tag.into())];
        let put = Write::put(key, Row::new().with("b", bytes));
        self.change_branding(tenant, set, Vec::new(), vec![put], "branding.logo").await
    }

    /// Nothing is left behind by a tenant that is taken apart meanwhile.
    pub(crate) async fn unless_deleting(&self, tenant: TenantId) -> Result<Write> {
        let status = self.directory.tenant_now(tenant).await?.status;
        if status == TenantStatus::Deleting {
            return Err(Error::not_found("there is no such tenant"));
        }
        let when = When::Equal(vec![("st".into(), status.number().into())]);
        Ok(Write::Check { key: access::organisation(tenant).organisation(sk::tenant()), when })
    }

    async fn change_branding(
        &self,
        tenant: TenantId,
        mut set: Vec<(Name, Value)>,
        remove: Vec<Name>,
        mut writes: Vec<Write>,
        act: &'static str,
    ) -> Result<Branding> {
        let (scope, before) = (access::organisation(tenant), self.directory.branding(tenant).await?);
        self.expects(before.revision)?;
        set.push(("rv".into(), before.revision.saturating_add(1).into()));
        let key = scope.organisation(sk::branding());
        writes.push(match before.revision {
            0 => {
                let mut row = Row::new();
                set.into_iter().for_each(|(name, value)| row.set(name, value));
                Write::put_new(key, row)
            }
            revision => Write::Update { key, set, remove, when: When::Equal(vec![("rv".into(), revision.into())]) },
        });
        writes.push(self.unless_deleting(tenant).await?);
        self.commit(writes, self.act(tenant, act, "", "")).await?;
        self.directory.branding(tenant).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_compared() {
        for wrong in ["", "red", "#fff", "#12345g", "123456", "#1234567", "#ééé"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
        let blue = Colour::parse("#0A5FFF").unwrap();
        assert_eq!((blue.to_string(), blue.text_on_it()), ("#0a5fff".to_owned(), Colour::WHITE));
        assert_eq!(Colour::parse("#ffe000").unwrap().text_on_it(), Colour::BLACK);
        assert!((Colour::WHITE.contrast(Colour::BLACK) - 21.0).abs() < 0.01);
        // WCAG's own example of what is just enough: #767676 on white is 4.54.
        assert!((Colour::parse("#767676").unwrap().contrast(Colour::WHITE) - 4.54).abs() < 0.01);
        for grey in 0..=255 {
            let grey = Colour([grey; 3]);
            assert!(grey.contrast(grey.text_on_it()) >= 4.5, "{grey}");
        }
    }

    #[test]
    fn a_logo_is_what_its_bytes_are() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";
        assert_eq!(LogoKind::of(png), Some(LogoKind::Png));
        assert_eq!(LogoKind::of(b"\xff\xd8\xff\xe0JFIF"), Some(LogoKind::Jpeg));
        assert_eq!(LogoKind::of(b"RIFF\x10\0\0\0WEBPVP8 "), Some(LogoKind::WebP));
        for other in [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"GIF89a", b"", b"\x89PNG", b"RIFFxxxxWAVE", b"<html>"] {
            assert_eq!(LogoKind::of(other), None);
        }
    }

    #[test]
    fn what_leads_people_astray_is_refused() {
        let url = |text: &str| Branding { support_url: Some(text.to_owned()), ..Branding::default() }.wrong().map(|(field, _)| field);
        for fine in ["https://help.one.test", "https://one.test/help?x=1#top"] {
            assert_eq!(url(fine), None, "{fine}");
        }
        for wrong in
            ["http://one.test", "javascript:alert(1)", "https://", "https://ann@one.test/", "https://one.test/a b", "https://x\r\ny.test"]
        {
            assert_eq!(url(wrong), Some("support_url"), "{wrong}");
        }
        let pale = Branding { accent: Colour::parse("#ffff00"), ..Branding::default() };
        assert_eq!(pale.wrong().map(|(field, _)| field), Some("accent"));
    }
}
