use penfold_types::Error;

/// Why mail is not taken. Each protocol has its own words for it.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The domain is ours, the address is nobody's.
    Unknown,
    /// The recipient's mailbox is full.
    OverQuota,
    /// The group does not take mail from this sender.
    MayNotPost,
    /// The domain is not ours.
    Outside,
    /// The sender's address, or one of From, is not the person's own.
    NotYours,
    /// There is no From, or more than one.
    NoAuthor,
    /// The message has been through here, or through others, too often.
    Loop,
    /// Nobody vouches for its author, whose domain asks to refuse such mail (DMARC).
    NotAuthentic,
    /// It cannot be found out now whether somebody vouches for it.
    NotProvable,
    TooLarge,
    /// The person has handed in as many messages this minute as they may.
    TooFast {
        messages_per_minute: u64,
    },
    /// With this message, more recipients today than the person may have.
    TooManyToday {
        recipients_per_day: u64,
    },
    HeaderTooLarge,
    /// Too much work waits; come back later.
    Busy,
    /// The store cannot take it now.
    Later(Error),
}

impl Refusal {
    /// For the administrator's trace.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Unknown => "nobody has this address",
            Self::OverQuota => "the mailbox is full",
            Self::MayNotPost => "the sender may not post to this group",
            Self::Outside => "the domain is not ours, and the sender did not sign in",
            Self::NotYours => "the sender's address is not the person's own",
            Self::NoAuthor => "it has no From field, or several",
            Self::Loop => "it goes in a circle",
            Self::NotAuthentic => "nobody vouches for its author, whose domain asks to refuse such mail (DMARC)",
            Self::NotProvable => "it could not be found out whether somebody vouches for its author",
            Self::TooLarge => "it is too large",
            Self::TooFast { .. } => "the person sends too many messages a minute",
            Self::TooManyToday { .. } => "the person writes to too many recipients today",
            Self::HeaderTooLarge => "its header is too large",
            Self::Busy => "too much work waits",
            Self::Later(_) => "it could not be taken at that moment",
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Later(error)
    }
}
