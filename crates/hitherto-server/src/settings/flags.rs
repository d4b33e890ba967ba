//! The table as flags of a `clap` command.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};

use super::{Caller, Kind, OPTIONS, Setting, Who};

/// The flags that a command has.
///
/// Defaults and environment variables are shown in help and not given to `clap`: whether a value came from a
/// flag must stay known, because a flag for one store beats the environment's other one.
pub fn flags_for(caller: Caller) -> impl Iterator<Item = Arg> {
    OPTIONS.iter().filter(move |option| has_flag(option, caller)).map(move |option| flag(option, caller))
}

/// Whether a command has an option.
pub(super) fn has(option: &Setting, caller: Caller) -> bool {
    match option.who {
        Who::Everyone | Who::Folders => true,
        Who::Server => caller == Caller::Server,
        Who::Clients => caller != Caller::Server,
    }
}

/// Whether a command has the flag of an option. How summaries are made is the business of few commands, so the
/// others take it from the environment and the file alone.
pub(super) fn has_flag(option: &Setting, caller: Caller) -> bool {
    has(option, caller) && (option.who != Who::Folders || caller != Caller::Client)
}

fn flag(option: &Setting, caller: Caller) -> Arg {
    let mut notes = format!("env: {}", option.env);
    if let Some(default) = option.default.filter(|_| option.kind != Kind::Switch) {
        notes = format!("default: {default}, {notes}");
    }
    let arg = Arg::new(option.name).long(option.flag()).help(format!("{} [{notes}]", option.help));
    let excluded = |name: &&&str| OPTIONS.iter().any(|other| other.name == **name && has_flag(other, caller));
    let arg = arg.conflicts_with_all(option.excludes.iter().filter(excluded).copied());
    match option.kind {
        Kind::Switch => arg.action(ArgAction::SetTrue),
        Kind::Choice(words) => arg
            .action(ArgAction::Set)
            .value_name(words.join("|"))
            .hide_possible_values(true)
            .value_parser(PossibleValuesParser::new(words)),
        Kind::Lines { one } => arg.action(ArgAction::Append).value_name(one),
        kind => arg.action(ArgAction::Set).value_name(kind.value_name()),
    }
}
