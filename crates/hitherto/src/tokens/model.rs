//! Which encoding a model has, by its name.
//!
//! Invariant: a name that is not known to be OpenAI's is estimated, never counted as if it were.

use super::Encoding;

/// Models by how their names begin; the first that fits. What follows the beginning must be nothing or no part of
/// the same word.
const MODELS: [(&str, Encoding); 14] = [
    ("chatgpt-4o", Encoding::O200k),
    ("gpt-4o", Encoding::O200k),
    ("gpt-4.1", Encoding::O200k),
    ("gpt-4.5", Encoding::O200k),
    ("gpt-41", Encoding::O200k),
    ("gpt-5", Encoding::O200k),
    ("gpt-oss", Encoding::O200k),
    ("o1", Encoding::O200k),
    ("o3", Encoding::O200k),
    ("o4", Encoding::O200k),
    ("gpt-4", Encoding::Cl100k),
    ("gpt-3.5", Encoding::Cl100k),
    // Azure's names have no full stops.
    ("gpt-35", Encoding::Cl100k),
    ("text-embedding", Encoding::Cl100k),
];

/// The encoding of a model.
pub(super) fn encoding(model: &str) -> Encoding {
    let name = model.trim().to_ascii_lowercase();
    // `openai/gpt-4o`, `openrouter/openai/gpt-4o`, `ft:gpt-4o-mini:company::id`.
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = name.strip_prefix("ft:").unwrap_or(name);
    MODELS
        .into_iter()
        .find(|(prefix, _)| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
        })
        .map_or(Encoding::Estimate, |(_, encoding)| encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |expected: Encoding, names: &[&str]| {
            for name in names {
                assert_eq!(encoding(name), expected, "{name}");
            }
        };
        check(
            Encoding::O200k,
            &[
                "gpt-4o",
                "gpt-4o-2024-08-06",
                "GPT-4o-mini",
                "chatgpt-4o-latest",
                "gpt-4.1-nano",
                "gpt-5",
                "gpt-5.2-pro",
                "gpt-5-mini-2025-08-07",
                "o1",
                "o1-preview",
                "o3-mini",
                "o4-mini-2025-04-16",
                "openai/gpt-4o",
                "openrouter/openai/o3",
                "ft:gpt-4o-mini-2024-07-18:me::abc",
                "openai/gpt-oss-120b",
                "gpt-oss:20b",
            ],
        );
        check(
            Encoding::Cl100k,
            &[
                "gpt-4",
                "gpt-4-turbo",
                "gpt-4-0613",
                "gpt-4-32k",
                "gpt-3.5-turbo-0125",
                "gpt-35-turbo",
                "azure/gpt-35-turbo-16k",
            ],
        );
        check(
            Encoding::Estimate,
            &[
                "",
                "claude-sonnet-4-5",
                "anthropic/claude-3-opus",
                "gemini-2.5-pro",
                "llama-3.3-70b",
                "mistral-large",
                "qwen3",
                "o10",
                "o3x",
                "gpt-40",
                "gpt2",
                "/",
            ],
        );
    }
}
