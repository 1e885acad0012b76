use penfold_formats::vcard::filter::{Collation, Filter, MatchType, ParamFilter, ParamWanted, PropFilter, Test, TextMatch, Wanted};
use penfold_formats::xml::{CARDDAV, DAV, Name};

use super::AddressbookQuery;
use crate::xml::report::{Report, read};
use crate::xml::{Refused, Selection};

fn query(inner: &str) -> Result<AddressbookQuery, Refused> {
    let body = format!(r#"<C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">{inner}</C:addressbook-query>"#);
    match read(body.as_bytes())? {
        Report::AddressbookQuery(query) => Ok(query),
        other => panic!("{other:?}"),
    }
}

fn text(text: &str, kind: MatchType) -> TextMatch {
    TextMatch::new(text, Collation::UnicodeCasemap, kind, false)
}

fn prop(name: &str, texts: Vec<TextMatch>) -> PropFilter {
    PropFilter { name: name.to_owned(), group: None, wanted: Wanted::Defined { test: Test::AnyOf, texts, params: Vec::new() } }
}

/// RFC 6352 §8.6.3, §8.6.4.
#[test]
fn names_and_addresses_with_a_text() {
    let inner = r#"<D:prop><D:getetag/><C:address-data><C:prop name="VERSION"/><C:prop name="UID"/></C:address-data></D:prop>
     <C:filter test="anyof">
       <C:prop-filter name="FN"><C:text-match collation="i;unicode-casemap" match-type="contains">daboo</C:text-match></C:prop-filter>
       <C:prop-filter name="email"><C:text-match collation="i;unicode-casemap" match-type="starts-with">daboo</C:text-match></C:prop-filter>
     </C:filter>
     <C:limit><C:nresults>2</C:nresults></C:limit>"#;
    let query = query(inner).unwrap();
    let props = vec![prop("FN", vec![text("daboo", MatchType::Contains)]), prop("EMAIL", vec![text("daboo", MatchType::StartsWith)])];
    assert_eq!(query.filter, Filter { test: Test::AnyOf, props });
    assert_eq!(query.limit, Some(2));
    let Selection::These(wanted) = query.selection else { panic!("named properties") };
    assert_eq!(wanted.names, [Name::known(DAV, "getetag"), Name::known(CARDDAV, "address-data")]);
    assert_eq!(wanted.address_data.unwrap().props.unwrap().len(), 2);
}

#[test]
fn all_that_a_filter_can_say() {
    let inner = r#"<C:filter test="allof">
       <C:prop-filter name="NICKNAME"><C:is-not-defined/></C:prop-filter>
       <C:prop-filter name="x.tel" test="allof">
         <C:text-match negate-condition="yes" match-type="equals" collation="i;octet"> 1</C:text-match>
         <C:param-filter name="type"><C:text-match match-type="ends-with">me</C:text-match></C:param-filter>
         <C:param-filter name="PREF"><C:is-not-defined/></C:param-filter>
         <C:param-filter name="VALUE"/>
       </C:prop-filter></C:filter>"#;
    let param = |name: &str, wanted| ParamFilter { name: name.to_owned(), wanted };
    let expected = vec![
        PropFilter { name: "NICKNAME".to_owned(), group: None, wanted: Wanted::NotDefined },
        PropFilter {
            name: "TEL".to_owned(),
            group: Some("X".to_owned()),
            wanted: Wanted::Defined {
                test: Test::AllOf,
                texts: vec![TextMatch::new(" 1", Collation::Octet, MatchType::Equals, true)],
                params: vec![
                    param("TYPE", ParamWanted::Text(text("me", MatchType::EndsWith))),
                    param("PREF", ParamWanted::NotDefined),
                    param("VALUE", ParamWanted::Defined),
                ],
            },
        },
    ];
    assert_eq!(query(inner).unwrap().filter, Filter { test: Test::AllOf, props: expected });
    assert_eq!(query("<C:filter/>").unwrap().filter, Filter::default());
}

#[test]
fn what_cannot_be_is_refused() {
    let filter = |inner: &str| query(&format!("<C:filter>{inner}</C:filter>")).unwrap_err();
    for inner in [
        "<C:prop-filter/>",
        r#"<C:prop-filter name="FN" test="x"/>"#,
        r#"<C:prop-filter name="FN"><C:is-not-defined/><C:text-match>x</C:text-match></C:prop-filter>"#,
        r#"<C:prop-filter name="FN"><C:param-filter name="T"><C:is-not-defined/><C:text-match>x</C:text-match></C:param-filter></C:prop-filter>"#,
    ] {
        assert_eq!(filter(inner).status().as_u16(), 400, "{inner}");
    }
    assert_eq!(query("").unwrap_err().status().as_u16(), 400);
    assert_eq!(filter(&r#"<C:prop-filter name="FN"/>"#.repeat(101)).status().as_u16(), 413);
    assert_eq!(
        filter(r#"<C:prop-filter name="FN"><C:text-match match-type="sounds-like">x</C:text-match></C:prop-filter>"#).status().as_u16(),
        400
    );
    let body = |attribute: &str| {
        let refused = filter(&format!(r#"<C:prop-filter name="FN"><C:text-match {attribute}>x</C:text-match></C:prop-filter>"#));
        assert_eq!(refused.status().as_u16(), 403);
        String::from_utf8(refused.body().unwrap()).unwrap()
    };
    assert!(body(r#"collation="i;ascii-numeric""#).contains("<card:supported-collation/>"));
}
