//! The commands beside `serve`: what stands on the command line, as each of them takes it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use hitherto::access::Scopes;
use hitherto::{ChatMemory, Role, SessionId, Tenant, Ttl, UserId, Window};

use super::append::AppendArgs;
use super::bring::options;
use super::clear::ClearArgs;
use super::completions::CompletionsArgs;
use super::context::ContextArgs;
use super::doctor::DoctorArgs;
use super::erase::EraseArgs;
use super::export::ExportArgs;
use super::fold::FoldArgs;
use super::import::ImportArgs;
use super::output::Output;
use super::sessions::SessionsArgs;
use super::show::{ShowArgs, ShowPart};
use super::summary::{SummaryArgs, SummaryWhat};
use super::token::{TokenArgs, TokenWhat};
use super::{
    Argument, Call, CommandEntry, Form, append, bring, clear, completions, context, doctor, erase, export,
    fold, import, sessions, show, summary, token, usage,
};
use crate::settings::{Backend, Kind};
use crate::store::{self, Access};
use crate::summariser;
use crate::target::{ContextQuery, Server, Target};

const SESSION: Argument =
    Argument { name: "session", kind: Kind::Text, form: Form::Required, help: "The id of the session." };
const JSON: Argument =
    Argument { name: "json", kind: Kind::Switch, form: Form::Flag, help: "Print JSON, one object a line." };
const COUNT: Kind = Kind::Number { unit: "NUMBER", min: 1, max: u32::MAX as u64 };
const SEQ: Kind = Kind::Number { unit: "SEQ", min: 0, max: 1 << 52 };

/// Their entries, in the order of help.
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
            Argument {
                name: "session",
                kind: Kind::Text,
                form: Form::Many,
                help: "The ids of the sessions.",
            },
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
            Argument {
                name: "session",
                kind: Kind::Text,
                form: Form::Many,
                help: "The ids of the sessions.",
            },
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

/// Runs one of them; what goes wrong is said as each of them says it.
pub(super) async fn run(command: &str, call: &Call) -> anyhow::Result<ExitCode> {
    let mut out = Output::standard(call.settings.color);
    let result = dispatch(command, call, &mut out).await;
    Ok(out.conclude(result))
}

