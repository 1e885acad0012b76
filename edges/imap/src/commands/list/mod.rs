//! LIST (RFC 9051 §6.3.9, RFC 5258), with STATUS (RFC 5819) and special-use (RFC 6154), over one's own mailboxes and those
//! that are shared with one.

mod pattern;

use super::status;
use crate::grammar::List;
use crate::grammar::write::mailbox as write_mailbox;
use crate::session::{OTHER_USERS, Outcome, Output, Session, Stop, shared_name};
use pattern::Pattern;
use penfold_mailbox::{Folder, Folders, Mailbox};
use penfold_ports::Rights;
use std::collections::HashSet;

/// A name in the tree.
pub struct Node {
    pub path: String,
    /// `None`: a level that holds others and cannot be selected.
    pub folder: Option<Folder>,
    pub children: bool,
    /// One's own: only these have a special use.
    pub own: bool,
    pub mailbox: Option<Mailbox>,
    pub subscribed: bool,
}

impl Node {
    fn special_use(&self) -> Option<&'static str> {
        self.folder.as_ref().filter(|_| self.own)?.role?.special_use()
    }
}

pub async fn run(session: &mut Session, args: &List, out: &mut Output) -> Outcome {
    // RFC 9051 §6.3.9: an empty pattern asks for the separator.
    if !args.extended && args.patterns.iter().all(|pattern| pattern.is_empty()) {
        out.untagged("LIST (\\Noselect) \"/\" \"\"");
        return Ok("done".into());
    }
    let patterns = patterns(session, &args.reference, &args.patterns)?;
    let nodes = nodes(session, &patterns, out).await?;
    for (at, node) in nodes.iter().enumerate() {
        if !patterns.iter().any(|pattern| pattern.matches(&node.path)) {
            continue;
        }
        let chosen = (!args.only_subscribed || node.subscribed) && (!args.only_special || node.special_use().is_some());
        // RFC 5258 §3.5: a name that is only on the way to one that was asked for.
        let below = args.recursive_match && {
            let rest = nodes.get(at + 1..).unwrap_or_default().iter();
            let children = rest.take_while(|other| is_below(&other.path, &node.path));
            let (mut subscribed, mut special) = (false, false);
            children.for_each(|other| {
                subscribed |= other.subscribed;
                special |= other.special_use().is_some();
            });
            (!args.only_subscribed || subscribed) && (!args.only_special || special)
        };
        if !chosen && !below {
            continue;
        }
        write_node(session, node, args.return_subscribed, below.then_some(args), out);
        if let (Some(folder), Some(mailbox)) = (&node.folder, &node.mailbox)
            && !args.status.is_empty()
            && mailbox.rights(folder).has(Rights::READ)
        {
            let deleted = status::deleted_storage(mailbox, folder, &args.status).await?;
            status::line(session, &node.path, folder, &args.status, deleted, out);
        }
        out.breathe().await?;
    }
    Ok("done".into())
}

fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
}

pub fn patterns(session: &Session, reference: &[u8], patterns: &[bytes::Bytes]) -> Result<Vec<Pattern>, Stop> {
    let reference = session.name(reference)?;
    patterns.iter().map(|pattern| Ok(Pattern::new(&format!("{reference}{}", session.name(pattern)?)))).collect()
}

