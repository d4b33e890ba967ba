//! The `hitherto` binary.
fn main() {}
