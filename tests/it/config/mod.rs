//! The table `[hooks]`: who may configure a hook, how, and what is said about mistakes.

mod commands;
mod mistakes;
mod modes;
mod precedence;
mod switches;

use cargo_test_support::{Project, project};

use crate::support::package;

/// A program that prints 3.
fn program() -> Project {
    project()
        .file("Cargo.toml", &package("foo", ""))
        .file("src/main.rs", "fn main() { println!(\"3\"); }")
        .build()
}