async fn dispatch(command: &str, call: &Call, out: &mut Output) -> anyhow::Result<ExitCode> {
    match command {
        "append" => append::run(&target(call, Access::Write)?, &append_args(call)?, out).await,
        "show" => show::run(&target(call, Access::Read)?, &show_args(call)?, out).await,
        "sessions" => {
            let args = SessionsArgs {
                prefix: call.value("prefix").unwrap_or_default().to_owned(),
                user: user(call)?,
                limit: call.number("limit").unwrap_or(sessions::LIMIT),
                json: call.switch("json"),
            };
            sessions::run(&target(call, Access::Read)?, &args, out).await
        }
        "context" => {
            let args = context_args(call)?;
            context::run(&target(call, Access::Read)?, &args, out).await
        }
        "summary" => {
            let args = summary_args(call)?;
            let access = if args.what == SummaryWhat::Show { Access::Read } else { Access::Change };
            summary::run(&target(call, access)?, &args, out).await
        }
        "fold" => {
            let args = match (sessions_of(call)?, call.switch("all")) {
                (sessions, false) if sessions.is_empty() => FoldArgs::Due,
                (sessions, false) => FoldArgs::Sessions(sessions),
                (sessions, true) if sessions.is_empty() => FoldArgs::All,
                _ => bail!("give sessions or --all, not both"),
            };
            fold::run(&target(call, Access::Change)?, &args, out).await
        }
        "clear" => {
            let args = ClearArgs { sessions: sessions_of(call)?, yes: call.switch("yes") };
            clear::run(&target(call, Access::Change)?, &args, out).await
        }
        "erase" => {
            let user = user(call)?.context("say whose sessions with --user; nothing was erased")?;
            let args = EraseArgs { user, yes: call.switch("yes"), json: call.switch("json") };
            erase::run(&target(call, Access::Change)?, &args, out).await
        }
        "import" => {
            if let Some(from) = call.value("from") {
                let (memory, args) = options::bring_args(call, from)?;
                return bring::bring(&memory, &args, out).await;
            }
            let needed = ["match", "key_prefix", "into", "dump", "scenario", "force"];
            options::refuse(call, &needed, "needs --from, the layout of the keys")?;
            if call.value("file").is_none() {
                bail!("give the file of messages, or --from the layout of another program's keys");
            }
            let args = ImportArgs {
                file: call.value("file").unwrap_or_default().into(),
                session: call.value("session").map(SessionId::parse).transpose()?,
                ttl: ttl(call)?,
                strict: call.switch("strict"),
            };
            import::run(&target(call, Access::Write)?, &args, out).await
        }
        "export" => {
            if let Some(to) = call.value("to") {
                let (memory, args, sink) = options::give_args(call, to, sessions_of(call)?)?;
                return bring::give(&memory, &args, sink, out).await;
            }
            options::refuse(call, &["out_redis", "dump", "key_prefix", "replace"], "needs --to, the layout")?;
            let args = ExportArgs {
                sessions: sessions_of(call)?,
                all: call.switch("all"),
                output: call.value("output").map(PathBuf::from),
                resume: call.switch("resume"),
            };
            export::run(&target(call, Access::Read)?, &args, out).await
        }
        "doctor" => {
            let summaries = match call.settings.backend {
                Backend::Server(_) => None,
                _ => Some(summariser::check(&call.settings.summaries).map_err(|error| format!("{error:#}"))),
            };
            let args = DoctorArgs { json: call.switch("json"), summaries };
            doctor::run(&target(call, Access::Read)?, &args, out).await
        }
        "token" => {
            let args = token_args(call)?;
            let access = match args.what {
                // Tokens may be made before anything else is stored.
                TokenWhat::Create { .. } => Access::Write,
                TokenWhat::List(_) => Access::Read,
                TokenWhat::Revoke(_) => Access::Change,
            };
            token::run(&store::open(&call.settings, access)?, &args, out).await
        }
        "usage" => usage::run(&target(call, Access::Read)?, call.switch("json"), out).await,
        "completions" => {
            let name = call.value("shell").unwrap_or_default();
            let shell =
                name.parse().map_err(anyhow::Error::msg).with_context(|| format!("{name} is no shell"))?;
            completions::run(super::clap_command(), &CompletionsArgs { shell }, out)
        }
        other => bail!("there is no command {other}"),
    }
}

/// Where the command works: on a store, or on a running server.
fn target(call: &Call, access: Access) -> anyhow::Result<Target> {
    let settings = &call.settings;
    if let Backend::Server(url) = &settings.backend {
        return Ok(Target::Server(Server::new(url, settings.token()?.as_ref(), &settings.server_tls)?));
    }
    let memory = ChatMemory::new(store::open(settings, access)?)
        .under(settings.memory_key.clone())
        .with_limits(settings.limits.clone());
    // Only who folds needs the model; whoever writes marks what is due, for a server or a later fold.
    let memory = if super::Caller::of(call.command()) == super::Caller::Folder {
        summariser::folding(memory, &settings.summaries)?
    } else {
        summariser::marking(memory, &settings.summaries)
    };
    Ok(Target::Store(memory))
}

fn token_args(call: &Call) -> anyhow::Result<TokenArgs> {
    let text = |name| call.value(name).map(str::to_owned);
    let what = call.value("what").unwrap_or_default();
    let of = |others: &[&str]| options::refuse(call, others, &format!("does not go with `token {what}`"));
    let tenant = call.value("tenant").map(Tenant::parse).transpose()?;
    let what = match what {
        "create" => {
            of(&["id"])?;
            let scopes = call.value("scope").unwrap_or("read,write");
            TokenWhat::Create {
                tenant: tenant.context(
                    "give --tenant, the tenant that the token is of; what was stored without tokens is the tenant default's",
                )?,
                scopes: Scopes::parse(scopes)
                    .context("--scope must be of read, write and admin, apart by commas")?,
                expires: text("expires"),
                name: text("name").unwrap_or_default(),
            }
        }
        "list" => {
            of(&["id", "scope", "expires", "name"])?;
            TokenWhat::List(tenant)
        }
        _ => {
            of(&["tenant", "scope", "expires", "name"])?;
            let id = call.value("id").context("give the id of the token; `hitherto token list` shows it")?;
            TokenWhat::Revoke(
                id.parse().ok().with_context(|| {
                    format!("{id:?} is no id of a token; `hitherto token list` shows them")
                })?,
            )
        }
    };
    Ok(TokenArgs { what, json: call.switch("json") })
}

