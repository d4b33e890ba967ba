//! What is asked of a context: how much, in which form, counted how.

use crate::tokens::Encoding;

/// What a context is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ContextOptions {
    /// How much goes in.
    pub budget: Budget,
    /// In which role the summary is given.
    pub summary: SummaryRole,
    /// In which form the prompt is given.
    pub format: Format,
    /// How tokens are counted.
    pub encoding: Encoding,
    /// Whether nothing is counted where the budget does not need it: [`Context::tokens`](crate::Context::tokens) is 0
    /// then, and a context of messages costs no more than a window.
    pub uncounted: bool,
}

impl ContextOptions {
    /// At most so many tokens of that encoding.
    pub fn tokens(budget: u32, encoding: Encoding) -> Self {
        Self { budget: Budget::Tokens(budget), encoding, ..Self::default() }
    }
}

/// How much goes into a context; always whole turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Budget {
    /// The window of the session's policy, and what the summary does not cover.
    #[default]
    Defaults,
    /// At most so many tokens, the summary and what the format costs included.
    Tokens(u32),
    /// The newest so many turns.
    Turns(u32),
    /// The newest so many messages, and as many more as make their oldest turn whole.
    Messages(u32),
}

/// In which role the summary is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SummaryRole {
    /// Not at all.
    Off,
    /// As instructions.
    #[default]
    System,
    /// As if the person said it.
    User,
    /// As if the model said it.
    Assistant,
}

impl SummaryRole {
    /// The role of that name: `off`, `system`, `user` or `assistant`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "system" => Some(Self::System),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            _ => None,
        }
    }
}

/// In which form a context is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// The messages as they are stored, the summary beside them.
    #[default]
    Messages,
    /// One text, each message after its speaker's name.
    Text,
    /// `messages` of OpenAI's chat completions.
    OpenAi,
    /// `system` and `messages` of Anthropic's messages API.
    Anthropic,
    /// LangChain's stored messages.
    LangChain,
}

impl Format {
    /// The format of that name: `messages`, `text`, `openai`, `anthropic` or `langchain`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "messages" => Some(Self::Messages),
            "text" => Some(Self::Text),
            "openai" => Some(Self::OpenAi),
            "anthropic" => Some(Self::Anthropic),
            "langchain" => Some(Self::LangChain),
            _ => None,
        }
    }
}
