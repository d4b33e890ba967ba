//! What writes the summaries, as the settings name it.
//!
//! Invariant: nothing secret is printed: of a model only its name, protocol and host are shown.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use hitherto::ChatMemory;
use hitherto::summary::{Extractive, ModelOptions, ModelSummariser, Summariser, SummaryOptions};
use secrecy::{ExposeSecret as _, SecretString};

use crate::settings::{ModelKey, ModelSettings, SummarySettings};
use crate::store::without_secrets;

/// The longest key that a file may hold: as much as servers take in one header.
const KEY_BYTES: usize = 8 << 10;

/// The memory, which folds with what the settings name.
///
/// # Errors
/// If the model cannot be asked as they say: its address, key, headers, fields or certificates.
pub(crate) fn folding(memory: ChatMemory, settings: &SummarySettings) -> anyhow::Result<ChatMemory> {
    let options = options(settings);
    let Some(model) = &settings.model else {
        return Ok(memory.with_summaries(options, Arc::new(Extractive), None));
    };
    let model: Arc<dyn Summariser> =
        Arc::new(ModelSummariser::new(model_options(model, settings.model_timeout)?).context("the model")?);
    Ok(memory.with_summaries(options, model, Some(Arc::new(Extractive))))
}

/// The memory, which marks what is due, and leaves folding to others.
pub(crate) fn marking(memory: ChatMemory, settings: &SummarySettings) -> ChatMemory {
    memory.with_summaries(options(settings), Arc::new(Extractive), None)
}

/// What writes the summaries, in words, if it can be set up. Nothing is sent to a model.
///
/// # Errors
/// As [`folding`].
pub(crate) fn check(settings: &SummarySettings) -> anyhow::Result<String> {
    if let Some(model) = &settings.model {
        ModelSummariser::new(model_options(model, settings.model_timeout)?).context("the model")?;
    }
    Ok(shown(settings))
}

/// What writes the summaries, in words.
pub(crate) fn shown(settings: &SummarySettings) -> String {
    let off = if settings.policy.enabled { "" } else { ", only of sessions and tenants that ask for it" };
    let by = match &settings.model {
        None => "the extractive summariser, without a model".to_owned(),
        Some(model) => {
            format!("{} at {} ({})", model.name, host(model.url.expose_secret()), model.api.as_str())
        }
    };
    let stand_in = match (&settings.model, settings.stand_in_after) {
        (Some(_), 1..) => "; the extractive summariser stands in while it fails",
        _ => "",
    };
    format!("{by}{off}{stand_in}")
}

/// Scheme, host and port: whatever else an address holds may be a key.
fn host(url: &str) -> String {
    let open = without_secrets(url);
    match open.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.split('/').next().unwrap_or(rest))
        }
        None => open,
    }
}

fn options(settings: &SummarySettings) -> SummaryOptions {
    let mut options = SummaryOptions::default();
    options.policy = settings.policy;
    options.tenants.clone_from(&settings.tenants);
    options.encoding = settings.encoding;
    options.stand_in_after = settings.stand_in_after;
    options.retry_first = settings.retry_first;
    options.retry_most = settings.retry_most;
    options.concurrency = settings.concurrency;
    // One server keeps a session to itself for longer than one answer of the model takes.
    options.lease = options.lease.max(settings.model_timeout * 2);
    options
}

fn model_options(model: &ModelSettings, timeout: Duration) -> anyhow::Result<ModelOptions> {
    let mut options = ModelOptions::new(model.api, model.url.expose_secret(), &model.name);
    options.key = model.key.as_ref().map(key).transpose()?;
    let headers = model.headers.as_ref().map_or("", |headers| headers.expose_secret());
    for (line, number) in headers.lines().zip(1..) {
        let Some((name, value)) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty()) else {
            bail!("model_headers: header {number} is not NAME: VALUE");
        };
        options.headers.push((name.trim().to_owned(), SecretString::from(value.trim())));
    }
    if let Some(body) = &model.body {
        // What the reader says of a text that is none may quote it.
        options.extra = serde_json::from_str(body.expose_secret())
            .map_err(|_| anyhow::anyhow!("model_body must be an object of JSON"))?;
    }
    options.ca.clone_from(&model.ca);
    options.timeout = timeout;
    options.input_tokens = model.input_tokens;
    options.max_output = model.output_tokens;
    Ok(options)
}

fn key(key: &ModelKey) -> anyhow::Result<SecretString> {
    let path = match key {
        ModelKey::Given(key) => return Ok(key.clone()),
        ModelKey::File(path) => path,
    };
    let place = || format!("model_key_file: {}", path.display());
    let text = std::fs::read_to_string(path).with_context(place)?;
    let text = text.trim();
    if text.is_empty() || text.len() > KEY_BYTES || text.contains(['\n', '\r']) {
        bail!("{} must hold the key on one line, and nothing else", place());
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
#[path = "summariser_tests.rs"]
mod tests;
