//! The commands beside `serve`: what stands on the command line, as each of them takes it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use hitherto::{ChatMemory, Role, SessionId, Ttl, Window};

use super::append::AppendArgs;
use super::clear::ClearArgs;
use super::completions::CompletionsArgs;
use super::doctor::DoctorArgs;
use super::export::ExportArgs;
use super::import::ImportArgs;
use super::output::Output;
use super::sessions::SessionsArgs;
use super::show::{ShowArgs, ShowPart};
use super::{
    Argument, Call, CommandEntry, Form, append, clear, completions, doctor, export, import, sessions, show,
};
use crate::settings::{Backend, Kind};
use crate::store::{self, Access};
use crate::target::{Server, Target};

const SESSION: Argument =
    Argument { name: "session", kind: Kind::Text, form: Form::Required, help: "The id of the session." };
const JSON: Argument =
    Argument { name: "json", kind: Kind::Switch, form: Form::Flag, help: "Print JSON, one object a line." };
const COUNT: Kind = Kind::Number { unit: "NUMBER", min: 1, max: u32::MAX as u64 };
const SEQ: Kind = Kind::Number { unit: "SEQ", min: 0, max: 1 << 52 };

/// Their entries, in the order of help.
pub(super) const ENTRIES: [CommandEntry; 8] = [
    CommandEntry {
        name: "append",
        about: "Append a message to a session, or messages from standard input",
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
        name: "sessions",
        about: "List the sessions, newest activity first",
        arguments: &[
            Argument {
                name: "prefix",
                kind: Kind::Text,
                form: Form::Flag,
                help: "Only those whose id begins so.",
            },
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
        name: "import",
        about: "Store messages from a file of JSON Lines; what is there already is not stored again",
        arguments: &[
            Argument {
                name: "file",
                kind: Kind::Path,
                form: Form::Required,
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
        ],
    },
    CommandEntry {
        name: "export",
        about: "Write sessions as JSON Lines, one message a line",
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
        ],
    },
    CommandEntry {
        name: "doctor",
        about: "Check the store, its version, and settings that would lose data",
        arguments: &[JSON],
    },
    CommandEntry {
        name: "completions",
        about: "Print what a shell needs to complete commands and options",
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
                limit: call.number("limit").unwrap_or(sessions::LIMIT),
                json: call.switch("json"),
            };
            sessions::run(&target(call, Access::Read)?, &args, out).await
        }
        "clear" => {
            let args = ClearArgs { sessions: sessions_of(call)?, yes: call.switch("yes") };
            clear::run(&target(call, Access::Change)?, &args, out).await
        }
        "import" => {
            let args = ImportArgs {
                file: call.value("file").unwrap_or_default().into(),
                session: call.value("session").map(SessionId::parse).transpose()?,
                ttl: ttl(call)?,
                strict: call.switch("strict"),
            };
            import::run(&target(call, Access::Write)?, &args, out).await
        }
        "export" => {
            let args = ExportArgs {
                sessions: sessions_of(call)?,
                all: call.switch("all"),
                output: call.value("output").map(PathBuf::from),
                resume: call.switch("resume"),
            };
            export::run(&target(call, Access::Read)?, &args, out).await
        }
        "doctor" => {
            doctor::run(&target(call, Access::Read)?, &DoctorArgs { json: call.switch("json") }, out).await
        }
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
        return Ok(Target::Server(Server::new(url)?));
    }
    let memory = ChatMemory::new(store::open(settings, access)?)
        .under(settings.memory_key.clone())
        .with_limits(settings.limits.clone());
    Ok(Target::Store(memory))
}

fn append_args(call: &Call) -> anyhow::Result<AppendArgs> {
    Ok(AppendArgs {
        session: session(call)?,
        text: call.value("text").map(str::to_owned),
        role: call.value("role").and_then(Role::parse).unwrap_or(Role::User),
        ttl: ttl(call)?,
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

fn ttl(call: &Call) -> anyhow::Result<Option<Ttl>> {
    Ok(call.number("ttl").map(Ttl::from_secs).transpose()?)
}
