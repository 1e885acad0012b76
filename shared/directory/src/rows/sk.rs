//! The sort keys of the directory's rows, by what they name.

use super::*;

pub fn tenant() -> Sk {
    Sk::text("tenant")
}

pub fn domain(domain: &penfold_types::Domain) -> Sk {
    Sk::text(&format!("domain#{domain}"))
}

/// A domain that waits for its proof.
pub fn claim(domain: &penfold_types::Domain) -> Sk {
    Sk::text(&format!("claim#{domain}"))
}

pub fn claims() -> Sk {
    Sk::text("claims")
}

/// All keys that a domain signs with.
pub fn domain_keys(domain: &penfold_types::Domain) -> Sk {
    Sk::text(&format!("dkim#{domain}#"))
}

pub fn domain_key(domain: &penfold_types::Domain, selector: &str) -> Sk {
    Sk::text(&format!("dkim#{domain}#{selector}"))
}

pub fn data_key(version: u32) -> Sk {
    Sk::text(&format!("key#{version:010}"))
}

/// The end of the audit log.
pub fn audit_head() -> Sk {
    Sk::text("audit")
}

pub fn nesting() -> Sk {
    Sk::text("nesting")
}

/// That each role for a group stands in its group too.
pub fn roles_indexed() -> Sk {
    Sk::text("roles")
}

pub fn administrators() -> Sk {
    Sk::text("administrators")
}

pub fn branding() -> Sk {
    Sk::text("brand")
}

pub fn logo() -> Sk {
    Sk::text("brand#logo")
}

/// By what a dynamic group chooses.
pub fn filter(group: PrincipalId) -> Sk {
    keyed("filter#", group.as_bytes())
}

pub fn filters() -> Sk {
    Sk::text("filters")
}

/// The names of those whom a filter may choose: where they begin, and the first key after them.
pub fn choosable(shared_mailboxes: bool) -> (Sk, Sk) {
    (Sk::text("name#p#"), Sk::text(if shared_mailboxes { "name#s$" } else { "name#p$" }))
}

/// The groups that somebody owns.
pub fn owned(group: PrincipalId) -> Sk {
    keyed("owns#", group.as_bytes())
}

/// The groups that somebody asks to be in.
pub fn asked(group: PrincipalId) -> Sk {
    keyed("asks#", group.as_bytes())
}

pub fn owner(principal: PrincipalId) -> Sk {
    keyed("a#", principal.as_bytes())
}

/// Who asks to be in a group.
pub fn asker(principal: PrincipalId) -> Sk {
    keyed("j#", principal.as_bytes())
}

/// Who has a role for those in a group.
pub fn role_holder(principal: PrincipalId) -> Sk {
    keyed("r#", principal.as_bytes())
}

/// Everybody who has an address: the first of their names, and the first key after them.
pub fn everybody() -> (Sk, Sk) {
    (Sk::text("name#g#"), Sk::text("name#s$"))
}

pub const CONTACTS: &str = "contact#";

pub fn contacts() -> Sk {
    Sk::text(CONTACTS)
}

/// Somebody outside.
pub fn contact(id: PrincipalId) -> Sk {
    keyed(CONTACTS, id.as_bytes())
}

/// How far everything has its words.
pub fn words() -> Sk {
    Sk::text("words")
}

pub fn gone(principal: PrincipalId) -> Sk {
    keyed("gone#", principal.as_bytes())
}

/// All names of one kind.
pub fn names(kind: PrincipalKind) -> Sk {
    Sk::text(&format!("name#{}#", kind.letter()))
}

/// All names of one kind in one domain.
pub fn names_in(kind: PrincipalKind, domain: &penfold_types::Domain) -> Sk {
    Sk::text(&format!("name#{}#{domain}#", kind.letter()))
}

pub fn name(kind: PrincipalKind, address: &Address) -> Sk {
    let key = address.key();
    let local = key.rsplit_once('@').map_or("", |(local, _)| local);
    Sk::text(&format!("name#{}#{}#{local}", kind.letter(), address.domain()))
}

pub fn principal() -> Sk {
    Sk::text("p")
}

pub fn photo() -> Sk {
    Sk::text("photo")
}

pub fn alias(address: &Address) -> Sk {
    Sk::text(&format!("alias#{}", address.key()))
}

pub fn totp() -> Sk {
    Sk::text("secret#totp")
}

/// A secret that waits for its first code.
pub fn totp_next() -> Sk {
    Sk::text("secret#totp-next")
}

pub fn recovery_codes() -> Sk {
    Sk::text("secret#recovery")
}

pub fn sessions() -> Sk {
    Sk::text("session#")
}

pub fn session(id: penfold_types::CommitId) -> Sk {
    keyed("session#", id.as_bytes())
}

pub fn links() -> Sk {
    Sk::text("link#")
}

pub fn link(id: penfold_types::CommitId) -> Sk {
    keyed("link#", id.as_bytes())
}

pub fn publishing() -> Sk {
    Sk::text("publishing")
}

pub fn secrets() -> Sk {
    Sk::text("secret#")
}

pub fn password() -> Sk {
    Sk::text("secret#password")
}

pub fn app_password(id: &str) -> Sk {
    Sk::text(&format!("secret#app#{id}"))
}

/// The containers of one kind that a principal is in.
pub fn memberships(kind: PrincipalKind) -> Sk {
    Sk::text(if kind == PrincipalKind::Shared { "in#s#" } else { "in#g#" })
}

pub fn membership(kind: PrincipalKind, container: PrincipalId) -> Sk {
    keyed(if kind == PrincipalKind::Shared { "in#s#" } else { "in#g#" }, container.as_bytes())
}

/// That somebody opened folders of another's mailbox.
pub fn visit(owner: PrincipalId) -> Sk {
    keyed("visit#", owner.as_bytes())
}

/// Those who opened folders to a principal.
pub const OPEN_TO: &str = "in#f#";

pub fn open_to(owner: PrincipalId) -> Sk {
    keyed(OPEN_TO, owner.as_bytes())
}

/// Those who opened folders to everybody.
pub const OPEN_TO_ANYONE: &str = "anyone#";

pub fn open_to_anyone(owner: PrincipalId) -> Sk {
    keyed(OPEN_TO_ANYONE, owner.as_bytes())
}

pub fn member(principal: PrincipalId) -> Sk {
    keyed("m#", principal.as_bytes())
}

pub fn outside(address: &Address) -> Sk {
    // By domain, so that what one step of a walk finds goes to few destinations.
    let key = address.key();
    let local = key.rsplit_once('@').map_or("", |(local, _)| local);
    Sk::text(&format!("o#{}#{local}", address.domain()))
}

/// The first key of a group's members, and the first after them: `m#` and `o#` stand together.
pub fn members() -> (Sk, Sk) {
    (Sk::text("m#"), Sk::text("p"))
}

pub fn poster(address: &Address) -> Sk {
    Sk::text(&format!("w#{}", address.key()))
}

/// Who may write in its name.
pub fn delegate(principal: PrincipalId) -> Sk {
    keyed("d#", principal.as_bytes())
}

pub fn delegates() -> Sk {
    Sk::text("d#")
}

pub fn posters() -> Sk {
    Sk::text("w#")
}
