//! From stored values to messages.
//!
//! Invariant: a value that is no message becomes an element that is none, with its bytes, and a word about it; only
//! what a layout repeats by itself (a system prompt in each run, history that was sent along) is left out.

use bytes::Bytes;

use super::{Print, Profile, runs};
use crate::message::Message;

/// A value that is no message of the layout; it was taken as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad(pub String);

/// Reads the values of one session, oldest first.
#[derive(Debug)]
pub struct Reading {
    profile: &'static Profile,
    /// The system prompt that was read last, in a layout that repeats it.
    system: Option<Print>,
}

impl Reading {
    /// The beginning.
    pub fn new(profile: &'static Profile) -> Self {
        Self { profile, system: None }
    }

    /// The messages of the next value, put behind `into`.
    ///
    /// # Errors
    /// If the value is no message, or not all of it is; what could be read, or else the value, was taken.
    pub fn take(&mut self, value: Bytes, into: &mut Vec<Message>) -> Result<(), Bad> {
        let before = into.len();
        let taken = match self.profile.name {
            "agno" => self.run(value, into),
            "griptape" => griptape(value, into),
            _ => self.one(value, into),
        };
        if let Some(end) = self.profile.end() {
            for message in into.iter_mut().skip(before) {
                *message = message.clone().pushed(Some(end));
            }
        }
        taken
    }

    fn one(&self, value: Bytes, into: &mut Vec<Message>) -> Result<(), Bad> {
        let own = self.profile.dialects.iter().find_map(|dialect| Message::foreign(*dialect, value.clone()));
        if let Some(message) = own {
            into.push(message);
            return Ok(());
        }
        let message = Message::detect(value);
        let known = !message.is_opaque();
        into.push(message);
        if known { Ok(()) } else { Err(Bad("it is no message".to_owned())) }
    }

    fn run(&mut self, value: Bytes, into: &mut Vec<Message>) -> Result<(), Bad> {
        let Some(messages) = runs::agno(&value) else {
            into.push(Message::opaque(value));
            return Err(Bad("it is no run that can be read".to_owned()));
        };
        let mut bad = 0;
        for part in messages {
            let message = Message::foreign(self.profile.dialect(), part.payload.clone());
            if part.is_history {
                continue;
            }
            if let Some(system) = &part.system {
                let print = Print::of(system.as_bytes());
                if self.system.replace(print) == Some(print) {
                    continue;
                }
            }
            bad += u64::from(message.is_none());
            into.push(message.unwrap_or_else(|| Message::opaque(part.payload)));
        }
        if bad == 0 { Ok(()) } else { Err(Bad(format!("{bad} of its messages are none"))) }
    }
}

fn griptape(value: Bytes, into: &mut Vec<Message>) -> Result<(), Bad> {
    let Some(artifacts) = runs::griptape(&value) else {
        into.push(Message::opaque(value));
        return Err(Bad("it is no conversation that can be read".to_owned()));
    };
    into.extend(artifacts);
    Ok(())
}

#[cfg(test)]
#[path = "elements_tests.rs"]
mod tests;
