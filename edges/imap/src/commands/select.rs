//! SELECT and EXAMINE (RFC 9051 §6.3.2 and §6.3.3), with CONDSTORE and QRESYNC (RFC 7162 §3.1.8 and §3.2.5).

use crate::grammar::sequence::write_set;
use crate::grammar::write::words;
use crate::grammar::{Qresync, Select};
use crate::session::notices::flags;
use crate::session::{Outcome, Output, Ranks, Selected, Session, Stop};
use penfold_mailbox::{Delta, Event, Folder, Index, Keywords, Role, UidSet};
use penfold_ports::Rights;
use penfold_types::Modseq;

pub async fn run(session: &mut Session, select: Select, out: &mut Output) -> Outcome {
    if select.qresync.is_some() && !session.enabled.qresync {
        return Err(Stop::bad("ENABLE QRESYNC first"));
    }
    // RFC 9051 §6.3.2: whatever comes of it, what was selected no longer is.
    if session.selected.take().is_some() {
        out.untagged("OK [CLOSED] the other mailbox is closed");
    }
    let place = session.place(&select.mailbox).await?;
    let (folders, folder) = place.readable().await?;
    let rights = place.mailbox.rights(&folder);
    let unnoted = match place.owner.filter(|_| place.is_in_part()) {
        Some(owner) => !session.note_visit(owner).await?,
        None => false,
    };
    let index = place.mailbox.index(folder.id).await?;
    session.enabled.condstore |= select.condstore;
    let selected = Selected {
        announced: index.uids(),
        modseq: index.modseq(),
        folder: folder.id,
        owner: place.owner,
        unnoted,
        read_only: select.examine,
        gone: UidSet::new(),
        saved: UidSet::new(),
        mailbox: place.mailbox,
    };
    let may = if select.examine { Rights::NONE } else { rights };
    describe(session, &folder, &index, may, out);
    if session.enabled.rev2 {
        // RFC 9051 §6.3.2: the name is told again.
        let path = session.name(&select.mailbox)?;
        let path = if folder.role == Some(Role::Inbox) && selected.owner.is_none() { "INBOX" } else { &path };
        super::list::line(session, &folders, &folder, path, selected.owner.is_none(), out);
    }
    if let Some(qresync) = &select.qresync
        && qresync.uidvalidity == folder.uidvalidity.get()
    {
        resynchronise(&selected, &index, qresync, out).await?;
    }
    session.selected = Some(Box::new(selected));
    // RFC 4314 §5.2.
    let writes = may.has_some(CHANGES);
    Ok(if writes { "[READ-WRITE] selected" } else { "[READ-ONLY] selected" }.into())
}

/// Any of these changes something in the folder.
const CHANGES: Rights = Rights::INSERT.and(Rights::EXPUNGE).and(Rights::SEEN).and(Rights::WRITE).and(Rights::DELETE_ITEM);

/// `may`: what may be changed in it.
fn describe(session: &Session, folder: &Folder, index: &Index, may: Rights, out: &mut Output) {
    let mut known: Vec<&str> = vec!["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"];
    for set in index.keyword_sets() {
        for name in set.iter() {
            if !known.contains(&name) && known.len() < 200 {
                known.push(name);
            }
        }
    }
    out.buf.extend_from_slice(b"* FLAGS (");
    words(&mut out.buf, known.iter().copied());
    out.buf.extend_from_slice(b")\r\n");
    out.buf.extend_from_slice(b"* OK [PERMANENTFLAGS (");
    // RFC 4314 §5.1.1.
    let needed = |name: &str| match name {
        "\\Seen" => Rights::SEEN,
        "\\Deleted" => Rights::DELETE_ITEM,
        _ => Rights::WRITE,
    };
    words(&mut out.buf, known.iter().copied().chain(["\\*"]).filter(|name| may.has(needed(name))));
    out.buf.extend_from_slice(b")] flags that stay\r\n");
    out.untagged(&format!("{} EXISTS", index.len()));
    if !session.enabled.rev2 {
        // RFC 3501 §7.3.2; \Recent has no meaning where many sessions share a mailbox, and IMAP4rev2 has dropped it.
        out.untagged("0 RECENT");
        if let Some(first) = first_unseen(index) {
            out.untagged(&format!("OK [UNSEEN {first}] first unseen"));
        }
    }
    out.untagged(&format!("OK [UIDVALIDITY {}] uids valid", folder.uidvalidity));
    let uidnext = folder.uidnext.max(index.uids().max().map_or(folder.uidnext, |uid| uid.next()));
    out.untagged(&format!("OK [UIDNEXT {uidnext}] next uid"));
    out.untagged(&format!("OK [HIGHESTMODSEQ {}] highest", highest(folder)));
    // RFC 8474 §4.2.
    out.untagged(&format!("OK [MAILBOXID (F{})] its id", folder.id));
}

