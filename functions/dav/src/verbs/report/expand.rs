//! Properties, and in the place of hrefs the properties of what they name (RFC 3253 §3.8).

use super::super::multistatus;
use super::super::propfind::{Asked, propstats, stored};
use crate::call::Call;
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use crate::xml::report::Property;
use crate::xml::wanted::Wanted;
use crate::xml::{Multistatus, Propstats, Selection, multistatus::Response as Answer};
use axum::http::StatusCode;
use axum::response::Response;
use penfold_formats::xml::{DAV, Element};
use std::future::Future;
use std::pin::Pin;

/// Resources that one answer looks into.
const LIMIT: usize = 500;

pub async fn expand(call: &Call, resource: &Resource, wanted: &[Property]) -> Result<Response, Wrong> {
    let mut left = LIMIT;
    let found = of(&call.session, resource, wanted, &mut left).await?;
    let mut out = Multistatus::new();
    out.response(&Answer::props(resource.href(), found));
    Ok(multistatus(out))
}

fn of<'a>(
    session: &'a Session,
    resource: &'a Resource,
    wanted: &'a [Property],
    left: &'a mut usize,
) -> Pin<Box<dyn Future<Output = Result<Propstats, Wrong>> + Send + 'a>> {
    Box::pin(async move {
        let mut found = Propstats::default();
        for property in wanted {
            let selection = Selection::These(Wanted { names: vec![property.name.clone()], ..Wanted::default() });
            let asked = Asked::new(selection, false);
            let stored = stored(session, resource, &asked).await?;
            let plain = propstats(session, resource, &asked, (&stored, None)).await?;
            let value = if property.expand.is_empty() { None } else { plain.value(&property.name).cloned() };
            match value {
                Some(value) => {
                    let mut expanded = Element::new(property.name.clone());
                    for href in value.all(DAV, "href") {
                        *left = left.checked_sub(1).ok_or(Wrong::Status(StatusCode::INSUFFICIENT_STORAGE))?;
                        expanded = expanded.with(named(session, &href.text(), &property.expand, left).await?);
                    }
                    found.found(expanded);
                }
                None => found.merge(plain),
            }
        }
        Ok(found)
    })
}

/// A response element for what an href names; what is not there for this person is a status.
async fn named(session: &Session, href: &str, wanted: &[Property], left: &mut usize) -> Result<Element, Wrong> {
    let answer = match session.resource(href).await {
        Ok(Resource::Nothing(..)) | Err(_) => Answer::status(href, StatusCode::NOT_FOUND),
        Ok(resource) => Answer::props(href, of(session, &resource, wanted, left).await?),
    };
    Ok(answer.element())
}
