//! The settings of summaries: the policy, and the model if there is one.
//!
//! Invariant: printing them is safe; keys, headers, addresses and extra fields are wrapped.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use hitherto::summary::{Api, Policy, PolicyChange};
use hitherto::{Encoding, Tenant};
use secrecy::SecretString;

use super::Layers;

/// How sessions are summarised.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SummarySettings {
    /// The policy of sessions that have none of their own.
    pub policy: Policy,
    /// What tenants have of their own.
    pub tenants: HashMap<Tenant, PolicyChange>,
    /// How tokens are counted where nobody says.
    pub encoding: Encoding,
    /// The model that writes summaries; without one the extractive summariser does.
    pub model: Option<ModelSettings>,
    /// By when the model has answered.
    pub model_timeout: Duration,
    /// After so many failures the extractive summariser stands in; 0 never.
    pub stand_in_after: u32,
    /// How many sessions are folded at a time.
    pub concurrency: usize,
    /// How long folding waits after a first failure.
    pub retry_first: Duration,
    /// How long it waits at most.
    pub retry_most: Duration,
}

/// A model and how it is asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ModelSettings {
    /// Its name.
    pub name: String,
    /// The address of its API, which may hold a key.
    pub url: SecretString,
    /// The protocol of its API.
    pub api: Api,
    /// Its key.
    pub key: Option<ModelKey>,
    /// Headers that are sent besides, one `Name: value` a line.
    pub headers: Option<SecretString>,
    /// Fields of the body that are sent besides, an object of JSON.
    pub body: Option<SecretString>,
    /// Certificate authorities to trust.
    pub ca: Option<PathBuf>,
    /// How many tokens of transcript it is given at once.
    pub input_tokens: usize,
    /// How many tokens it may write.
    pub output_tokens: Option<u32>,
}

/// The key of a model.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ModelKey {
    /// The key itself.
    Given(SecretString),
    /// In a file.
    File(PathBuf),
}

/// What only makes sense with a model.
const OF_A_MODEL: [&str; 6] =
    ["model_key", "model_key_file", "model_headers", "model_body", "model_ca", "model_output_tokens"];

impl SummarySettings {
    /// Resolves what was gathered.
    ///
    /// # Errors
    /// Where one value needs another; names both.
    pub(super) fn resolve(layers: &Layers) -> anyhow::Result<Self> {
        let number = |name: &'static str| layers.number(name).with_context(|| format!("{name} has no value"));
        let small = |name| number(name).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
        let size = |name| number(name).map(|value| usize::try_from(value).unwrap_or(usize::MAX));
        let secs = |name| number(name).map(Duration::from_secs);
        let mut policy = Policy::default();
        policy.enabled = layers.get("summaries") != Some("off");
        policy.window = small("window")?;
        policy.fold_after_turns = small("fold_after_turns")?;
        policy.fold_after_tokens = small("fold_after_tokens")?;
        policy.summary_tokens = small("summary_tokens")?;
        let (retry_first, retry_most) = (secs("fold_retry_first")?, secs("fold_retry_most")?);
        if retry_first > retry_most {
            bail!("fold_retry_first is longer than fold_retry_most, the longest wait");
        }
        Ok(Self {
            policy,
            tenants: layers.tenants().iter().map(|(tenant, own)| (tenant.clone(), own.policy)).collect(),
            encoding: layers.get("encoding").and_then(Encoding::parse).unwrap_or_default(),
            model: model(layers, size("model_input_tokens")?)?,
            model_timeout: secs("model_timeout")?,
            stand_in_after: small("stand_in_after")?,
            concurrency: size("fold_concurrency")?,
            retry_first,
            retry_most,
        })
    }
}

fn model(layers: &Layers, input_tokens: usize) -> anyhow::Result<Option<ModelSettings>> {
    let secret = |name: &str| layers.get(name).map(SecretString::from);
    let path = |name: &str| layers.get(name).map(PathBuf::from);
    let (name, url) = match (layers.get("model"), secret("model_url")) {
        (Some(name), Some(url)) => (name.to_owned(), url),
        (Some(_), None) => bail!("model needs model_url, the address of the API that has the model"),
        (None, Some(_)) => bail!("model_url needs model, the name of the model that writes the summaries"),
        (None, None) => match OF_A_MODEL.into_iter().find(|name| layers.get(name).is_some()) {
            Some(name) => {
                bail!("{name} needs model and model_url: without a model there is nobody to send it to")
            }
            None => return Ok(None),
        },
    };
    let key = match (secret("model_key"), path("model_key_file")) {
        (Some(_), Some(_)) => bail!("model_key and model_key_file are both given: give one of them"),
        (Some(key), None) => Some(ModelKey::Given(key)),
        (None, Some(path)) => Some(ModelKey::File(path)),
        (None, None) => None,
    };
    Ok(Some(ModelSettings {
        name,
        url,
        api: layers.get("model_api").and_then(Api::parse).unwrap_or(Api::OpenAi),
        key,
        headers: secret("model_headers"),
        body: secret("model_body"),
        ca: path("model_ca"),
        input_tokens,
        output_tokens: layers
            .number("model_output_tokens")
            .map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
    }))
}