fn context_args(call: &Call) -> anyhow::Result<ContextArgs> {
    let number = |name| call.number(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let text = |name| call.value(name).map(str::to_owned);
    let query = ContextQuery {
        max_tokens: number("max_tokens"),
        last_turns: number("last_turns"),
        model: text("model"),
        encoding: text("encoding"),
        summary: text("summary"),
        format: text("format"),
    };
    if query.max_tokens.is_some() && query.last_turns.is_some() {
        bail!("give one of --max-tokens and --last-turns");
    }
    if query.model.is_some() && query.encoding.is_some() {
        bail!("give one of --model and --encoding: a model has its encoding");
    }
    let encoding = call.settings.summaries.encoding;
    Ok(ContextArgs { session: session(call)?, query, encoding, json: call.switch("json") })
}

fn summary_args(call: &Call) -> anyhow::Result<SummaryArgs> {
    let what = match (call.value("put"), call.number("upto"), call.switch("rollback")) {
        (None, None, false) => SummaryWhat::Show,
        (None, None, true) => SummaryWhat::Rollback,
        (Some(file), Some(upto), false) => SummaryWhat::Put(file.to_owned(), upto),
        (Some(_), None, _) => bail!("--put needs --upto, the last message that the text stands for"),
        (None, Some(_), _) => bail!("--upto needs --put, the text that stands for the messages up to it"),
        (Some(_), Some(_), true) => bail!("give one of --put and --rollback"),
    };
    Ok(SummaryArgs { session: session(call)?, what, json: call.switch("json") })
}

fn append_args(call: &Call) -> anyhow::Result<AppendArgs> {
    Ok(AppendArgs {
        session: session(call)?,
        text: call.value("text").map(str::to_owned),
        role: call.value("role").and_then(Role::parse).unwrap_or(Role::User),
        ttl: ttl(call)?,
        user: user(call)?,
        idempotency_key: call.value("idempotency_key").map(str::to_owned),
        json: call.switch("json"),
    })
}

fn show_args(call: &Call) -> anyhow::Result<ShowArgs> {
    let number = |name| call.number(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let (turns, messages, after, limit) =
        (number("last_turns"), number("last_messages"), call.number("after"), call.number("limit"));
    let part = match (turns, messages, after, limit) {
        (None, None, Some(seq), limit) => ShowPart::After(seq, limit),
        (None, None, None, Some(limit)) => ShowPart::After(0, Some(limit)),
        (None, Some(messages), None, None) => ShowPart::Window(Window::Messages(messages)),
        (turns, None, None, None) => ShowPart::Window(Window::Turns(turns.unwrap_or(10))),
        _ => bail!("give one of --last-turns, --last-messages, and --after with --limit"),
    };
    Ok(ShowArgs { session: session(call)?, part, json: call.switch("json") })
}

fn session(call: &Call) -> anyhow::Result<SessionId> {
    Ok(SessionId::parse(call.value("session").unwrap_or_default())?)
}

fn sessions_of(call: &Call) -> anyhow::Result<Vec<SessionId>> {
    Ok(call.values("session").into_iter().map(SessionId::parse).collect::<Result<_, _>>()?)
}

fn user(call: &Call) -> anyhow::Result<Option<UserId>> {
    Ok(call.value("user").map(UserId::parse).transpose()?)
}

fn ttl(call: &Call) -> anyhow::Result<Option<Ttl>> {
    Ok(call.number("ttl").map(Ttl::from_secs).transpose()?)
}
