//! The `hitherto` binary: chooses the TLS provider and hands over to the command line.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // First thing: rustls has no provider of its own here, and whoever opens a TLS connection needs one.
    // It fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    hitherto_server::command_line()
}
