//! Content lines to components, with where each of them stands.

use std::{borrow::Cow, ops::Range};

use super::fault::{Fault, Limits};
use crate::lines::{Bounds, Line, Lines, unescape};

/// A component, from its BEGIN to its END.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// In upper case.
    pub name: String,
    /// Of its BEGIN.
    pub line: u32,
    /// In the object's bytes, with BEGIN and END.
    pub range: Range<usize>,
    /// The same without BEGIN and END.
    pub inner: Range<usize>,
    pub properties: Vec<Line<'static>>,
    pub components: Vec<Component>,
}

impl Component {
    pub fn property(&self, name: &str) -> Option<&Line<'static>> {
        self.properties.iter().find(|line| line.is(name))
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line<'static>> {
        self.properties.iter().filter(move |line| line.is(name))
    }

    /// The text that a property of TEXT stands for.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.property(name).map(|line| unescape(&line.value))
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

struct Open {
    component: Component,
    attendees: usize,
}

/// Everything that stands at the top, which should be one VCALENDAR.
pub(crate) fn read(input: &[u8], limits: &Limits) -> Result<Vec<Component>, Fault> {
    let bounds = Bounds { octets: limits.octets, lines: limits.lines, line: limits.octets, params: 200, soft_breaks: false };
    let (mut open, mut done, mut count): (Vec<Open>, Vec<Component>, usize) = (Vec::new(), Vec::new(), 0);
    for line in Lines::new(input, bounds) {
        let line = line?;
        if line.is("BEGIN") {
            count += 1;
            if count > limits.components || open.len() >= limits.depth {
                return Err(Fault::data(line.number, "more components than are taken"));
            }
            open.push(begin(&line));
        } else if line.is("END") {
            let number = line.number;
            let Some(mut closed) = open.pop().filter(|open| open.component.is(line.value.trim())) else {
                return Err(Fault::data(number, format!("END:{} ends nothing that is open", line.value.trim())));
            };
            closed.component.inner.end = line.range.start;
            closed.component.range.end = line.range.end;
            match open.last_mut() {
                Some(parent) => parent.component.components.push(closed.component),
                None => done.push(closed.component),
            }
        } else {
            let Some(open) = open.last_mut() else { return Err(Fault::data(line.number, "a property outside of VCALENDAR")) };
            open.attendees += usize::from(line.is("ATTENDEE"));
            if open.attendees > limits.attendees {
                return Err(Fault::new(super::What::MaxAttendeesPerInstance, line.number, "more attendees than are taken"));
            }
            open.component.properties.push(line.into_owned());
        }
    }
    match open.pop() {
        Some(open) => Err(Fault::data(open.component.line, format!("BEGIN:{} has no END", open.component.name))),
        None => Ok(done),
    }
}

fn begin(line: &Line<'_>) -> Open {
    let component = Component {
        name: line.value.trim().to_ascii_uppercase(),
        line: line.number,
        range: line.range.start..line.range.end,
        inner: line.range.end..line.range.end,
        properties: Vec::new(),
        components: Vec::new(),
    };
    Open { component, attendees: 0 }
}
