//! The parameters of a query: each taken once; what is left is an error that names it.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use axum::http::Uri;

use super::path::decode;
use super::problem::{Code, Problem};

/// Parameters that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads the query of a request.
    pub(super) fn parse(uri: &'a Uri) -> Result<Self, Problem> {
        let mut found: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name, true), decode(value, true)) else {
                return Err(invalid("the query", "UTF-8 in percent-encoding"));
            };
            if found.iter().any(|(earlier, _)| *earlier == name) {
                return Err(Problem::new(
                    Code::ConflictingParameters,
                    format!("{name:?} is given more than once"),
                ));
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    /// Takes a parameter out.
    pub(super) fn take(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let index = self.0.iter().position(|(found, _)| found == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// Takes a whole number out.
    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let Some(text) = self.take(name) else {
            return Ok(None);
        };
        match text.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(invalid(name, &format!("a whole number from {} to {}", range.start(), range.end()))
                .with("limit", *range.end())),
        }
    }

    /// Refuses what is left.
    pub(super) fn finish(self, known: &str) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.0.iter().map(|(name, _)| format!("{name:?}")).collect();
        let known =
            if known.is_empty() { "there are none here".to_owned() } else { format!("known are {known}") };
        Err(Problem::new(Code::UnknownParameter, format!("unknown parameter {}; {known}", names.join(", "))))
    }
}

/// Refuses any parameter.
pub(super) fn none(uri: &Uri) -> Result<(), Problem> {
    match uri.query() {
        None | Some("") => Ok(()),
        Some(_) => Query::parse(uri)?.finish(""),
    }
}

/// A parameter that is not what it must be.
pub(super) fn invalid(name: &str, must: &str) -> Problem {
    Problem::new(Code::InvalidParameter, format!("{name} must be {must}"))
}
