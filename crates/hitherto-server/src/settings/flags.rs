//! The table as flags of a `clap` command.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};

use super::{Kind, OPTIONS, Setting, Who};

/// The flags that a command has; `server` says whether it is `serve`.
///
/// Defaults and environment variables are shown in help and not given to `clap`: whether a value came from a
/// flag must stay known, because a flag for one store beats the environment's other one.
pub fn flags_for(server: bool) -> impl Iterator<Item = Arg> {
    OPTIONS.iter().filter(move |option| has(option, server)).map(move |option| flag(option, server))
}

/// Whether a command has an option.
pub(super) fn has(option: &Setting, server: bool) -> bool {
    match option.who {
        Who::Everyone => true,
        Who::Server => server,
        Who::Clients => !server,
    }
}

fn flag(option: &Setting, server: bool) -> Arg {
    let mut notes = format!("env: {}", option.env);
    if let Some(default) = option.default.filter(|_| option.kind != Kind::Switch) {
        notes = format!("default: {default}, {notes}");
    }
    let arg = Arg::new(option.name).long(option.flag()).help(format!("{} [{notes}]", option.help));
    let excluded = |name: &&&str| OPTIONS.iter().any(|other| other.name == **name && has(other, server));
    let arg = arg.conflicts_with_all(option.excludes.iter().filter(excluded).copied());
    match option.kind {
        Kind::Switch => arg.action(ArgAction::SetTrue),
        Kind::Choice(words) => arg
            .action(ArgAction::Set)
            .value_name(words.join("|"))
            .hide_possible_values(true)
            .value_parser(PossibleValuesParser::new(words)),
        kind => arg.action(ArgAction::Set).value_name(kind.value_name()),
    }
}
