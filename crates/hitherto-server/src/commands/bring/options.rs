//! `import --from` and `export --to` as they stand on the command line.
//!
//! Invariant: what contradicts itself is refused with a word about what to give instead; nothing is guessed.

use std::path::Path;

use anyhow::{Context as _, bail};
use hitherto::layout::{Dump, Layout, Profile};
use hitherto::store::redis::RedisOptions;
use hitherto::store::redis::foreign::{ForeignReader, ForeignWriter};
use hitherto::{ChatMemory, SessionId};
use secrecy::ExposeSecret as _;

use super::sink::DumpFile;
use super::{BringArgs, GiveArgs, Sink, Source};
use crate::commands::{Argument, Call, Form};
use crate::settings::{Backend, Kind, OPTIONS, Settings};
use crate::store::{self, Access};
use crate::summariser;

/// What `import` takes besides, for other programs' keys.
pub(crate) const FROM: Argument = Argument {
    name: "from",
    kind: Kind::Choice(Profile::NAMES),
    form: Form::Flag,
    help: "Bring along what another program keeps in the Redis that --redis names, or in a --dump: its layout. The source is only read.",
};
/// Only some keys.
pub(crate) const MATCH: Argument = Argument {
    name: "match",
    kind: Kind::Text,
    form: Form::Flag,
    help: "With --from: only keys that match this glob, such as 'message_store:user-1*'.",
};
/// Another beginning of keys.
pub(crate) const KEY_PREFIX: Argument = Argument {
    name: "key_prefix",
    kind: Kind::Text,
    form: Form::Flag,
    help: "With --from or --to: what the program's keys begin with, if it was set to something else than usual.",
};
/// Where sessions go.
pub(crate) const INTO: Argument = Argument {
    name: "into",
    kind: Kind::Text,
    form: Form::Flag,
    help: "With --from: where the sessions go, a file or redis://…; the file hitherto.db if nothing is said.",
};
/// A dump to read.
pub(crate) const FROM_DUMP: Argument = Argument {
    name: "dump",
    kind: Kind::Path,
    form: Form::Flag,
    help: "With --from: read keys from this file of JSON instead of from a Redis.",
};
/// A part of a dump.
pub(crate) const SCENARIO: Argument = Argument {
    name: "scenario",
    kind: Kind::Text,
    form: Form::Flag,
    help: "With --dump: which one, of a file that has several.",
};
/// Against one's better judgement.
pub(crate) const FORCE: Argument = Argument {
    name: "force",
    kind: Kind::Switch,
    form: Form::Flag,
    help: "With --from: take messages in an order that looks wrong.",
};
/// What `export` takes besides.
pub(crate) const TO: Argument = Argument {
    name: "to",
    kind: Kind::Choice(Profile::NAMES),
    form: Form::Flag,
    help: "Write the sessions as another program keeps them, into --out-redis or --dump: its layout.",
};
/// Where keys go.
pub(crate) const OUT_REDIS: Argument = Argument {
    name: "out_redis",
    kind: Kind::Url,
    form: Form::Flag,
    help: "With --to: the Redis to write to. A key that is there already is gone on with if it begins the same.",
};
/// A dump to write.
pub(crate) const TO_DUMP: Argument = Argument {
    name: "dump",
    kind: Kind::Path,
    form: Form::Flag,
    help: "With --to: write keys into this file of JSON instead of into a Redis.",
};
/// Write over what is there.
pub(crate) const REPLACE: Argument = Argument {
    name: "replace",
    kind: Kind::Switch,
    form: Form::Flag,
    help: "With --to: write over keys, or a file, that are there already.",
};

/// Refuses what is of no use without, or with, another option.
///
/// # Errors
/// Names the first of them.
pub(crate) fn refuse(call: &Call, names: &[&str], why: &str) -> anyhow::Result<()> {
    for name in names {
        if call.value(name).is_some() || call.switch(name) {
            bail!("--{} {why}", name.replace('_', "-"));
        }
    }
    Ok(())
}

fn layout(call: &Call, name: &str) -> anyhow::Result<Layout> {
    let layout = Layout::named(name).with_context(|| format!("there is no layout {name}"))?;
    match call.value("key_prefix") {
        None => Ok(layout),
        Some(_) if !layout.profile().takes_prefix() => {
            bail!("the keys of {name} have no beginning that can be chosen; leave --key-prefix out")
        }
        Some(prefix) => Ok(layout.with_prefix(prefix)),
    }
}

fn options(settings: &Settings, url: &str) -> RedisOptions {
    let mut options = RedisOptions::new(url);
    options.deadline = settings.deadline;
    options.ca.clone_from(&settings.redis_ca);
    options.client_certificate.clone_from(&settings.redis_client);
    options
}

