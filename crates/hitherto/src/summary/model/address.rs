//! Where a model is asked: the address made whole, the protocol that is spoken there, and how it wants the limit.
//!
//! Invariant: it is pure, and nothing of an address that may be secret (a user, a query) is in an error.

use reqwest::Url;

use super::options::{Api, ModelError};

/// From this version on Azure knows the newer field for the limit.
const AZURE_SINCE: &str = "2024-09-01";

/// Where and how a model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The whole address of the one request there is.
    pub(super) url: Url,
    /// The protocol that is spoken there.
    pub(super) api: Api,
    /// The field of the body that limits how much is written.
    pub(super) limit: Limit,
}

/// How a request says how much may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// `max_tokens`: of the text. Every server that is compatible with OpenAI knows it.
    Text,
    /// `max_completion_tokens`: of the text and of hidden thoughts. OpenAI's newer models refuse the other.
    TextAndThoughts,
}

impl Address {
    pub(super) fn of(api: Api, url: &str, model: &str) -> Result<Self, ModelError> {
        let refuse = |reason: &str| ModelError::Address(reason.to_owned());
        let mut url = Url::parse(url.trim()).map_err(|error| refuse(&error.to_string()))?;
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
            return Err(refuse("it must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it must not carry a user or a password; give a key or a header"));
        }
        url.set_fragment(None);
        let api = if api == Api::OpenAi && is_azure(&host) { Api::Azure } else { api };
        let version =
            url.query_pairs().find(|(name, _)| name == "api-version").map(|(_, value)| value.into_owned());
        let path = url.path().trim_end_matches('/').to_owned();
        let append: Vec<&str> = match api {
            Api::OpenAi if path.ends_with("/chat/completions") => vec![],
            Api::OpenAi if path.is_empty() => vec!["v1", "chat", "completions"],
            Api::OpenAi => vec!["chat", "completions"],
            Api::Azure if path.ends_with("/chat/completions") => vec![],
            Api::Azure if path.contains("/deployments/") || path.ends_with("/v1") => {
                vec!["chat", "completions"]
            }
            Api::Azure if version.is_some() => match path.ends_with("/openai") {
                true => vec!["deployments", model, "chat", "completions"],
                false => vec!["openai", "deployments", model, "chat", "completions"],
            },
            Api::Azure if path.ends_with("/openai") => vec!["v1", "chat", "completions"],
            Api::Azure => vec!["openai", "v1", "chat", "completions"],
            Api::Anthropic if path.ends_with("/messages") => vec![],
            Api::Anthropic if path.ends_with("/v1") => vec!["messages"],
            Api::Anthropic => vec!["v1", "messages"],
        };
        url.path_segments_mut().map_err(|()| refuse("it has no path"))?.pop_if_empty().extend(append);
        if api == Api::Azure && url.path().contains("/deployments/") && version.is_none() {
            return Err(refuse("a deployment at Azure needs ?api-version=… in its address"));
        }
        let limit = match api {
            Api::OpenAi if host == "api.openai.com" => Limit::TextAndThoughts,
            Api::Azure if version.is_none_or(|version| &*version >= AZURE_SINCE) => Limit::TextAndThoughts,
            _ => Limit::Text,
        };
        Ok(Self { url, api, limit })
    }

    /// The host and port, as errors name it.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether the model is on this machine, where no proxy reaches it.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || host.ends_with(".localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

fn is_azure(host: &str) -> bool {
    [".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".openai.azure.us"]
        .iter()
        .any(|suffix| host.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_made_whole() {
        use Api::{Anthropic, Azure, OpenAi};
        use Limit::{Text, TextAndThoughts};
        let check = |api, given: &str, expected: (Api, &str, Limit)| {
            let address = Address::of(api, given, "gpt 4").unwrap();
            assert_eq!((address.api, address.url.as_str(), address.limit), expected, "{given}");
        };
        let openai = "https://api.openai.com/v1/chat/completions";
        check(OpenAi, "https://api.openai.com/v1", (OpenAi, openai, TextAndThoughts));
        check(OpenAi, "https://api.openai.com/v1/", (OpenAi, openai, TextAndThoughts));
        check(OpenAi, "https://api.openai.com", (OpenAi, openai, TextAndThoughts));
        check(OpenAi, openai, (OpenAi, openai, TextAndThoughts));
        let local = "http://localhost:11434/v1/chat/completions";
        check(OpenAi, "http://localhost:11434", (OpenAi, local, Text));
        check(OpenAi, "http://localhost:11434/v1", (OpenAi, local, Text));
        check(
            OpenAi,
            "https://x.example/api/v1#a",
            (OpenAi, "https://x.example/api/v1/chat/completions", Text),
        );
        let old = "https://n.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-02-01";
        let new = "https://n.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21";
        check(Azure, old, (Azure, old, Text));
        check(OpenAi, old, (Azure, old, Text));
        check(OpenAi, new, (Azure, new, TextAndThoughts));
        let base = "https://n.openai.azure.com/openai/deployments/d?api-version=2024-10-21";
        check(Azure, base, (Azure, new, TextAndThoughts));
        let named = "https://n.openai.azure.com/openai/deployments/gpt%204/chat/completions?api-version=2025-01-01-preview";
        check(
            Azure,
            "https://n.openai.azure.com/?api-version=2025-01-01-preview",
            (Azure, named, TextAndThoughts),
        );
        let v1 = "https://n.openai.azure.com/openai/v1/chat/completions";
        check(Azure, "https://n.openai.azure.com", (Azure, v1, TextAndThoughts));
        check(OpenAi, "https://n.openai.azure.com/openai/v1/", (Azure, v1, TextAndThoughts));
        let messages = "https://api.anthropic.com/v1/messages";
        check(Anthropic, "https://api.anthropic.com", (Anthropic, messages, Text));
        check(Anthropic, "https://api.anthropic.com/v1", (Anthropic, messages, Text));
        check(Anthropic, messages, (Anthropic, messages, Text));
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_without_showing_it() {
        for given in [
            "",
            "SECRET",
            "ftp://SECRET.example/v1",
            "https://SECRET@example.com/v1",
            "https://u:SECRET@example.com/v1",
            "https://n.openai.azure.com/openai/deployments/SECRET/chat/completions",
            "http://[SECRET",
        ] {
            let error = Address::of(Api::OpenAi, given, "m").unwrap_err().to_string();
            assert!(!error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn loopback_is_known() {
        let check = |url: &str, expected| {
            assert_eq!(Address::of(Api::OpenAi, url, "m").unwrap().is_loopback(), expected, "{url}");
        };
        check("http://localhost:1", true);
        check("http://127.0.0.9", true);
        check("http://[::1]:8080/v1", true);
        check("http://10.0.0.1", false);
        check("https://localhost.example.com", false);
    }
}
