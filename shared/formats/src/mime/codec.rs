//! The stored form of a summary: one version byte, then varints and length-prefixed bytes. Parts come in the order of
//! the message, so that offsets are small differences.

mod decode;
mod encode;

/// Readers know every version up to this one.
const VERSION: u8 = 1;

const ATTACHMENT: u64 = 1;
const CUT: u64 = 2;

/// What an envelope has.
mod envelope_bits {
    pub(super) const DATE: u64 = 1;
    pub(super) const SUBJECT: u64 = 1 << 1;
    pub(super) const IN_REPLY_TO: u64 = 1 << 2;
    pub(super) const MESSAGE_ID: u64 = 1 << 3;
    pub(super) const SENT: u64 = 1 << 4;
    pub(super) const FROM: u64 = 1 << 5;
    /// Sender and Reply-To are nearly always the same as From.
    pub(super) const SENDER_IS_FROM: u64 = 1 << 6;
    pub(super) const REPLY_TO_IS_FROM: u64 = 1 << 7;
    pub(super) const TO: u64 = 1 << 8;
    pub(super) const CC: u64 = 1 << 9;
    pub(super) const BCC: u64 = 1 << 10;
}

/// What a part has.
mod part_bits {
    pub(super) const PARAMS: u64 = 1;
    pub(super) const CHILDREN: u64 = 1 << 1;
    pub(super) const LINES: u64 = 1 << 2;
    pub(super) const DISPOSITION: u64 = 1 << 3;
    pub(super) const ID: u64 = 1 << 4;
    pub(super) const DESCRIPTION: u64 = 1 << 5;
    pub(super) const MESSAGE: u64 = 1 << 6;
    pub(super) const LANGUAGE: u64 = 1 << 7;
    pub(super) const LOCATION: u64 = 1 << 8;
    pub(super) const MD5: u64 = 1 << 9;
}

mod mailbox_bits {
    pub(super) const NAME: u64 = 1;
    pub(super) const ROUTE: u64 = 1 << 1;
    pub(super) const MAILBOX: u64 = 1 << 2;
    pub(super) const HOST: u64 = 1 << 3;
}

/// One byte each in the stored form: append only. Zero stands for all others, which are written out.
const TYPES: [(&str, &str); 23] = [
    ("text", "plain"),
    ("text", "html"),
    ("multipart", "mixed"),
    ("multipart", "alternative"),
    ("multipart", "related"),
    ("multipart", "signed"),
    ("multipart", "report"),
    ("multipart", "digest"),
    ("message", "rfc822"),
    ("message", "global"),
    ("message", "delivery-status"),
    ("application", "octet-stream"),
    ("application", "pdf"),
    ("application", "pgp-signature"),
    ("application", "pkcs7-signature"),
    ("application", "zip"),
    ("text", "calendar"),
    ("text", "csv"),
    ("image", "jpeg"),
    ("image", "png"),
    ("image", "gif"),
    ("text", "rfc822-headers"),
    ("multipart", "encrypted"),
];

const ENCODINGS: [&str; 5] = ["7bit", "8bit", "base64", "quoted-printable", "binary"];

pub(super) fn type_code(kind: &str, subtype: &str) -> Option<u8> {
    (1..).zip(TYPES).find(|(_, known)| *known == (kind, subtype)).map(|(code, _)| code)
}

fn encoding_code(encoding: &str) -> Option<u8> {
    (1..).zip(ENCODINGS).find(|(_, known)| *known == encoding).map(|(code, _)| code)
}
