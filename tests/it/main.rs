//! End-to-end tests: the built fork, a real rustc, and a hook that tells what it was asked.
//!
//! Every test has a home, a store and a log of its own, and no network.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod config;
mod content;
mod debugging;
mod faults;
mod hooks;
mod inputs;
mod messages;
mod off;
mod restore;
mod scripts;
mod storage;
mod support;
