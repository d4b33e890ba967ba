//! `cargo xtask bench`: the measurements, on a real Redis.

use crate::{servers, workspace};

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    servers::fetch(false)?;
    let mut command = workspace::cargo(&["run", "--release", "--locked", "-p", "hitherto-bench", "--"]);
    workspace::run(command.args(arguments))
}
