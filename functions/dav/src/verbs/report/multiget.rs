//! Objects by name (RFC 4791 §7.9, RFC 6352 §8.7): each that was asked for is answered.

use super::super::multistatus;
use super::{Asked, tell_named};
use crate::call::Call;
use crate::limits;
use crate::path::Home;
use crate::place::Place;
use crate::resource::Resource;
use crate::wrong::Wrong;
use crate::xml::report::Multiget;
use crate::xml::{Multistatus, Refused, href, multistatus::Response as Answer};
use axum::http::StatusCode;
use axum::response::Response;
use std::collections::{BTreeMap, HashSet};

pub async fn multiget(call: &Call, home: Home, wanted: Multiget) -> Result<Response, Wrong> {
    if wanted.hrefs.len() > limits::HREFS {
        return Err(Refused::TooLarge("resources").into());
    }
    let asked = Asked::of(call, wanted.selection);
    let mut out = Multistatus::new();
    // By the folder that they lie in, which is mostly one.
    let mut folders: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for given in wanted.hrefs {
        if !seen.insert(given.clone()) {
            continue;
        }
        match href::segments(&given).and_then(|mut all| Some((all.pop()?, all))) {
            Some((name, above)) => {
                let above: String = above.iter().map(|segment| format!("/{}", href::segment(segment))).collect();
                folders.entry(format!("{above}/")).or_default().push((name, given));
            }
            None => out.response(&Answer::status(given, StatusCode::NOT_FOUND)),
        }
    }
    for (path, names) in folders {
        match call.session.resource(&path).await {
            Ok(Resource::Book(_)) if home == Home::AddressBooks => super::book::named(&call.session, &names, &asked, &mut out).await?,
            Ok(Resource::Collection(place)) if place.home == home => {
                if !in_folder(call, &place, &names, &asked, &mut out).await? {
                    out.response(&Answer::truncated(place.href.clone()));
                    break;
                }
            }
            _ => {
                for (_, given) in names {
                    out.response(&Answer::status(given, StatusCode::NOT_FOUND));
                }
            }
        }
    }
    Ok(multistatus(out))
}

async fn in_folder(call: &Call, place: &Place, names: &[(String, String)], asked: &Asked, out: &mut Multistatus) -> Result<bool, Wrong> {
    let asked = &Asked { floating: super::super::zone::zone_of(place).await?, ..asked.clone() };
    for some in names.chunks(limits::BATCH) {
        let wanted: Vec<&str> = some.iter().map(|(name, _)| name.as_str()).collect();
        let mut there = Vec::new();
        for ((_, given), object) in some.iter().zip(place.mailbox.objects_named(place.folder.id, &wanted).await?) {
            match object {
                Some(object) => there.push(object),
                None => out.response(&Answer::status(given.clone(), StatusCode::NOT_FOUND)),
            }
        }
        if !tell_named(&call.session, place, there, asked, out).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
