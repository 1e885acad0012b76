//! Jobs as messages. A message's text is fields between spaces, because SQS takes no bytes:
//! `1 ID TENANT GROUP BODY` for a job, where GROUP is `-` if the message group says it and else base64url, and BODY is `=`
//! and base64, or `@` and the name of a blob; `1 ! GENERATION` for the mark at which a released group goes on.

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use penfold_ports::{BlobKey, Job, JobId};
use penfold_types::{CommitId, TenantId, Timestamp};

/// Bytes of a job's body that go into the message; larger ones go into a blob.
pub(super) const INLINE: usize = 180_000;
/// Bytes of all messages of one request. SQS takes 1 MiB now, but a quarter of it everywhere and for all time.
pub(super) const REQUEST: usize = 256 * 1024;
/// What a message's group is called where the group's own name will not do.
const HASHED: char = '~';

/// A message group's id: the group where its characters are allowed, else a hash.
pub(super) fn group_id(group: &str) -> String {
    let plain = (1..=128).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_graphic()) && !group.starts_with(HASHED);
    if plain { group.to_owned() } else { format!("{HASHED}{}", URL_SAFE_NO_PAD.encode(digest(&SHA256, group.as_bytes()))) }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Body {
    Here(Bytes),
    Blob(BlobKey),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Content {
    Job {
        id: JobId,
        tenant: TenantId,
        group: String,
        body: Body,
    },
    /// The rows of this generation of a parked group come next.
    GoOn(CommitId),
}

pub(super) fn blob_key(queue: &str, job: &Job) -> BlobKey {
    // Under no tenant: the sweep of a tenant's blobs must not meet it. The bucket's lifecycle ends what is left behind.
    BlobKey::from_stored(&format!("jobs/{queue}/{}", job.id))
}

/// The text of a job, with its body or the blob that holds it.
pub(super) fn encode(job: &Job, blob: Option<&BlobKey>) -> String {
    let group = if group_id(&job.group) == job.group { "-".to_owned() } else { URL_SAFE_NO_PAD.encode(&job.group) };
    let body = blob.map_or_else(|| format!("={}", STANDARD.encode(&job.body)), |key| format!("@{}", key.as_str()));
    format!("1 {} {} {group} {body}", job.id, job.tenant)
}

pub(super) fn encode_go_on(generation: CommitId) -> String {
    format!("1 ! {generation}")
}

/// `None` where the text is none of ours.
pub(super) fn decode(text: &str, group_id: &str) -> Option<Content> {
    let mut fields = text.split(' ');
    if fields.next()? != "1" {
        return None;
    }
    let first = fields.next()?;
    if first == "!" {
        return Some(Content::GoOn(fields.next()?.parse().ok()?));
    }
    let tenant = fields.next()?.parse().ok()?;
    let group = match fields.next()? {
        "-" => group_id.to_owned(),
        encoded => String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?,
    };
    let body = fields.next()?;
    let body = match (body.strip_prefix('='), body.strip_prefix('@')) {
        (Some(encoded), _) => Body::Here(STANDARD.decode(encoded).ok()?.into()),
        (_, Some(key)) => Body::Blob(BlobKey::from_stored(key)),
        _ => return None,
    };
    Some(Content::Job { id: first.parse().ok()?, tenant, group, body })
}

/// A message that was received: what SQS says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming {
    pub id: String,
    pub handle: String,
    /// The message group.
    pub group: String,
    /// How often it was received, this time included.
    pub count: u32,
    /// Grows inside a group.
    pub sequence: u128,
    pub sent: Timestamp,
    pub text: String,
}

impl Incoming {
    pub(super) fn read(message: Message) -> Option<Self> {
        let attributes = message.attributes.unwrap_or_default();
        let attribute = |name: MessageSystemAttributeName| attributes.get(&name).cloned();
        Some(Self {
            id: message.message_id?,
            handle: message.receipt_handle?,
            group: attribute(MessageSystemAttributeName::MessageGroupId)?,
            count: attribute(MessageSystemAttributeName::ApproximateReceiveCount).and_then(|n| n.parse().ok()).unwrap_or(1),
            sequence: attribute(MessageSystemAttributeName::SequenceNumber)?.parse().ok()?,
            sent: Timestamp::from_millis(attribute(MessageSystemAttributeName::SentTimestamp).and_then(|n| n.parse().ok()).unwrap_or(0)),
            text: message.body.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(group: &str) -> Job {
        Job {
            id: CommitId::from_bytes([7; 16]),
            tenant: TenantId::from_bytes([1; 16]),
            group: group.to_owned(),
            body: vec![0, 255, 32].into(),
        }
    }

    #[test]
    fn jobs_survive_the_way() {
        for group in ["t#a", "with space", "Entwürfe", "~x", "g".repeat(129).as_str()] {
            let job = job(group);
            let id = group_id(group);
            assert!(id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic()));
            let body = Body::Here(job.body.clone());
            let content = Content::Job { id: job.id, tenant: job.tenant, group: job.group.clone(), body };
            assert_eq!(decode(&encode(&job, None), &id), Some(content));
        }
        let key = blob_key("deliver", &job("g"));
        assert_eq!(key.tenant(), None);
        let far = decode(&encode(&job("g"), Some(&key)), "g");
        assert!(matches!(far, Some(Content::Job { body: Body::Blob(found), .. }) if found == key));
        let generation = CommitId::from_bytes([9; 16]);
        assert_eq!(decode(&encode_go_on(generation), "g"), Some(Content::GoOn(generation)));
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "2 a b", "1", "1 !", "1 x y - =", "{\"json\": true}", "1 0 0 - =%"] {
            assert_eq!(decode(text, "g"), None, "{text}");
        }
    }

    #[test]
    fn groups_keep_their_names_or_their_difference() {
        assert_eq!(group_id("t#a"), "t#a");
        assert_ne!(group_id("with space"), group_id("with  space"));
    }
}
