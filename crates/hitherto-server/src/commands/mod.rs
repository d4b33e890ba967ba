//! The commands: one entry each in one table, from which the command line and its help are built.
//!
//! A new command is a file here with `pub(crate) async fn run(target, args, out) -> anyhow::Result<ExitCode>`, an
//! entry in `entries::ENTRIES`, and a line in `client::dispatch`.

mod call;
mod client;
mod serve;

mod append;
mod bring;
mod clear;
mod completions;
mod context;
mod doctor;
mod entries;
mod erase;
mod export;
mod fold;
pub(crate) mod import;
mod sessions;
mod show;
mod summary;
mod token;
mod usage;

mod again;
mod interrupt;
mod output;
mod progress;
#[cfg(test)]
mod test_kit;
mod transcript;
mod visible;
mod words;

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};

use crate::settings::{Caller, Kind, Layers, Settings, flags_for};

pub use call::Call;
pub(crate) use call::complain;

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct CommandEntry {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// A line to try.
    pub example: &'static str,
    /// What it takes besides the options of the settings table.
    pub arguments: &'static [Argument],
}

/// An argument of one command's own.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Its name; a flag has it with dashes.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// How it is given.
    pub form: Form,
    /// What it does.
    pub help: &'static str,
}

/// How an argument is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By its place, always.
    Required,
    /// By its place, or not at all.
    Optional,
    /// By its place, any number of times.
    Many,
    /// As a flag with its name.
    Flag,
}

/// The command that is a server.
const SERVE: CommandEntry = CommandEntry {
    name: "serve",
    about: "Serve chat memory over HTTP, from an embedded file or from Redis",
    example: "hitherto serve --demo",
    arguments: &[],
};

/// All commands, in the order of help.
pub fn commands() -> impl Iterator<Item = CommandEntry> {
    std::iter::once(SERVE).chain(entries::ENTRIES)
}

/// The files that the commands are in.
async fn dispatch(command: &str, call: Call) -> anyhow::Result<ExitCode> {
    match command {
        "serve" => serve::run(call).await,
        other => client::run(other, &call).await,
    }
}

/// The whole command line as `clap` sees it; completions are made from it too.
pub fn clap_command() -> Command {
    Command::new("hitherto")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Chat memory for LLM applications: everything said goes in, what belongs in the next prompt comes out")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .max_term_width(110)
        .subcommands(commands().map(|entry| {
            Command::new(entry.name)
                .about(entry.about)
                .after_help(format!("Example: {}", entry.example))
                .args(entry.arguments.iter().map(argument))
                .next_help_heading("Settings")
                .args(flags_for(Caller::of(entry.name)))
        }))
}

fn argument(argument: &Argument) -> Arg {
    let arg = Arg::new(argument.name).help(argument.help);
    let arg = match argument.form {
        Form::Required => arg.required(true).value_name(argument.name.to_uppercase()),
        Form::Optional => arg.value_name(argument.name.to_uppercase()),
        Form::Many => arg.value_name(argument.name.to_uppercase()).action(ArgAction::Append).num_args(0..),
        Form::Flag if argument.kind == Kind::Switch => {
            return arg.long(argument.name.replace('_', "-")).action(ArgAction::SetTrue);
        }
        Form::Flag if matches!(argument.kind, Kind::Choice(_)) => {
            let Kind::Choice(words) = argument.kind else { return arg };
            return arg.long(argument.name.replace('_', "-")).value_parser(PossibleValuesParser::new(words));
        }
        Form::Flag => arg.long(argument.name.replace('_', "-")).value_name(argument.kind.value_name()),
    };
    let kind = argument.kind;
    arg.value_parser(move |value: &str| kind.accept(value))
}

/// What the binary does: reads the command line, runs the command, and says what went wrong.
pub fn command_line() -> ExitCode {
    crate::logs::tell_panics();
    let matches = clap_command().get_matches();
    let Some((name, matches)) = matches.subcommand() else {
        return ExitCode::FAILURE;
    };
    run(name, matches).unwrap_or_else(|error| {
        call::complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

fn run(name: &str, matches: &clap::ArgMatches) -> anyhow::Result<ExitCode> {
    let layers = Layers::gather(matches, |name| std::env::var_os(name), Caller::of(name))?;
    let settings = Settings::resolve(&layers)?;
    crate::logs::start(&settings, name == SERVE.name)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(dispatch(name, Call::new(name, settings, matches.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        clap_command().debug_assert();
    }

    #[test]
    fn help_is_what_it_was() {
        let mut all = clap_command().term_width(100);
        all.build();
        insta::assert_snapshot!("help", all.render_long_help());
        for entry in commands() {
            let command = all.find_subcommand_mut(entry.name).unwrap();
            insta::assert_snapshot!(format!("help_{}", entry.name), command.render_long_help());
        }
    }
}
