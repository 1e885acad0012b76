//! WebDAV, CalDAV and CardDAV: the views of calendars, address books and files that clients ask for.

pub mod xml;
