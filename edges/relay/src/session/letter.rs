//! A message made fit for what a peer offers.

use super::Offers;
use crate::convert::{self, Octets};
use crate::said::ours;
use bytes::Bytes;
use penfold_ports::{Body, ByTime, Outgoing, Recipient, Return, Said};

/// What one session is to hand over.
#[derive(Clone, Debug)]
pub struct Letter {
    pub from: String,
    pub recipients: Vec<Recipient>,
    pub message: Vec<Bytes>,
    pub size: u64,
    /// `Binary` goes by BDAT.
    pub body: Body,
    pub utf8: bool,
    pub require_tls: bool,
    pub ret: Option<Return>,
    pub envelope_id: Option<String>,
    /// Where the peer keeps to it.
    pub deliver_by: Option<ByTime>,
    /// The peer tells the sender what becomes of the message.
    pub reports: bool,
}

/// `tls`: the connection is encrypted, and the peer is proven to be who it should be. Where the peer cannot take the
/// message, what to say.
pub fn fit(mail: &Outgoing, octets: Vec<Bytes>, recipients: Vec<Recipient>, offers: &Offers, tls: bool) -> Result<Letter, Said> {
    if mail.require_tls && !(tls && offers.require_tls) {
        return Err(ours(550, (5, 7, 30), "the message may only go where REQUIRETLS is supported, and the host does not offer it"));
    }
    let deliver_by = by_time(mail, offers)?;
    if !is_clean(&mail.from) || !recipients.iter().all(|recipient| is_clean(&recipient.path)) {
        return Err(ours(553, (5, 1, 3), "an address has characters that no address has"));
    }
    let utf8 = mail.utf8 || !mail.from.is_ascii() || !recipients.iter().all(|recipient| recipient.path.is_ascii());
    if utf8 && !offers.utf8 {
        return Err(ours(553, (5, 6, 7), "an address or a header field needs SMTPUTF8, and the host does not offer it"));
    }
    let (message, body) = content(mail.body, octets, offers)?;
    let size = message.iter().map(|piece| piece.len() as u64).sum();
    if let Some(limit) = offers.size.filter(|limit| size > *limit) {
        return Err(ours(552, (5, 3, 4), format!("the message has {size} octets, and the host takes {limit}")));
    }
    let id = mail.envelope_id.clone().filter(|id| is_xtext(id));
    let (ret, envelope_id) = if offers.dsn { (mail.ret, id) } else { (None, None) };
    let (from, require_tls) = (mail.from.clone(), mail.require_tls);
    // Who wants to hear of each host hears of this one from us.
    let reports = offers.dsn && mail.deliver_by.is_none_or(|by| deliver_by.is_some() && !by.trace);
    Ok(Letter { from, recipients, message, size, body, utf8, require_tls, ret, envelope_id, deliver_by, reports })
}

/// RFC 2852 §4: what is to be returned when it is late goes to no host that would not do that.
fn by_time(mail: &Outgoing, offers: &Offers) -> Result<Option<ByTime>, Said> {
    let Some(by) = mail.deliver_by else { return Ok(None) };
    match offers.deliver_by {
        Some(least) if !by.returns || by.seconds >= least.max(1) => Ok(Some(by)),
        None if !by.returns => Ok(None),
        _ => Err(ours(550, (5, 4, 7), "the message is to be delivered in a time to which the host does not keep (DELIVERBY)")),
    }
}

/// No line break gets into a command, whoever let it come so far.
fn is_clean(path: &str) -> bool {
    !path.chars().any(char::is_control)
}

/// RFC 3461 §4, or close enough to be one parameter.
pub(super) fn is_xtext(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// RFC 6152 §3, RFC 3030 §3: what the peer does not take is converted.
fn content(own: Body, octets: Vec<Bytes>, offers: &Offers) -> Result<(Vec<Bytes>, Body), Said> {
    let takes = match (offers.binary && offers.chunking, offers.eight_bit) {
        (true, _) => Body::Binary,
        (false, true) => Body::EightBit,
        (false, false) => Body::SevenBit,
    };
    if own <= takes {
        // BINARYMIME does not say that 8BITMIME is there too.
        let body = if own == Body::EightBit && !offers.eight_bit { Body::Binary } else { own };
        return Ok((octets, body));
    }
    let to = if takes == Body::EightBit { Octets::EightBit } else { Octets::SevenBit };
    let whole = octets.concat();
    match convert::convert(&whole, to) {
        Ok(None) => Ok((octets, takes)),
        Ok(Some(message)) => Ok((vec![Bytes::from(message)], takes)),
        Err(why) => Err(ours(
            554,
            (5, 6, 3),
            format!("the host takes no {}, and {why}", if own == Body::Binary { "BINARYMIME" } else { "8BITMIME" }),
        )),
    }
}