/// RFC 7162 §3.1.2.1: never 0.
pub fn highest(folder: &Folder) -> Modseq {
    folder.modseq.max(Modseq(1))
}

fn first_unseen(index: &Index) -> Option<u32> {
    index.iter().position(|message| !message.keywords.has(&Keywords::SEEN)).and_then(|at| u32::try_from(at + 1).ok())
}

/// RFC 7162 §3.2.5.1: what vanished and what changed since the client was here.
async fn resynchronise(selected: &Selected, index: &Index, qresync: &Qresync, out: &mut Output) -> Result<(), Stop> {
    let after = Modseq(qresync.modseq);
    let largest = index.uids().max().map_or(0, |uid| uid.get());
    let known = match &qresync.known {
        Some(set) => set.plain_uids(u32::MAX, &UidSet::new()),
        None => UidSet::from_ranges([1..=u32::MAX]),
    };
    let mut vanished = vanished_since(selected, index, after, &known, largest).await?;
    if let Some(up_to) = matched(index, qresync) {
        vanished = vanished.difference(&UidSet::from_ranges([1..=up_to]));
    }
    earlier(&vanished, out);
    let mut ranks = Ranks::new(&selected.announced);
    for message in index.iter() {
        let Some(rank) = ranks.of(message.uid) else { continue };
        if message.modseq > after && known.contains(message.uid) {
            flags(&mut out.buf, rank, Some(message.uid), Some(message.keywords), Some(message.modseq));
            out.breathe().await?;
        }
    }
    Ok(())
}

/// `* VANISHED (EARLIER) uids`
pub fn earlier(vanished: &UidSet, out: &mut Output) {
    if !vanished.is_empty() {
        out.buf.extend_from_slice(b"* VANISHED (EARLIER) ");
        write_set(&mut out.buf, vanished);
        out.buf.extend_from_slice(b"\r\n");
    }
}

/// Those of `known` that vanished after a commit. Behind what the log keeps, everything known that is not there counts
/// as vanished: too much is allowed, too little is not (RFC 7162 §3.2.6).
pub async fn vanished_since(selected: &Selected, index: &Index, after: Modseq, known: &UidSet, largest: u32) -> Result<UidSet, Stop> {
    let alive = index.uids();
    let vanished: UidSet = match selected.mailbox.changes(selected.folder, after).await? {
        Delta::Events { events, .. } => {
            let seen = events.into_iter().filter(|(modseq, _)| *modseq <= index.modseq());
            seen.filter_map(|(_, event)| if let Event::Vanished { uid } = event { Some(uid) } else { None }).collect()
        }
        Delta::TooOld => {
            let folder = selected.mailbox.folder(selected.folder).await?;
            let last = folder.uidnext.get().saturating_sub(1).max(largest);
            UidSet::from_ranges([1..=last])
        }
        Delta::Gone => return Err(Stop::no("[NONEXISTENT] no such mailbox")),
    };
    Ok(vanished.intersection(known).difference(&alive))
}

/// RFC 7162 §3.2.5.2: up to which uid the client's own list of numbers and uids still agrees with ours, so that nothing
/// below has vanished without its knowing.
fn matched(index: &Index, qresync: &Qresync) -> Option<u32> {
    let (numbers, uids) = qresync.matches.as_ref()?;
    let alive = index.uids();
    let none = UidSet::new();
    let numbers = numbers.plain_uids(alive.len(), &none);
    let uids = uids.plain_uids(u32::MAX, &none);
    let agrees = |(number, uid): &(penfold_types::Uid, penfold_types::Uid)| alive.select(number.get()) == Some(*uid);
    numbers.iter().zip(uids.iter()).take(100_000).take_while(agrees).last().map(|(_, uid)| uid.get())
}
