//! `completions`: what a shell needs to complete `hitherto`'s commands and options.

use std::io::Write as _;
use std::process::ExitCode;

use super::output::Output;

/// What `completions` is given.
#[derive(Debug, Clone)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

/// Prints the completions of that command line.
///
/// # Errors
/// If the output cannot be written.
pub(crate) fn run(
    mut command: clap::Command,
    args: &CompletionsArgs,
    out: &mut Output,
) -> anyhow::Result<ExitCode> {
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics where its writer fails, as a closed pipe does.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::super::test_kit::Captured;
    use super::*;

    #[test]
    fn every_shell_gets_its_script() {
        use clap::ValueEnum as _;
        for shell in clap_complete::Shell::value_variants() {
            let command = clap::Command::new("hitherto").subcommand(clap::Command::new("doctor"));
            let mut captured = Captured::default();
            run(command, &CompletionsArgs { shell: *shell }, &mut captured.output).unwrap();
            assert!(captured.out().contains("doctor"), "{shell}");
        }
    }
}
