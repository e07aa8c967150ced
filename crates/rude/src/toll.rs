//! What came back of an attack.

use std::{collections::BTreeMap, fmt};

use anser_proto::{CloseCode, v1::server_frame::Body};

use crate::peer::Came;

/// How often each answer came: an error by its name, a close by its number, `answered` for what was granted, and `gone` for a
/// connection that ended without a word.
#[derive(Default, PartialEq, Eq)]
pub struct Toll(BTreeMap<String, u64>);

impl Toll {
    pub fn one(what: impl Into<String>) -> Self {
        Self([(what.into(), 1)].into())
    }

    pub fn count(&mut self, came: &Came) {
        let what = match came {
            Came::Closed(None) => "gone".to_owned(),
            Came::Closed(Some(code)) => closed(*code),
            Came::Control(..) => return,
            Came::Frame(frame) => match &frame.body {
                Some(Body::Error(error)) => error.code().as_str_name().to_owned(),
                _ if frame.request_id == 0 => return,
                _ => "answered".to_owned(),
            },
        };
        *self.0.entry(what).or_default() += 1;
    }

    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
        self
    }

    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// `4504 FLOODING`, or the number alone of a code that is not the protocol's own.
fn closed(code: u16) -> String {
    match CloseCode::try_from(i32::from(code)) {
        Ok(known) if code >= 4000 => format!("{code} {}", known.as_str_name()),
        _ => code.to_string(),
    }
}

impl fmt::Debug for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
