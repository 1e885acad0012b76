use axum::http::StatusCode;
use penfold_formats::xml::{CALDAV, CARDDAV, DAV, Element, Name, Writer};

#[cfg(test)]
mod tests;

/// A condition of requests that a standard names an element for (RFC 4918 §16), with the status it is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    pub status: StatusCode,
    name: Name,
    /// What is inside: the resources in question, mostly.
    detail: Vec<Element>,
}

/// One line each: the constant, its status, its element.
macro_rules! preconditions {
    ($($(#[$doc:meta])* $constant:ident = $status:ident $ns:ident $local:literal;)*) => {
        impl Precondition {
            $($(#[$doc])* pub const $constant: Self = Self {
                status: StatusCode::$status, name: Name::known($ns, $local), detail: Vec::new(),
            };)*
        }
    };
}

preconditions! {
    /// RFC 4918 §16, as those that follow. Takes the resources that are locked.
    LOCK_TOKEN_SUBMITTED = LOCKED DAV "lock-token-submitted";
    /// Takes the resources whose locks are in the way.
    NO_CONFLICTING_LOCK = LOCKED DAV "no-conflicting-lock";
    LOCK_TOKEN_MATCHES_REQUEST_URI = CONFLICT DAV "lock-token-matches-request-uri";
    NO_EXTERNAL_ENTITIES = FORBIDDEN DAV "no-external-entities";
    PRESERVED_LIVE_PROPERTIES = CONFLICT DAV "preserved-live-properties";
    PROPFIND_FINITE_DEPTH = FORBIDDEN DAV "propfind-finite-depth";
    CANNOT_MODIFY_PROTECTED_PROPERTY = FORBIDDEN DAV "cannot-modify-protected-property";

    /// RFC 3253 §3.6.
    SUPPORTED_REPORT = FORBIDDEN DAV "supported-report";
    /// RFC 4791 §5.3.1.1.
    RESOURCE_MUST_BE_NULL = FORBIDDEN DAV "resource-must-be-null";
    /// RFC 5689 §3.3.
    VALID_RESOURCETYPE = FORBIDDEN DAV "valid-resourcetype";

    /// RFC 6578 §3.2, as the next.
    VALID_SYNC_TOKEN = FORBIDDEN DAV "valid-sync-token";
    SYNC_TRAVERSAL_SUPPORTED = FORBIDDEN DAV "sync-traversal-supported";
    NUMBER_OF_MATCHES_WITHIN_LIMITS = INSUFFICIENT_STORAGE DAV "number-of-matches-within-limits";

    /// RFC 4331 §6.
    QUOTA_NOT_EXCEEDED = INSUFFICIENT_STORAGE DAV "quota-not-exceeded";
    SUFFICIENT_DISK_SPACE = INSUFFICIENT_STORAGE DAV "sufficient-disk-space";

    /// RFC 3744 §7.1.1: takes pairs by [`Precondition::needing`].
    NEED_PRIVILEGES = FORBIDDEN DAV "need-privileges";
    /// RFC 3744 §8.1.1, as those that follow.
    NO_ACE_CONFLICT = CONFLICT DAV "no-ace-conflict";
    NO_PROTECTED_ACE_CONFLICT = FORBIDDEN DAV "no-protected-ace-conflict";
    NO_INHERITED_ACE_CONFLICT = FORBIDDEN DAV "no-inherited-ace-conflict";
    LIMITED_NUMBER_OF_ACES = FORBIDDEN DAV "limited-number-of-aces";
    DENY_BEFORE_GRANT = FORBIDDEN DAV "deny-before-grant";
    GRANT_ONLY = FORBIDDEN DAV "grant-only";
    NO_INVERT = FORBIDDEN DAV "no-invert";
    NO_ABSTRACT = FORBIDDEN DAV "no-abstract";
    NOT_SUPPORTED_PRIVILEGE = FORBIDDEN DAV "not-supported-privilege";
    MISSING_REQUIRED_PRINCIPAL = FORBIDDEN DAV "missing-required-principal";
    RECOGNIZED_PRINCIPAL = FORBIDDEN DAV "recognized-principal";
    ALLOWED_PRINCIPAL = FORBIDDEN DAV "allowed-principal";

    /// RFC 4791 §5.3.1.1, as the next.
    CALENDAR_COLLECTION_LOCATION_OK = FORBIDDEN CALDAV "calendar-collection-location-ok";
    INITIALIZE_CALENDAR_COLLECTION = FORBIDDEN CALDAV "initialize-calendar-collection";
    /// RFC 4791 §5.3.2.1, as those that follow.
    SUPPORTED_CALENDAR_DATA = FORBIDDEN CALDAV "supported-calendar-data";
    VALID_CALENDAR_DATA = FORBIDDEN CALDAV "valid-calendar-data";
    VALID_CALENDAR_OBJECT_RESOURCE = FORBIDDEN CALDAV "valid-calendar-object-resource";
    SUPPORTED_CALENDAR_COMPONENT = FORBIDDEN CALDAV "supported-calendar-component";
    /// Takes the resource that has the UID.
    NO_UID_CONFLICT = CONFLICT CALDAV "no-uid-conflict";
    CALENDAR_MAX_RESOURCE_SIZE = FORBIDDEN CALDAV "max-resource-size";
    MIN_DATE_TIME = FORBIDDEN CALDAV "min-date-time";
    MAX_DATE_TIME = FORBIDDEN CALDAV "max-date-time";
    MAX_INSTANCES = FORBIDDEN CALDAV "max-instances";
    MAX_ATTENDEES_PER_INSTANCE = FORBIDDEN CALDAV "max-attendees-per-instance";
    /// RFC 7529.
    SUPPORTED_RSCALE = FORBIDDEN CALDAV "supported-rscale";
    /// RFC 4791 §7.8, as those that follow.
    VALID_FILTER = FORBIDDEN CALDAV "valid-filter";
    /// Takes the part of the filter that is not supported.
    SUPPORTED_FILTER = FORBIDDEN CALDAV "supported-filter";
    SUPPORTED_COLLATION = FORBIDDEN CALDAV "supported-collation";
    /// RFC 4791 §5.2.2.
    VALID_TIMEZONE = FORBIDDEN CALDAV "valid-timezone";

    /// RFC 8607 §3.3 to §3.11, as those that follow.
    VALID_ACTION = FORBIDDEN CALDAV "valid-action-parameter";
    VALID_RID = FORBIDDEN CALDAV "valid-rid-parameter";
    VALID_MANAGED_ID_PARAMETER = FORBIDDEN CALDAV "valid-managed-id-parameter";
    VALID_MANAGED_ID = FORBIDDEN CALDAV "valid-managed-id";
    MAX_ATTACHMENT_SIZE = FORBIDDEN CALDAV "max-attachment-size";
    MAX_ATTACHMENTS = FORBIDDEN CALDAV "max-attachments-per-resource";

    /// RFC 6638 §3.2.4, as those that follow.
    UNIQUE_SCHEDULING_OBJECT_RESOURCE = FORBIDDEN CALDAV "unique-scheduling-object-resource";
    SAME_ORGANIZER_IN_ALL_COMPONENTS = FORBIDDEN CALDAV "same-organizer-in-all-components";
    ALLOWED_ORGANIZER_SCHEDULING_OBJECT_CHANGE = FORBIDDEN CALDAV "allowed-organizer-scheduling-object-change";
    ALLOWED_ATTENDEE_SCHEDULING_OBJECT_CHANGE = FORBIDDEN CALDAV "allowed-attendee-scheduling-object-change";

    /// RFC 6352 §6.3.2.1, as those that follow.
    ADDRESSBOOK_COLLECTION_LOCATION_OK = FORBIDDEN CARDDAV "addressbook-collection-location-ok";
    SUPPORTED_ADDRESS_DATA = FORBIDDEN CARDDAV "supported-address-data";
    VALID_ADDRESS_DATA = FORBIDDEN CARDDAV "valid-address-data";
    /// Takes the resource that has the UID.
    CARD_NO_UID_CONFLICT = CONFLICT CARDDAV "no-uid-conflict";
    CARD_MAX_RESOURCE_SIZE = FORBIDDEN CARDDAV "max-resource-size";
    /// RFC 6352 §5.1.1.1.
    SUPPORTED_ADDRESS_DATA_CONVERSION = NOT_ACCEPTABLE CARDDAV "supported-address-data-conversion";
    /// RFC 6352 §8.6, §10.5: takes the part of the filter that is not supported.
    CARD_SUPPORTED_FILTER = FORBIDDEN CARDDAV "supported-filter";
    CARD_SUPPORTED_COLLATION = FORBIDDEN CARDDAV "supported-collation";
}

impl Precondition {
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// With one more resource in question; `href` is encoded already.
    #[must_use]
    pub fn at(self, href: &str) -> Self {
        self.with(Element::known(DAV, "href").with_text(href))
    }

    #[must_use]
    pub fn with(mut self, detail: Element) -> Self {
        self.detail.push(detail);
        self
    }

    /// DAV:need-privileges with one more resource and the privilege that is missing there.
    #[must_use]
    pub fn needing(self, href: &str, privilege: Name) -> Self {
        let privilege = Element::known(DAV, "privilege").with(Element::new(privilege));
        let href = Element::known(DAV, "href").with_text(href);
        self.with(Element::known(DAV, "resource").with(href).with(privilege))
    }

    /// The element within DAV:error.
    pub fn element(&self) -> Element {
        self.detail.iter().fold(Element::new(self.name.clone()), |element, detail| element.with(detail.clone()))
    }
}

/// DAV:error with these elements (RFC 4918 §14.5): the body of an answer with their status.
pub fn body(conditions: &[Element]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.open(&Name::known(DAV, "error"));
    for condition in conditions {
        writer.element(condition);
    }
    writer.finish()
}
