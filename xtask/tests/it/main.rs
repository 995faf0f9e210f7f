//! Drives the `xtask` program on a tiny made-up upstream: no network, no real Cargo to compile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(unix)]
mod bench;
mod build;
mod check;
mod fetch;
mod install;
mod patch;
mod world;
