//! `cargo xtask bench share`: what sharing saves in real workspaces, and what it costs where there is nothing
//! to share.
//!
//! ```text
//! target/bench/share/SIZE/scratch           where a workload is assembled
//! target/bench/share/SIZE/CONTENDER         its checkouts and its cache
//! target/bench/share/scaling/UNITS          the same for a generated workspace
//! ```
//!
//! Checkouts are repositories, as those of people are. Cargo's home, with the user's downloads and none of his settings,
//! is a temporary folder: below `target/` it would lie in a repository, which homes seldom do, and build scripts of
//! registry packages would be taken to read that.
//!
//! What is built is removed when it was measured. Where the fork has a cache it is `on`, and `off` without hooks;
//! `floor` is what a machine can do at best: links to a finished build directory, and a Cargo that finds all done.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;

use crate::bench::programs::{self, Programs};
use crate::bench::report;
use crate::pin::Rustc;
use crate::repo::Repo;
use crate::tree;

mod chart;
mod contender;
mod disk;
mod edit;
mod figures;
mod home;
mod html;
mod layers;
mod links;
mod peers;
mod phase;
mod proc;
mod rounds;
mod run;
mod scaling;
mod seed;
mod server;
mod table;
mod targets;
mod weight;
mod workload;

use figures::{Described, Figures, Setting};
pub(crate) use home::Site;
use peers::Peer;
use phase::Phase;
use rounds::Rounds;
use workload::Workload;

/// Options of `cargo xtask bench share`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    programs: programs::Selection,
    /// Builds this workload; can be given more than once [default: all].
    #[arg(long = "size", value_name = "SIZE")]
    sizes: Vec<Size>,
    /// Times this phase, besides `cold`, which fills the caches; can be given more than once [default: all].
    #[arg(long = "phase", value_name = "PHASE")]
    phases: Vec<Phase>,
    /// How often all of it is done.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    #[command(flatten)]
    report: report::Outcome,
    /// Writes a page with charts.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Size {
    /// ripgrep's workspace: about 50 units.
    Small,
    /// Three applications: about 200 units.
    Medium,
    /// Seven applications: about 400 units.
    Large,
    /// 400 and 2,000 small generated units, with the fork alone.
    Scaling,
}

impl Arguments {
    fn sizes(&self) -> &[Size] {
        if self.sizes.is_empty() {
            Size::value_variants()
        } else {
            &self.sizes
        }
    }

    fn phases(&self) -> &[Phase] {
        if self.phases.is_empty() {
            &Phase::ALL
        } else {
            &self.phases
        }
    }

    /// Writes what there is already.
    fn save(&self, figures: &Figures) -> Result<()> {
        self.report.save(figures)?;
        let Some(file) = &self.html else {
            return Ok(());
        };
        tree::write_if_different(file, html::page(figures).as_bytes()).map(drop)
    }
}

/// Runs `cargo xtask bench share`.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    let programs = arguments.programs.obtain(repo)?;
    let _lock = repo.lock_bench()?;
    let home = tempfile::tempdir().context("failed to make a folder for Cargo's home")?;
    let site = Site::new(&repo.join("target/bench/share"), home.path())?;
    let peers = present_peers();
    let mut figures = Figures {
        setting: setting(arguments, &programs, &peers, &site)?,
        workloads: Vec::new(),
        scaling: None,
    };
    table::print_setting(&figures.setting);
    let rounds = usize::from(arguments.rounds);
    for size in arguments.sizes() {
        let workload = match size {
            Size::Small => workload::SMALL,
            Size::Medium => workload::MEDIUM,
            Size::Large => workload::LARGE,
            Size::Scaling => {
                let scaling = scaling::measure(&programs, &site, rounds)?;
                table::print_scaling(&scaling);
                figures.scaling = Some(scaling);
                arguments.save(&figures)?;
                continue;
            }
        };
        measure(
            repo,
            &site,
            workload,
            &programs,
            &peers,
            arguments,
            &mut figures,
        )
        .with_context(|| format!("failed to measure `{}`", workload.name))?;
    }
    let workloads = figures.workloads.iter().flat_map(|it| &it.targets);
    let scaling = figures.scaling.iter().flat_map(|it| &it.targets);
    arguments.report.judge(workloads.chain(scaling))
}

/// Returns the rivals that are installed, and says how to get the others.
fn present_peers() -> Vec<(&'static Peer, PathBuf)> {
    let mut present = Vec::new();
    for (peer, program) in peers::find() {
        match program {
            Some(program) => present.push((peer, program)),
            None => eprintln!("[skip] `{}` is not on `PATH`: {}", peer.name, peer.install),
        }
    }
    present
}

fn setting(
    arguments: &Arguments,
    programs: &Programs,
    peers: &[(&'static Peer, PathBuf)],
    site: &Site,
) -> Result<Setting> {
    let described = |name: &str, program: &PathBuf| {
        Ok(Described {
            name: name.to_string(),
            program: program.clone(),
            version: site.version(program)?,
        })
    };
    let own = [("stock", &programs.stock), ("fork", &programs.fork)];
    let others = programs
        .others
        .iter()
        .map(|(name, program)| (name.as_str(), program));
    let peers = peers.iter().map(|(peer, program)| (peer.name, program));
    let all = own.into_iter().chain(others).chain(peers);
    Ok(Setting {
        rustc: Rustc::detect()?.release,
        profile: arguments.programs.profile_name(),
        cpus: std::thread::available_parallelism().map_or(0, usize::from),
        rounds: usize::from(arguments.rounds),
        contenders: all
            .map(|(name, program)| described(name, program))
            .collect::<Result<_>>()?,
    })
}

/// Measures everything with one workload, and writes what was found after every round.
fn measure(
    repo: &Repo,
    site: &Site,
    workload: Workload,
    programs: &Programs,
    peers: &[(&'static Peer, PathBuf)],
    arguments: &Arguments,
    figures: &mut Figures,
) -> Result<()> {
    let folder = site.folder.join(workload.name);
    let contenders = contender::contenders(programs, peers, &folder)?;
    eprintln!("[fetch] {}", workload.name);
    let stock = || contenders[contender::STOCK].command(site);
    let files = workload.prepare(repo, &folder.join("scratch"), stock)?;
    let mut measured = Rounds::new(site, workload, files, contenders, arguments.phases());
    for round in 0..arguments.rounds {
        eprintln!("[round] {} of {}", round + 1, arguments.rounds);
        measured.round(usize::from(round))?;
        figures.workloads.retain(|it| it.name != workload.name);
        figures.workloads.push(measured.found());
        arguments.save(figures)?;
    }
    figures
        .workloads
        .iter()
        .filter(|it| it.name == workload.name)
        .for_each(table::print);
    measured.finish()
}
