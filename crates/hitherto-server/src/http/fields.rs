//! The fields of a request's object: each taken once, as the raw JSON that it is; what is left is an error
//! that names it.

use std::borrow::Cow;
use std::fmt;

use hitherto::{Change, Restart, Ttl, TtlChange};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::problem::{Code, Problem};

/// The largest whole number that every JSON reader keeps.
pub(super) const MAX_NUMBER: u64 = (1 << 53) - 1;

/// An object's fields that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads an object.
    pub(super) fn parse(text: &'a str) -> Result<Self, Problem> {
        serde_json::from_str(text).map_err(|error| invalid_json(&error))
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<&'a str>, Problem> {
        let Some(index) = self.0.iter().position(|(found, _)| found == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(index);
        if self.0.iter().any(|(found, _)| found == name) {
            return Err(invalid(name, "given once"));
        }
        Ok(Some(value.get()))
    }

    /// Takes out a text; null is as if it were not there.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name)? {
            None | Some("null") => Ok(None),
            Some(raw) => serde_json::from_str(raw).map(Some).map_err(|_| invalid(name, "a text")),
        }
    }

    /// Takes out a whole number, at least 1.
    pub(super) fn number(&mut self, name: &'static str) -> Result<Change<u64>, Problem> {
        match self.take(name)? {
            None => Ok(Change::Keep),
            Some("null") => Ok(Change::Remove),
            Some(raw) => raw
                .parse()
                .ok()
                .filter(|number| (1..=MAX_NUMBER).contains(number))
                .map(Change::Set)
                .ok_or_else(|| invalid(name, "a whole number of at least 1, or null for none")),
        }
    }

    /// Takes out `ttl_secs` and `ttl_restart`.
    pub(super) fn ttl(&mut self) -> Result<TtlChange, Problem> {
        let restart = match self.text("ttl_restart")? {
            None => None,
            Some(name) => Some(restart(&name)?),
        };
        match (self.number("ttl_secs")?, restart) {
            (Change::Set(secs), restart) => Ttl::from_secs(secs)
                .map(|ttl| TtlChange::Set(ttl.restarted_by(restart.unwrap_or_default())))
                .map_err(|_| {
                    invalid("ttl_secs", "a whole number of 1 to 3162240000 (100 years), or null for none")
                }),
            (_, Some(_)) => {
                Err(invalid("ttl_restart", "given together with ttl_secs, whose clock it is about"))
            }
            (Change::Remove, None) => Ok(TtlChange::Remove),
            (Change::Keep, None) => Ok(TtlChange::Keep),
        }
    }

    /// Refuses what is left.
    pub(super) fn finish(self, known: &str) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.0.iter().map(|(name, _)| format!("{name:?}")).collect();
        Err(Problem::new(
            Code::UnknownField,
            format!("unknown field {}; known are {known}", names.join(", ")),
        ))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(4);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn restart(name: &str) -> Result<Restart, Problem> {
    [Restart::Write, Restart::Read, Restart::Never]
        .into_iter()
        .find(|known| known.as_str() == name)
        .ok_or_else(|| invalid("ttl_restart", "write, read or never"))
}

/// A field that is not what it must be.
pub(super) fn invalid(field: &str, must: &str) -> Problem {
    Problem::new(Code::InvalidField, format!("{field} must be {must}"))
}

/// A body that is no JSON, or no object.
pub(super) fn invalid_json(error: &serde_json::Error) -> Problem {
    // For a body of the wrong type the reader's message quotes what it found, which is what people said.
    let reason = if error.is_data() { "not an object".to_owned() } else { error.to_string() };
    Problem::new(Code::InvalidJson, format!("the body is not a JSON object: {reason}"))
}
