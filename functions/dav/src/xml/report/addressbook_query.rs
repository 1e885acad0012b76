use penfold_formats::vcard::filter::{Collation, Filter, MatchType, ParamFilter, ParamWanted, PropFilter, Test, TextMatch, Wanted};
use penfold_formats::xml::{CARDDAV, Element};

use super::limit;
use crate::xml::address_data::named;
use crate::xml::error::Precondition;
use crate::xml::refused::Refused;
use crate::xml::wanted::Selection;

#[cfg(test)]
mod tests;

/// Cards by what is in them (RFC 6352 §8.6, §10.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressbookQuery {
    pub selection: Selection,
    pub filter: Filter,
    pub limit: Option<usize>,
}

/// Conditions of a filter, all levels together: each is looked at for each card. Clients send some ten.
const MAX_CONDITIONS: usize = 100;

impl AddressbookQuery {
    pub(super) fn read(root: &Element) -> Result<Self, Refused> {
        let element = root.child(CARDDAV, "filter").ok_or_else(|| Refused::malformed("addressbook-query has to hold filter"))?;
        let mut left = MAX_CONDITIONS;
        let props = element.all(CARDDAV, "prop-filter").map(|prop| prop_filter(prop, &mut left)).collect::<Result<_, _>>()?;
        let filter = Filter { test: test(element)?, props };
        Ok(Self { selection: Selection::read_or_none(root)?, filter, limit: limit(root, CARDDAV)? })
    }
}

fn count(left: &mut usize) -> Result<(), Refused> {
    *left = left.checked_sub(1).ok_or(Refused::TooLarge("conditions in the filter"))?;
    Ok(())
}

fn test(element: &Element) -> Result<Test, Refused> {
    match element.attribute("test") {
        None | Some("anyof") => Ok(Test::AnyOf),
        Some("allof") => Ok(Test::AllOf),
        Some(_) => Err(Refused::malformed("test has to be anyof or allof")),
    }
}

fn prop_filter(element: &Element, left: &mut usize) -> Result<PropFilter, Refused> {
    count(left)?;
    let (name, group) = named(element)?;
    let texts: Vec<_> = element.all(CARDDAV, "text-match").map(|text| text_match(text, left)).collect::<Result<_, _>>()?;
    let params: Vec<_> = element.all(CARDDAV, "param-filter").map(|param| param_filter(param, left)).collect::<Result<_, _>>()?;
    let wanted = match element.child(CARDDAV, "is-not-defined") {
        None => Wanted::Defined { test: test(element)?, texts, params },
        Some(_) if texts.is_empty() && params.is_empty() => Wanted::NotDefined,
        Some(_) => return Err(Refused::malformed("is-not-defined excludes other conditions")),
    };
    Ok(PropFilter { name, group, wanted })
}

fn param_filter(element: &Element, left: &mut usize) -> Result<ParamFilter, Refused> {
    count(left)?;
    let (name, _) = named(element)?;
    let text = element.child(CARDDAV, "text-match").map(|text| text_match(text, left)).transpose()?;
    let wanted = match (element.child(CARDDAV, "is-not-defined"), text) {
        (None, None) => ParamWanted::Defined,
        (None, Some(text)) => ParamWanted::Text(text),
        (Some(_), None) => ParamWanted::NotDefined,
        (Some(_), Some(_)) => return Err(Refused::malformed("is-not-defined excludes other conditions")),
    };
    Ok(ParamFilter { name, wanted })
}

fn text_match(element: &Element, left: &mut usize) -> Result<TextMatch, Refused> {
    count(left)?;
    let collation = Collation::named(element.attribute("collation").unwrap_or("i;unicode-casemap"));
    let collation = collation.ok_or(Refused::Precondition(Precondition::CARD_SUPPORTED_COLLATION))?;
    let kind = match element.attribute("match-type") {
        None | Some("contains") => MatchType::Contains,
        Some("equals") => MatchType::Equals,
        Some("starts-with") => MatchType::StartsWith,
        Some("ends-with") => MatchType::EndsWith,
        Some(_) => return Err(Refused::malformed("match-type has to be equals, contains, starts-with or ends-with")),
    };
    Ok(TextMatch::new(&element.text(), collation, kind, element.attribute("negate-condition") == Some("yes")))
}
