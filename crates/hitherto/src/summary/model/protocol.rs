//! The body of a request, and the headers that say who asks.
//!
//! Invariant: only what every model of a protocol takes is sent. So there is no temperature (newer models refuse
//! it); what a model needs besides is an extra field.

use serde_json::{Map, Value, json};

use super::address::{Address, Limit};
use super::options::{Api, ModelError, ModelOptions};
use super::prompt::Prompt;

/// The version of Anthropic's protocol that this speaks.
pub(super) const ANTHROPIC_VERSION: &str = "2023-06-01";

/// Room for hidden thoughts where they count as output. They cost only where they are thought.
const THOUGHTS: usize = 4096;

/// What a request must say in our own way: the transcript, and that the answer comes in one piece.
const OURS: [&str; 4] = ["messages", "system", "stream", "n"];

/// Refuses extra fields without which, or with which, no answer could be read.
pub(super) fn check_extra(extra: &Map<String, Value>) -> Result<(), ModelError> {
    match extra.keys().find(|name| OURS.contains(&name.as_str())) {
        Some(name) => Err(ModelError::Field(name.clone())),
        None => Ok(()),
    }
}

/// The body of the request for a summary of at most `budget` tokens.
pub(super) fn body(options: &ModelOptions, address: &Address, prompt: &Prompt, budget: usize) -> Value {
    // Tokens are counted differently by every model; a limit that is too small costs the whole answer.
    let text = budget.saturating_mul(2);
    let limit = |default: usize| options.max_output.map_or_else(|| json!(default), Value::from);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(options.model));
    match address.limit {
        Limit::Text => body.insert("max_tokens".to_owned(), limit(text)),
        Limit::TextAndThoughts => {
            body.insert("max_completion_tokens".to_owned(), limit(text.saturating_add(THOUGHTS)))
        }
    };
    if address.api == Api::Anthropic {
        body.insert("system".to_owned(), json!(prompt.system));
        let content = json!([{"type": "text", "text": prompt.user}]);
        body.insert("messages".to_owned(), json!([{"role": "user", "content": content}]));
    } else {
        let system = json!({"role": "system", "content": prompt.system});
        body.insert("messages".to_owned(), json!([system, {"role": "user", "content": prompt.user}]));
    }
    for (name, value) in &options.extra {
        match value {
            Value::Null => body.remove(name),
            value => body.insert(name.clone(), value.clone()),
        };
    }
    Value::Object(body)
}

/// The header for the key, and its value.
pub(super) fn key_header(api: Api, key: &str) -> (&'static str, String) {
    match api {
        Api::OpenAi => ("authorization", format!("Bearer {key}")),
        Api::Azure => ("api-key", key.to_owned()),
        Api::Anthropic => ("x-api-key", key.to_owned()),
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
