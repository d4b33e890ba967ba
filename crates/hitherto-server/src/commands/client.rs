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
    Call, append, bring, clear, completions, context, doctor, erase, export, fold, import, sessions, show,
    summary, token, usage,
};
use crate::settings::Backend;
use crate::store::{self, Access};
use crate::summariser;
use crate::target::{ContextQuery, Server, Target};

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