/// Every name that one of the patterns may mean, parents before children. Between the mailboxes of others, of which there may be
/// thousands, whoever waits comes first.
pub async fn nodes(session: &Session, patterns: &[Pattern], out: &mut Output) -> Result<Vec<Node>, Stop> {
    let user = session.user()?;
    let mut nodes = Vec::new();
    add(&mut nodes, "", &user.mailbox, true).await?;
    if !patterns.iter().any(|pattern| pattern.may_reach(OTHER_USERS)) {
        return Ok(nodes);
    }
    let mut others = Vec::new();
    for (one, scope) in session.server.directory.others(&user.who).await? {
        let root = format!("{OTHER_USERS}/{}", shared_name(&one));
        if !patterns.iter().any(|pattern| pattern.may_reach(&root)) {
            continue;
        }
        out.turn.pass().await;
        let mailbox = session.server.mailboxes.open(&scope).await?;
        let mut below = Vec::new();
        add(&mut below, &format!("{root}/"), &mailbox, false).await?;
        // Nothing of it is open any more.
        if below.is_empty() {
            continue;
        }
        others.push(level(root));
        others.extend(with_levels(below));
    }
    if !others.is_empty() {
        nodes.push(level(OTHER_USERS.to_owned()));
        nodes.extend(others);
    }
    Ok(nodes)
}

/// A level that holds others and cannot be selected.
fn level(path: String) -> Node {
    Node { path, folder: None, children: true, own: false, mailbox: None, subscribed: false }
}

/// The levels above folders that may not be looked up themselves: without them a client could not go down to what is open.
fn with_levels(below: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(below.len());
    let mut told: HashSet<String> = HashSet::new();
    for node in below {
        // The first two are the namespace and whose it is.
        let ends = node.path.match_indices('/').map(|(at, _)| at).skip(2);
        for end in ends {
            let above = node.path.get(..end).unwrap_or_default();
            if told.insert(above.to_owned()) {
                out.push(level(above.to_owned()));
            }
        }
        told.insert(node.path.clone());
        out.push(node);
    }
    out
}

async fn add(nodes: &mut Vec<Node>, prefix: &str, mailbox: &Mailbox, own: bool) -> Result<(), Stop> {
    let (folders, subscriptions) = (mailbox.folders().await?, mailbox.own_subscriptions().await?);
    nodes.extend(folders.iter().map(|(path, folder)| Node {
        path: format!("{prefix}{path}"),
        folder: Some(folder.clone()),
        children: folders.has_children(folder.id),
        own,
        mailbox: Some(mailbox.clone()),
        subscribed: subscriptions.get(&folder.id).copied().unwrap_or(folder.subscribed),
    }));
    Ok(())
}

/// One LIST response. Special uses are told also where nobody asked (RFC 6154 §2 allows it, and clients look for them).
fn write_node(session: &Session, node: &Node, subscribed: bool, below: Option<&List>, out: &mut Output) {
    let mut attributes = Vec::with_capacity(4);
    if node.folder.is_none() {
        attributes.push("\\Noselect");
    }
    attributes.push(if node.children { "\\HasChildren" } else { "\\HasNoChildren" });
    attributes.extend(node.special_use());
    if subscribed && node.subscribed {
        attributes.push("\\Subscribed");
    }
    out.buf.extend_from_slice(b"* LIST (");
    crate::grammar::write::words(&mut out.buf, attributes);
    out.buf.extend_from_slice(b") \"/\" ");
    write_mailbox(&mut out.buf, &node.path, session.enabled.utf8());
    if let Some(args) = below {
        let words: &[u8] = match (args.only_subscribed, args.only_special) {
            (true, true) => b"\"SUBSCRIBED\" \"SPECIAL-USE\"",
            (true, false) => b"\"SUBSCRIBED\"",
            _ => b"\"SPECIAL-USE\"",
        };
        out.buf.extend_from_slice(b" (\"CHILDINFO\" (");
        out.buf.extend_from_slice(words);
        out.buf.extend_from_slice(b"))");
    }
    out.buf.extend_from_slice(b"\r\n");
}

/// The LIST response of one mailbox.
pub fn line(session: &Session, folders: &Folders, folder: &Folder, path: &str, own: bool, out: &mut Output) {
    let node = Node {
        path: path.to_owned(),
        folder: Some(folder.clone()),
        children: folders.has_children(folder.id),
        own,
        mailbox: None,
        subscribed: false,
    };
    write_node(session, &node, false, None, out);
}
