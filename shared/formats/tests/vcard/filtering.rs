use penfold_formats::vcard::filter::{
    Collation, Filter, MatchType, ParamFilter, ParamWanted, PropFilter, Test, TextMatch, Wanted, matches,
};

use crate::{FRANK, SIMON, card, wrapped};

fn text(text: &str, kind: MatchType) -> TextMatch {
    TextMatch::new(text, Collation::default(), kind, false)
}

fn prop(name: &str, wanted: Wanted) -> PropFilter {
    PropFilter { name: name.to_owned(), group: None, wanted }
}

fn has(texts: Vec<TextMatch>, params: Vec<ParamFilter>) -> Wanted {
    Wanted::Defined { test: Test::AllOf, texts, params }
}

fn fits(text: &str, test: Test, props: Vec<PropFilter>) -> bool {
    matches(&card(text), &Filter { test, props })
}

/// RFC 6352 §8.6.4: a name or an address that has the text.
#[test]
fn any_of_several_properties() {
    let wanted = || has(vec![text("daw", MatchType::Contains)], Vec::new());
    let filter = || vec![prop("fn", wanted()), prop("EMAIL", wanted())];
    assert!(fits(FRANK, Test::AnyOf, filter()));
    assert!(fits(FRANK, Test::AllOf, filter()));
    assert!(!fits(SIMON, Test::AnyOf, filter()));
    assert!(fits(SIMON, Test::AnyOf, Vec::new()));
}

#[test]
fn kinds_of_match_and_collations() {
    let one = |kind, collation, needle: &str| {
        let wanted = has(vec![TextMatch::new(needle, collation, kind, false)], Vec::new());
        fits(&wrapped("4.0", "FN:Jürgen Straße"), Test::AllOf, vec![prop("FN", wanted)])
    };
    use Collation::{AsciiCasemap, Octet, UnicodeCasemap};
    for (kind, collation, needle, expected) in [
        (MatchType::Equals, UnicodeCasemap, "JÜRGEN STRASSE", true),
        (MatchType::Equals, UnicodeCasemap, "JÜRGEN", false),
        (MatchType::StartsWith, UnicodeCasemap, "jÜr", true),
        (MatchType::StartsWith, UnicodeCasemap, "str", false),
        (MatchType::EndsWith, UnicodeCasemap, "SSE", true),
        (MatchType::EndsWith, UnicodeCasemap, "jür", false),
        (MatchType::Contains, AsciiCasemap, "RGEN s", true),
        (MatchType::Contains, AsciiCasemap, "JÜ", false),
        (MatchType::Contains, Octet, "Jü", true),
        (MatchType::Contains, Octet, "jü", false),
    ] {
        assert_eq!(one(kind, collation, needle), expected, "{kind:?} {collation:?} {needle}");
    }
    assert_eq!(Collation::named("i;ascii-numeric"), None);
    assert_eq!(Collation::named("default"), Some(UnicodeCasemap));
}

/// A value is looked at without its escapes, as a whole and by its parts.
#[test]
fn values_have_no_escapes_and_have_parts() {
    let text_of = wrapped("3.0", "FN:a\r\nN:Doe\\, jr;John;;;\r\nNICKNAME:Jo,Jack\r\nNOTE:x\\ny\\;z");
    let equals =
        |name: &str, value: &str| fits(&text_of, Test::AllOf, vec![prop(name, has(vec![text(value, MatchType::Equals)], Vec::new()))]);
    assert!(equals("N", "doe, jr") && equals("N", "john") && !equals("N", "jack"));
    assert!(equals("NICKNAME", "jack") && !equals("NICKNAME", "j"));
    assert!(equals("NOTE", "x\ny;z") && !equals("NOTE", "z"));
    assert!(equals("VERSION", "3.0"));
}

#[test]
fn what_is_not_there_and_what_is_not_so() {
    let fits = |wanted| fits(FRANK, Test::AllOf, vec![prop("TEL", wanted)]);
    assert!(!fits(Wanted::NotDefined));
    assert!(fits(has(Vec::new(), Vec::new())));
    assert!(crate::filtering::fits(FRANK, Test::AllOf, vec![prop("NOTE", Wanted::NotDefined)]));
    assert!(!crate::filtering::fits(FRANK, Test::AllOf, vec![prop("NOTE", has(Vec::new(), Vec::new()))]));
    let not = |needle: &str| TextMatch::new(needle, Collation::default(), MatchType::Contains, true);
    assert!(fits(has(vec![not("9515")], Vec::new())));
    assert!(!fits(has(vec![not("919")], Vec::new())));
}

/// RFC 6352 §10.5.1: one property has to fit in all, not one here and one there.
#[test]
fn conditions_are_of_one_property() {
    let work = |kind: &str| ParamFilter { name: "type".to_owned(), wanted: ParamWanted::Text(text(kind, MatchType::Equals)) };
    let fits = |needle: &str, kind: &str| {
        fits(FRANK, Test::AllOf, vec![prop("TEL", has(vec![text(needle, MatchType::Contains)], vec![work(kind)]))])
    };
    assert!(fits("9564", "fax"));
    assert!(!fits("9515", "fax"));
    let param = |name: &str, wanted: ParamWanted| {
        let params = vec![ParamFilter { name: name.to_owned(), wanted }];
        crate::filtering::fits(FRANK, Test::AllOf, vec![prop("EMAIL", has(Vec::new(), params))])
    };
    assert!(param("TYPE", ParamWanted::Defined) && !param("TYPE", ParamWanted::NotDefined));
    assert!(param("X-A", ParamWanted::NotDefined) && !param("X-A", ParamWanted::Defined));
}

#[test]
fn a_group_is_meant_by_its_name() {
    let text_of = wrapped("3.0", "FN:a\r\nitem1.EMAIL:a@b\r\nitem2.EMAIL:c@d");
    let wanted =
        |group: &str| PropFilter { group: Some(group.to_owned()), ..prop("EMAIL", has(vec![text("a@b", MatchType::Equals)], Vec::new())) };
    assert!(fits(&text_of, Test::AllOf, vec![wanted("ITEM1")]));
    assert!(!fits(&text_of, Test::AllOf, vec![wanted("item2")]));
}