/// The memory that sessions go to.
fn memory(settings: &Settings, access: Access) -> anyhow::Result<ChatMemory> {
    let memory = ChatMemory::new(store::open(settings, access)?)
        .under(settings.memory_key.clone())
        .with_limits(settings.limits.clone());
    Ok(summariser::marking(memory, &settings.summaries))
}

fn no_server(settings: &Settings, command: &str) -> anyhow::Result<()> {
    match &settings.backend {
        Backend::Server(_) => {
            bail!("{command} works on a store directly, not through a running server; leave --server out")
        }
        _ => Ok(()),
    }
}

/// What `import --from` is given, and where it stores.
///
/// # Errors
/// Where options contradict each other, or something cannot be opened.
pub(crate) fn bring_args(call: &Call, from: &str) -> anyhow::Result<(ChatMemory, BringArgs)> {
    let settings = &call.settings;
    no_server(settings, "import --from")?;
    if let Some(file) = call.value("file") {
        bail!(
            "--from reads other programs' keys, and {file} is a file of messages; for a dump give --dump {file}"
        );
    }
    refuse(call, &["session"], "is for files of messages; with --from the keys say the session")?;
    refuse(call, &["ttl"], "is for files of messages; with --from the remaining time to live is taken over")?;
    refuse(call, &["strict"], "is for files of messages; --from names what is bad and goes on")?;
    let mut target = settings.clone();
    let source = match (call.value("dump"), &settings.backend) {
        (Some(_), Backend::Redis(_)) if call.value("redis").is_some() => {
            bail!("give one source, --redis or --dump; the store that sessions go to is named by --into")
        }
        (Some(file), _) => {
            let text = std::fs::read(file).with_context(|| format!("{file} cannot be read"))?;
            let dump = Dump::parse(&text, call.value("scenario"));
            Source::Dump(dump.with_context(|| format!("{file} cannot be taken as a dump of keys"))?)
        }
        (None, Backend::Redis(url)) => {
            refuse(call, &["scenario"], "needs --dump")?;
            // Redis was named as the source, so it is not where sessions go.
            let file = OPTIONS.iter().find(|option| option.name == "db").and_then(|option| option.default);
            target.backend = Backend::Embedded(file.unwrap_or_default().into());
            let reader = ForeignReader::new(&options(settings, url.expose_secret()))?;
            Source::Redis(Box::new(reader))
        }
        (None, _) => bail!("say where the history is: --redis redis://…, or --dump FILE"),
    };
    if let Some(into) = call.value("into") {
        if call.value("db").is_some() {
            bail!("give one of --into and --db: there is one place where sessions go");
        }
        target.backend = match into.split_once("://") {
            Some(("redis" | "rediss" | "unix", _)) => Backend::Redis(into.into()),
            Some((scheme, _)) => bail!("--into must be a file or a redis:// address; {scheme}:// is neither"),
            None => Backend::Embedded(into.into()),
        };
    }
    let args = BringArgs {
        source,
        layout: layout(call, from)?,
        glob: call.value("match").map(str::to_owned),
        force: call.switch("force"),
    };
    Ok((memory(&target, Access::Write)?, args))
}

/// What `export --to` is given, where it reads, and where it writes.
///
/// # Errors
/// Where options contradict each other, or something cannot be opened.
pub(crate) fn give_args(
    call: &Call,
    to: &str,
    sessions: Vec<SessionId>,
) -> anyhow::Result<(ChatMemory, GiveArgs, Sink)> {
    let settings = &call.settings;
    no_server(settings, "export --to")?;
    if call.switch("all") != sessions.is_empty() {
        bail!("say which sessions, or --all of them");
    }
    refuse(call, &["output", "resume"], "is for a file of messages; with --to give --out-redis or --dump")?;
    let layout = layout(call, to)?;
    if let Some(why) = layout.profile().closed {
        bail!("nothing is written back in the layout {to}: {why}");
    }
    let memory = memory(settings, Access::Read)?;
    let replace = call.switch("replace");
    let sink = match (call.value("out_redis"), call.value("dump")) {
        (Some(url), None) => Sink::Redis(Box::new(ForeignWriter::new(&options(settings, url))?), replace),
        (None, Some(file)) => Sink::Dump(DumpFile::create(Path::new(file), replace)?),
        (Some(_), Some(_)) => bail!("give one of --out-redis and --dump"),
        (None, None) => bail!("say where to: --out-redis redis://…, or --dump FILE"),
    };
    Ok((memory, GiveArgs { sessions, layout }, sink))
}
