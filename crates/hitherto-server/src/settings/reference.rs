//! The reference page and the sample file, written from the table. A test fails when those in `docs/` differ.

use std::fmt::Write as _;

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
            _ => "…",
        });
        let value = if option.kind.is_bare() { value.to_owned() } else { format!("\"{value}\"") };
        let _ = write!(out, "\n# {}\n# {} = {value}\n", option.help, option.name);
    }
    out
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
    }
}

/// One sentence a line.
fn sentences(help: &str) -> String {
    help.replace(". ", ".\n")
}
