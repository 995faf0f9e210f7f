//! `cargo xtask bench`: measures the fork against the upstream Cargo that it was made from.
//!
//! One file per benchmark; what they have in common is beside it: the programs ([`programs`],
//! [`stock`](crate::stock)), how they are run ([`contender`]), what is built ([`workspace`]) and how figures
//! are made of times ([`timing`], [`report`]). A benchmark never fails because something is slow, unless it
//! is asked to.

use anyhow::Result;
use clap::Subcommand;

use crate::repo::Repo;

mod contender;
mod noop;
mod programs;
mod report;
mod share;
mod timing;
mod touch;
mod workspace;

/// Measures the fork against the upstream Cargo that it was made from.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Times builds in which nothing is to be done, also after every file was touched.
    Noop(noop::Arguments),
    /// Times builds of real workspaces with and without a cache, beside upstream's Cargo and other caches.
    Share(share::Arguments),
}

/// Runs `cargo xtask bench`.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Noop(arguments) => noop::run(repo, arguments),
        Command::Share(arguments) => share::run(repo, arguments),
    }
}
