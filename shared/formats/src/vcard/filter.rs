//! CARDDAV:filter (RFC 6352 §10.5): a plain structure, and whether a card fits.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::lines::{Line, split, unescape};

use super::card::Card;
use super::value::{is_list, is_separated, plain};

/// Without any properties every card fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub test: Test,
    pub props: Vec<PropFilter>,
}

/// Whether one of several conditions is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Test {
    #[default]
    AnyOf,
    AllOf,
}

/// §10.5.1. It fits if one property of that name fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropFilter {
    /// Without regard to case.
    pub name: String,
    /// `X` of `X.TEL`: only those of the group.
    pub group: Option<String>,
    pub wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    NotDefined,
    /// Without any conditions it is enough that the property is there.
    Defined {
        test: Test,
        texts: Vec<TextMatch>,
        params: Vec<ParamFilter>,
    },
}

/// §10.5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamFilter {
    pub name: String,
    pub wanted: ParamWanted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamWanted {
    Defined,
    NotDefined,
    Text(TextMatch),
}

/// §10.5.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMatch {
    text: String,
    collation: Collation,
    kind: MatchType,
    negate: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchType {
    Equals,
    #[default]
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Collation {
    /// RFC 4790 §9.2.
    AsciiCasemap,
    /// RFC 4790 §9.3.
    Octet,
    /// RFC 5051, without its decomposition: letters and their composed forms are not the same.
    #[default]
    UnicodeCasemap,
}

impl Collation {
    /// `default` is the one of §10.5.4.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "i;ascii-casemap" => Some(Self::AsciiCasemap),
            "i;octet" => Some(Self::Octet),
            "i;unicode-casemap" | "default" => Some(Self::UnicodeCasemap),
            _ => None,
        }
    }

    fn fold(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Octet => Cow::Borrowed(text),
            Self::UnicodeCasemap if !text.is_ascii() => {
                Cow::Owned(text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect())
            }
            Self::AsciiCasemap | Self::UnicodeCasemap => Cow::Owned(text.to_ascii_lowercase()),
        }
    }
}

impl TextMatch {
    pub fn new(text: &str, collation: Collation, kind: MatchType, negate: bool) -> Self {
        Self { text: collation.fold(text).into_owned(), collation, kind, negate }
    }

    /// What a value that fits begins with or holds, folded: an index may look for it. `None` where no such text says enough.
    pub fn beginning(&self) -> Option<&str> {
        (!self.negate && self.kind != MatchType::EndsWith).then_some(self.text.as_str())
    }

    /// Whether one of the values, folded already, has the text, or none of them where it is negated.
    fn fits<'v>(&self, mut folded: impl Iterator<Item = Cow<'v, str>>) -> bool {
        folded.any(|value| self.has(&value)) != self.negate
    }

    fn has(&self, value: &str) -> bool {
        match self.kind {
            MatchType::Equals => value == self.text,
            MatchType::Contains => memchr::memmem::find(value.as_bytes(), self.text.as_bytes()).is_some(),
            MatchType::StartsWith => value.starts_with(&self.text),
            MatchType::EndsWith => value.ends_with(&self.text),
        }
    }
}

/// Whether the card fits.
pub fn matches(card: &Card<'_>, filter: &Filter) -> bool {
    let lines: Vec<Looked<'_, '_>> = card.lines.iter().map(Looked::at).collect();
    filter.props.is_empty() || filter.test.of(filter.props.iter().map(|prop| prop_matches(card, &lines, prop)))
}

/// A line, and its values as some condition wanted them: many conditions look at the same line, and it may be long.
struct Looked<'l, 'a> {
    line: &'l Line<'a>,
    plain: OnceCell<Vec<String>>,
    ascii: OnceCell<Vec<String>>,
    unicode: OnceCell<Vec<String>>,
}

impl<'l, 'a> Looked<'l, 'a> {
    fn at(line: &'l Line<'a>) -> Self {
        Self { line, plain: OnceCell::new(), ascii: OnceCell::new(), unicode: OnceCell::new() }
    }

    fn values(&self, collation: Collation) -> &[String] {
        let plain = self.plain.get_or_init(|| values(self.line));
        let fold = || plain.iter().map(|value| collation.fold(value).into_owned()).collect();
        match collation {
            Collation::Octet => plain,
            Collation::AsciiCasemap => self.ascii.get_or_init(fold),
            Collation::UnicodeCasemap => self.unicode.get_or_init(fold),
        }
    }
}

impl Test {
    fn of(self, mut conditions: impl Iterator<Item = bool>) -> bool {
        match self {
            Self::AnyOf => conditions.any(|fits| fits),
            Self::AllOf => conditions.all(|fits| fits),
        }
    }
}

fn prop_matches(card: &Card<'_>, lines: &[Looked<'_, '_>], filter: &PropFilter) -> bool {
    // VERSION is no line of its own in here.
    if filter.name.eq_ignore_ascii_case("VERSION") {
        let version = card.version.as_str().into();
        let line = Line { number: 0, range: 0..0, group: None, name: "VERSION".into(), params: Vec::new(), value: version };
        return lines_match(std::iter::once(&Looked::at(&line)), &filter.wanted);
    }
    let in_group = |line: &Line<'_>| {
        let group = filter.group.as_ref();
        group.is_none_or(|group| line.group.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(group)))
    };
    lines_match(lines.iter().filter(|one| one.line.is(&filter.name) && in_group(one.line)), &filter.wanted)
}

fn lines_match<'s, 'l: 's, 'a: 'l>(mut lines: impl Iterator<Item = &'s Looked<'l, 'a>>, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::NotDefined => lines.next().is_none(),
        Wanted::Defined { texts, params, .. } if texts.is_empty() && params.is_empty() => lines.next().is_some(),
        Wanted::Defined { test, texts, params } => lines.any(|one| {
            let texts = texts.iter().map(|text| text.fits(one.values(text.collation).iter().map(|value| Cow::Borrowed(value.as_str()))));
            test.of(texts.chain(params.iter().map(|param| param_matches(one.line, param))))
        }),
    }
}

/// The value as a whole, and where it has parts, each of them: somebody whose name equals `Doe` is looked for in N too.
fn values(line: &Line<'_>) -> Vec<String> {
    let mut values = vec![plain(line)];
    let separator = match () {
        () if is_separated(&line.name) => ';',
        () if is_list(&line.name) => ',',
        () => return values,
    };
    values.extend(split(&line.value, separator).map(|part| unescape(part.trim()).into_owned()));
    values
}

fn param_matches(line: &Line<'_>, filter: &ParamFilter) -> bool {
    let params = || line.params.iter().filter(|param| param.name.eq_ignore_ascii_case(&filter.name));
    match &filter.wanted {
        ParamWanted::Defined => params().next().is_some(),
        ParamWanted::NotDefined => params().next().is_none(),
        ParamWanted::Text(text) => {
            let values = params().flat_map(|param| param.values.iter()).map(|value| text.collation.fold(value));
            params().next().is_some() && text.fits(values)
        }
    }
}
