//! `cargo xtask bench`: the measurements, on a real Redis; what a summary keeps, without one.

use crate::{servers, workspace};

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if arguments.first().is_none_or(|first| first != "summary") {
        servers::fetch(false)?;
    }
    let mut command = workspace::cargo(&["run", "--release", "--locked", "-p", "hitherto-bench", "--"]);
    workspace::run(command.args(arguments))
}
