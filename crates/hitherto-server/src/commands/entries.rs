//! The commands beside `serve`: their entries.

use super::bring::options;
use super::{Argument, CommandEntry, Form};
use crate::settings::Kind;

const SESSION: Argument =
    Argument { name: "session", kind: Kind::Text, form: Form::Required, help: "The id of the session." };
const SESSIONS: Argument =
    Argument { name: "session", kind: Kind::Text, form: Form::Many, help: "The ids of the sessions." };
const JSON: Argument =
    Argument { name: "json", kind: Kind::Switch, form: Form::Flag, help: "Print JSON, one object a line." };
const COUNT: Kind = Kind::Number { unit: "NUMBER", min: 1, max: u32::MAX as u64 };
const SEQ: Kind = Kind::Number { unit: "SEQ", min: 0, max: 1 << 52 };

/// In the order of help.
pub(super) const ENTRIES: [CommandEntry; 14] = [
    CommandEntry {
        name: "append",
        about: "Append a message to a session, or messages from standard input",
        example: "hitherto append user-42 'My name is Zoë.'",
        arguments: &[
            SESSION,
            Argument {
                name: "text",
                kind: Kind::Text,
                form: Form::Optional,
                help: "What is said. Without it, standard input is read: a text, or messages as JSON, one a line.",
            },
            Argument {
                name: "role",
                kind: Kind::Choice(&["system", "user", "assistant", "tool"]),
                form: Form::Flag,
                help: "Who says it; a user if nobody is named.",
            },
            Argument {
                name: "ttl",
                kind: Kind::Number { unit: "SECONDS", min: 1, max: 3_153_600_000 },
                form: Form::Flag,
                help: "The time to live that the session gets.",
            },
            Argument {
                name: "user",
                kind: Kind::Text,
                form: Form::Flag,
                help: "Whose the session is. The first append that names a user gives it to that one.",
            },
            Argument {
                name: "idempotency_key",
                kind: Kind::Text,
                form: Form::Flag,
                help: "The same messages sent again with this key are stored once.",
            },
            Argument {
                help: "Read messages as JSON from standard input, whatever it begins with, and print what was stored as JSON.",
                ..JSON
            },
        ],
    },
    CommandEntry {
        name: "show",
        about: "Show a session as a transcript",
        example: "hitherto show apollo13 --last-turns 3",
        arguments: &[
            SESSION,
            Argument {
                name: "last_turns",
                kind: COUNT,
                form: Form::Flag,
                help: "The newest so many turns; 10 if nothing is said.",
            },
            Argument {
                name: "last_messages",
                kind: COUNT,
                form: Form::Flag,
                help: "The newest so many messages, and what makes their oldest turn whole.",
            },
            Argument {
                name: "after",
                kind: SEQ,
                form: Form::Flag,
                help: "The messages after this sequence number; 0 shows all.",
            },
            Argument {
                name: "limit",
                kind: COUNT,
                form: Form::Flag,
                help: "With --after: at most so many messages.",
            },
            JSON,
        ],
    },
    CommandEntry {
        name: "context",
        about: "Show what goes into the next prompt: the summary, and the newest turns that fit",
        example: "hitherto context apollo13 --max-tokens 1000",
        arguments: &[
            SESSION,
            Argument {
                name: "max_tokens",
                kind: Kind::Number { unit: "TOKENS", min: 1, max: 4_000_000 },
                form: Form::Flag,
                help: "The budget: at most so many tokens. Without it and --last-turns, the session's window and what its summary does not cover.",
            },
            Argument {
                name: "last_turns",
                kind: Kind::Number { unit: "TURNS", min: 1, max: 1000 },
                form: Form::Flag,
                help: "The newest so many turns, and the summary.",
            },
            Argument {
                name: "model",
                kind: Kind::Text,
                form: Form::Flag,
                help: "The model that reads the context, whose tokens are counted.",
            },
            Argument {
                name: "encoding",
                kind: Kind::Choice(&["o200k", "cl100k", "estimate"]),
                form: Form::Flag,
                help: "How tokens are counted, in place of --model.",
            },
            Argument {
                name: "summary",
                kind: Kind::Choice(&["off", "system", "user", "assistant"]),
                form: Form::Flag,
                help: "In which role the summary is given, or off for none.",
            },
            Argument {
                name: "format",
                kind: Kind::Choice(&["messages", "text", "openai", "anthropic", "langchain"]),
                form: Form::Flag,
                help: "Print the prompt itself in this form, to be piped on.",
            },
            Argument { help: "Print all that the HTTP API answers, as JSON.", ..JSON },
        ],
    },
    CommandEntry {
        name: "summary",
        about: "Show a session's summary, put one by hand, or go back to the one before",
        example: "hitherto summary apollo13",
        arguments: &[
            SESSION,
            Argument {
                name: "put",
                kind: Kind::Path,
                form: Form::Flag,
                help: "Put the text of this file in the summary's place; - for standard input. Needs --upto.",
            },
            Argument {
                name: "upto",
                kind: SEQ,
                form: Form::Flag,
                help: "The last message that the text stands for.",
            },
            Argument {
                name: "rollback",
                kind: Kind::Switch,
                form: Form::Flag,
                help: "Go back to the version before; what is there now is gone.",
            },
            JSON,
        ],
    },
    CommandEntry {
        name: "fold",
        about: "Fold what has left the windows of sessions into their summaries: what is due, once, or these sessions",
        example: "hitherto fold --redis redis://127.0.0.1:6379",
        arguments: &[
            Argument {
                name: "session",
                kind: Kind::Text,
                form: Form::Many,
                help: "Fold these sessions now, whether they are due or not.",
            },
            Argument {
                name: "all",
                kind: Kind::Switch,
                form: Form::Flag,
                help: "Fold all sessions of the memory key now.",
            },
        ],
    },
    CommandEntry {
        name: "sessions",
        about: "List the sessions, newest activity first",
        example: "hitherto sessions --prefix user-",
        arguments: &[
            Argument {
                name: "prefix",
                kind: Kind::Text,
                form: Form::Flag,
                help: "Only those whose id begins so.",
            },
            Argument { name: "user", kind: Kind::Text, form: Form::Flag, help: "Only those of this user." },
            Argument {
                name: "limit",
                kind: COUNT,
                form: Form::Flag,
                help: "At most so many; 50 if nothing is said.",
            },
            JSON,
        ],
    },
    CommandEntry {
        name: "clear",
        about: "Remove sessions and everything in them",
        example: "hitherto clear user-42",
        arguments: &[
            SESSIONS,
            Argument { name: "yes", kind: Kind::Switch, form: Form::Flag, help: "Do not ask." },
        ],
    },
    CommandEntry {
        name: "erase",
        about: "Erase everything of a user: every session under every memory key, and all that belongs to it",
        example: "hitherto erase --user zoe@example.org",
        arguments: &[
            Argument {
                name: "user",
                kind: Kind::Text,
                form: Form::Flag,
                help: "The user, as the appends named it; it has to be given.",
            },
            Argument { name: "yes", kind: Kind::Switch, form: Form::Flag, help: "Do not ask." },
            Argument { help: "Print the receipt as JSON.", ..JSON },
        ],
    },
    CommandEntry {
        name: "import",
        about: "Store messages from a file of JSON Lines, or sessions from other programs' keys in Redis; what is there already is not stored again",
        example: "hitherto import chats.jsonl",
        arguments: &[
            Argument {
                name: "file",
                kind: Kind::Path,
                form: Form::Optional,
                help: "The file, one message a line; - for standard input.",
            },
            Argument {
                name: "session",
                kind: Kind::Text,
                form: Form::Flag,
                help: "Where lines go that name no session.",
            },
            Argument {
                name: "ttl",
                kind: Kind::Number { unit: "SECONDS", min: 1, max: 3_153_600_000 },
                form: Form::Flag,
                help: "The time to live that the sessions get.",
            },
            Argument {
                name: "strict",
                kind: Kind::Switch,
                form: Form::Flag,
                help: "Stop at the first line that cannot be stored.",
            },
            options::FROM,
            options::MATCH,
            options::KEY_PREFIX,
            options::INTO,
            options::FROM_DUMP,
            options::SCENARIO,
            options::FORCE,
        ],
    },
    CommandEntry {
        name: "export",
        about: "Write sessions as JSON Lines, one message a line, or as other programs' keys in Redis",
        example: "hitherto export --all --output chats.jsonl",
        arguments: &[
            SESSIONS,
            Argument { name: "all", kind: Kind::Switch, form: Form::Flag, help: "All sessions." },
            Argument {
                name: "output",
                kind: Kind::Path,
                form: Form::Flag,
                help: "The file; standard output if none is named.",
            },
            Argument {
                name: "resume",
                kind: Kind::Switch,
                form: Form::Flag,
                help: "Go on with the .part file that an interrupted export has left.",
            },
            options::TO,
            options::OUT_REDIS,
            options::TO_DUMP,
            options::KEY_PREFIX,
            options::REPLACE,
        ],
    },
    CommandEntry {
        name: "token",
        about: "Make, list and revoke the tokens by which servers on this store let clients in",
        example: "hitherto token create --tenant acme --scope read,write --expires 90d --name chatbot",
        arguments: &[
            Argument {
                name: "what",
                kind: Kind::Choice(&["create", "list", "revoke"]),
                form: Form::Required,
                help: "create makes a token and prints it, this once; list shows what is known of tokens, never a token; revoke ends one, on every server within 5 s.",
            },
            Argument {
                name: "id",
                kind: Kind::Text,
                form: Form::Optional,
                help: "With revoke: the id of the token, as create and list show it.",
            },
            Argument {
                name: "tenant",
                kind: Kind::Text,
                form: Form::Flag,
                help: "With create: the one tenant that the token is of; what was stored without tokens is the tenant default's. With list: only that tenant's.",
            },
            Argument {
                name: "scope",
                kind: Kind::Text,
                form: Form::Flag,
                help: "With create: what it allows, of read, write and admin, apart by commas; read,write if nothing is said. None is part of another.",
            },
            Argument {
                name: "expires",
                kind: Kind::Text,
                form: Form::Flag,
                help: "With create: when it ends by itself: 12h, 90d, 1y, or a moment such as 2027-01-31T00:00:00Z. Never if nothing is said.",
            },
            Argument {
                name: "name",
                kind: Kind::Text,
                form: Form::Flag,
                help: "With create: what you call it, to know it by when it is listed.",
            },
            JSON,
        ],
    },
    CommandEntry {
        name: "doctor",
        about: "Check the store, its version, and settings that would lose data",
        example: "hitherto doctor --redis redis://127.0.0.1:6379",
        arguments: &[JSON],
    },
    CommandEntry {
        name: "usage",
        about: "Say how many sessions, messages and bytes there are under all memory keys, and of a server how many there may be",
        example: "hitherto usage --server http://127.0.0.1:8700",
        arguments: &[JSON],
    },
    CommandEntry {
        name: "completions",
        about: "Print what a shell needs to complete commands and options",
        example: "hitherto completions bash > ~/.local/share/bash-completion/completions/hitherto",
        arguments: &[Argument {
            name: "shell",
            kind: Kind::Choice(&["bash", "elvish", "fish", "powershell", "zsh"]),
            form: Form::Required,
            help: "The shell.",
        }],
    },
];
