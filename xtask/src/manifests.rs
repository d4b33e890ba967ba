//! `cargo xtask packages`: whether the Kubernetes manifest, the Compose file and the Containerfile are valid, and name what
//! is there.
//!
//! The schemas come from a registry, pinned in `packages/requirements.txt`; what no schema knows is in `packages/check.py`.

use std::process::Command;

use crate::clients::environment;
use crate::workspace;

/// Installs what the check needs.
pub(crate) fn prepare() -> Result<(), String> {
    let list = workspace::root().join("packages/requirements.txt");
    environment(&workspace::root().join("target/packages"), &list, "what checks the packages")
}

/// Checks them with the binary that tests use.
pub(crate) fn run() -> Result<(), String> {
    prepare()?;
    workspace::run(&mut workspace::cargo(&["build", "--locked", "--package", "hitherto-server"]))?;
    let root = workspace::root();
    let mut check = Command::new(root.join("target/packages/bin/python"));
    check.arg(root.join("packages/check.py")).arg(workspace::target_folder().join("debug/hitherto"));
    workspace::run(&mut check)
}
