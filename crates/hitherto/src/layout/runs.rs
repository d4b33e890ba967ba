//! Values that hold many messages: Agno's runs and Griptape's conversations. Each message keeps its own JSON as it
//! stands there.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::Dialect;
use crate::message::{Message, Role, decode_string, field};

/// A message of an Agno run.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) payload: Bytes,
    /// What it says, as raw JSON, if it is a system prompt.
    pub(super) system: Option<String>,
    /// Whether it is of an earlier run, and was only sent along.
    pub(super) is_history: bool,
}

/// The messages of an Agno run; `None` if it is none.
pub(super) fn agno(value: &Bytes) -> Option<Vec<Part>> {
    let run = field(value, "run_data")?;
    let messages: Vec<&RawValue> = serde_json::from_str(field(run.as_bytes(), "messages")?).ok()?;
    let parts = messages.into_iter().map(|message| {
        let raw = message.get();
        let of = |name| field(raw.as_bytes(), name);
        let role = of("role").map(decode_string);
        let is_system = matches!(role.as_deref(), Some("system" | "developer"));
        Part {
            payload: value.slice_ref(raw.as_bytes()),
            system: is_system.then(|| of("content").unwrap_or_default().to_owned()),
            is_history: of("from_history") == Some("true"),
        }
    });
    Some(parts.collect())
}

/// The inputs and outputs of a Griptape conversation; `None` if it is none.
pub(super) fn griptape(value: &Bytes) -> Option<Vec<Message>> {
    #[derive(Deserialize)]
    struct Run<'a> {
        #[serde(borrow)]
        input: Option<&'a RawValue>,
        #[serde(borrow)]
        output: Option<&'a RawValue>,
    }
    let runs: Vec<Run<'_>> = serde_json::from_str(field(value, "runs")?).ok()?;
    let mut messages = Vec::with_capacity(runs.len() * 2);
    for run in runs {
        for (role, artifact) in [(Role::User, run.input), (Role::Assistant, run.output)] {
            if let Some(artifact) = artifact.filter(|artifact| artifact.get() != "null") {
                let payload = value.slice_ref(artifact.get().as_bytes());
                messages.push(Message::foreign_of(role, Dialect::Griptape, payload, None));
            }
        }
    }
    Some(messages)
}
