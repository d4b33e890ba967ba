//! The reference page and the sample file, written from the table. A test fails when those in `docs/` differ.

use std::fmt::Write as _;

use super::tenants::KEYS;
use super::{Kind, OPTIONS, Setting, Who};

/// `docs/settings.md`.
pub fn page() -> String {
    let mut out = String::from(
        "# Settings\n\n\
         Hitherto works without any.\n\
         A flag beats the environment variable, that beats the settings file (`--config FILE`), and that beats the default.\n\
         `--db`, `--redis` and `--server` each say where the sessions are: whichever is given by the stronger source counts, and two from the same source are an error.\n\
         A sample of the file with every key is [hitherto.toml](hitherto.toml).\n\n\
         This page is written from the table in `crates/hitherto-server/src/settings/table.rs`; a test fails when the two differ.\n\n\
         | flag | environment | file | default | commands |\n|---|---|---|---|---|\n",
    );
    for option in OPTIONS {
        let file = if option.in_file() { format!("`{}`", option.name) } else { "none".to_owned() };
        let default = option.default.map_or("none".to_owned(), |default| format!("`{default}`"));
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {file} | {default} | {} |",
            usage(option),
            option.env,
            who(option.who)
        );
    }
    for option in OPTIONS {
        let _ = write!(out, "\n## {}\n\n{}\n", option.name, sentences(option.help));
        if option.kind != Kind::Switch {
            let _ = writeln!(out, "It must be {}.", option.kind.must());
        }
        if option.secret {
            out.push_str("It may hold a password and is never printed whole.\n");
        }
    }
    out.push_str(&tenants());
    out.push_str(PROFILES);
    out
}

/// `docs/hitherto.toml`.
pub fn sample() -> String {
    let mut out = String::from(
        "# Settings of Hitherto; every key is optional and shown with its default where it has one.\n\
         # Use it with --config FILE or HITHERTO_CONFIG. See settings.md.\n",
    );
    for option in OPTIONS.iter().filter(|option| option.in_file()) {
        let value = option.default.unwrap_or(match option.name {
            "redis" => "redis://127.0.0.1:6379/0",
            "server" => "http://127.0.0.1:8700",
            "ttl" => "86400",
            "max_messages" => "10000",
            "model" => "gpt-5-mini",
            "model_url" => "https://api.openai.com/v1",
            "model_headers" => "[\"x-team: chat\"]",
            "model_body" => "{ temperature = 0.2 }",
            "model_output_tokens" => "2000",
            _ => "…",
        });
        let value = if option.kind.is_bare() { value.to_owned() } else { format!("\"{value}\"") };
        let _ = write!(out, "\n# {}\n# {} = {value}\n", option.help, option.name);
    }
    out.push_str(
        "\n# What the tenant named `acme` has of its own; what is left out is as above.\n# [tenants.acme]\n",
    );
    for option in OPTIONS.iter().filter(|option| KEYS.contains(&option.name)) {
        let value = option.default.unwrap_or_default();
        let value = if option.kind.is_bare() { value.to_owned() } else { format!("\"{value}\"") };
        let _ = writeln!(out, "# {} = {value}", option.name);
    }
    out.push_str(
        "\n# A profile of the Redis port: which keys are which sessions, and what their clients read.\n\
         # See redis-protocol.md.\n\
         # [profiles.llamaindex]\n\
         # keys = \"{session}\"\n\
         # database = 1\n\
         # order = \"oldest-first\"\n\
         # dialect = \"llamaindex\"\n\
         # reads = \"history\"\n\
         # max_tokens = 4000\n",
    );
    out
}

/// What the page says of profiles.
const PROFILES: &str = "
## [profiles.NAME]

A table of the settings file: a profile of the Redis port, tried before the built-in ones; see [redis-protocol.md](redis-protocol.md).
`keys` is the pattern of its keys, with one `{session}` in it, and has to be given.
`order` is where the newest message stands: `newest-first`, `oldest-first`, or `as-pushed`, which is the default.
`dialect` is what its clients read, by a name from [dialects.md](dialects.md); without one it is whatever was pushed last.
`reads` is what reading a whole list gives: `context`, `history`, or `by-dialect`, which is the default: a context in LangChain's dialects, else the history.
`max_tokens` bounds a context; without it, it is the session's window and what the summary does not cover.
`database` is the one that a client has to choose (`SELECT`, or the number at the end of its address), from 0 to 15; without it, any.
An unknown key is an error that names the table.
";

/// What the page says of tenants.
fn tenants() -> String {
    let keys = KEYS.map(|key| format!("`{key}`")).join(", ");
    format!(
        "\n## [tenants.NAME]\n\n\
         A table of the settings file: what the tenant of that name has of its own.\n\
         Its keys are {keys}; each takes the values of the option of that name, and what is left out is as for everybody.\n\
         A session may have summaries of its own in turn: see [summaries.md](summaries.md); what the limits do is in [users.md](users.md).\n\
         An unknown key is an error that names the table.\n\n\
         ```toml\n[tenants.acme]\nwindow = 20\nsummary_tokens = 1200\ntenant_sessions = 5000\n\n[tenants.\"night shift\"]\nsummaries = \"off\"\n```\n"
    )
}

fn usage(option: &Setting) -> String {
    match option.kind {
        Kind::Switch => format!("--{}", option.flag()),
        Kind::Choice(words) => format!("--{} {}", option.flag(), words.join("/")),
        kind => format!("--{} {}", option.flag(), kind.value_name()),
    }
}

fn who(who: Who) -> &'static str {
    match who {
        Who::Everyone => "all",
        Who::Server => "serve",
        Who::Clients => "all but serve",
        Who::Folders => "serve and fold; the others by variable or file",
    }
}

/// One sentence a line.
fn sentences(help: &str) -> String {
    help.replace(". ", ".\n")
}
