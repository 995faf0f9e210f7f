//! `cargo xtask bench noop`: what a build costs that has nothing to do.
//!
//! ```text
//! target/bench/noop/workspace       what is built
//! target/bench/noop/targets/NAME    the build directory of a contender
//! target/bench/noop/home            Cargo's home
//! ```
//!
//! The contenders take turns, so that what else the machine does hits all of them. It never times a build that
//! compiles something: such a build is an error.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::bench::contender::{Contender, Site, Units};
use crate::bench::programs::{self, Programs};
use crate::bench::report::{self, Row, Target};
use crate::bench::timing::{self, Samples};
use crate::bench::touch::{self, Touch};
use crate::bench::workspace::Workspace;
use crate::pin::{self, Rustc};
use crate::repo::Repo;
use crate::tree::sha256;

/// Options of `cargo xtask bench noop`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    programs: programs::Selection,
    /// How often each Cargo is timed, after two rounds that do not count; after touching, a third as often.
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    #[command(flatten)]
    report: report::Outcome,
}

/// Rounds that do not count: after them, what is read lies in memory.
const WARM_UP: usize = 2;
/// What the workspace has at least: a large project, where a build with nothing to do can be felt.
const MIN_UNITS: usize = 300;
const MIN_SOURCE_FILES: usize = 2000;
/// Where the contenders are in the list.
const STOCK: usize = 0;
const MTIME: usize = 1;
const CONTENT: usize = 2;

/// Everything that was found.
#[derive(Serialize)]
struct Figures {
    setting: Setting,
    noop: Noop,
    touch: Option<Touch>,
}

/// What was measured, and where.
#[derive(Serialize)]
struct Setting {
    rustc: String,
    /// How what is built here was built.
    profile: &'static str,
    cpus: usize,
    units: usize,
    source_files: usize,
    files: usize,
    bytes: usize,
    contenders: Vec<Described>,
}

#[derive(Serialize)]
struct Described {
    name: String,
    program: PathBuf,
    version: String,
}

/// Builds with nothing to do.
#[derive(Serialize)]
struct Noop {
    rows: Vec<Row>,
    targets: [Target; 2],
}

/// Runs `cargo xtask bench noop`.
pub(crate) fn run(repo: &Repo, arguments: &Arguments) -> Result<()> {
    let programs = arguments.programs.obtain(repo)?;
    let _lock = repo.lock_bench()?;
    let folder = repo.join("target/bench/noop");
    let workspace = Workspace::write(&folder.join("workspace"))?;
    let site = site(&folder, &workspace)?;
    let contenders = contenders(programs)?;
    let units = populate(&contenders, &site)?;
    let setting = Setting::new(arguments, &workspace, units, &contenders, &site)?;
    setting.print();
    setting.check()?;
    let runs = usize::from(arguments.runs);
    eprintln!("[measure] builds with nothing to do");
    let mut figures = Figures {
        setting,
        noop: Noop::measure(&contenders, &site, runs)?,
        touch: None,
    };
    print_results(figures.noop.rows.iter(), &figures.noop.targets);
    arguments.report.save(&figures)?;
    eprintln!("[measure] builds after all files were touched");
    let (stock, content) = (&contenders[STOCK], &contenders[CONTENT]);
    let touch = touch::measure(stock, content, &site, &workspace, runs.div_ceil(3))?;
    print_results(touch.rows().into_iter(), &touch.targets);
    println!(
        "After a touch `{}` compiles {} of {units} units.",
        stock.name,
        touch.stock_compiles()
    );
    let targets = figures.noop.targets.iter().chain(&touch.targets);
    let verdict = arguments.report.judge(targets);
    figures.touch = Some(touch);
    arguments.report.save(&figures)?;
    verdict
}

fn print_results<'a>(rows: impl Iterator<Item = &'a Row>, targets: &[Target]) {
    println!();
    report::print_table(rows);
    println!();
    for target in targets {
        target.print();
    }
}

/// Makes the folders that contenders share.
fn site(folder: &Path, workspace: &Workspace) -> Result<Site> {
    let verbose = Rustc::detect()?.verbose;
    let site = Site {
        manifest: workspace.manifest(),
        targets: folder.join("targets"),
        home: folder.join("home"),
        rustc: pin::real_rustc()?,
        inputs: sha256((workspace.digest() + &verbose).as_bytes()),
    };
    for folder in [&site.targets, &site.home] {
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
    }
    Ok(site)
}

/// Returns the contenders; the first three are at [`STOCK`], [`MTIME`] and [`CONTENT`].
fn contenders(programs: Programs) -> Result<Vec<Contender>> {
    let contender = |name: &str, program, settings| Contender {
        name: name.to_string(),
        program,
        settings,
    };
    let fork = |name, fingerprint| {
        let settings = vec![("CARGO_BUILD_FINGERPRINT", fingerprint)];
        contender(name, programs.fork.clone(), settings)
    };
    let mut found = vec![
        contender("stock", programs.stock.clone(), Vec::new()),
        fork("fork-mtime", "mtime"),
        fork("fork-content", "content"),
    ];
    for (name, program) in programs.others {
        if found.iter().any(|it| it.name == name) {
            bail!("there are two contenders with the name `{name}`");
        }
        found.push(contender(&name, program, Vec::new()));
    }
    Ok(found)
}

/// Lets every contender build all, and returns how many units that were.
fn populate(contenders: &[Contender], site: &Site) -> Result<usize> {
    let mut least = usize::MAX;
    for contender in contenders {
        eprintln!("[populate] {}", contender.name);
        let Units {
            total, compiled, ..
        } = contender.populate(site)?;
        eprintln!("[populate] {compiled} of {total} units were compiled");
        least = least.min(total);
    }
    Ok(least)
}

impl Setting {
    fn new(
        arguments: &Arguments,
        workspace: &Workspace,
        units: usize,
        contenders: &[Contender],
        site: &Site,
    ) -> Result<Setting> {
        let describe = |it: &Contender| {
            Ok(Described {
                name: it.name.clone(),
                program: it.program.clone(),
                version: it.version(site)?,
            })
        };
        Ok(Setting {
            rustc: Rustc::detect()?.release,
            profile: arguments.programs.profile_name(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            units,
            source_files: workspace.source_files(),
            files: workspace.files(),
            bytes: workspace.bytes(),
            contenders: contenders.iter().map(describe).collect::<Result<_>>()?,
        })
    }

    fn print(&self) {
        println!(
            "{} units, {} source files, {} files of {:.1} MB in all; {} CPUs, rustc {}, profile {}",
            self.units,
            self.source_files,
            self.files,
            self.bytes as f64 / 1e6,
            self.cpus,
            self.rustc,
            self.profile
        );
        for contender in &self.contenders {
            println!("{:<20}{}", contender.name, contender.version);
        }
    }

    /// Fails if what is built became too small to say anything.
    fn check(&self) -> Result<()> {
        if self.units < MIN_UNITS || self.source_files < MIN_SOURCE_FILES {
            bail!(
                "the workspace is too small: expected {MIN_UNITS} units and {MIN_SOURCE_FILES} source files"
            );
        }
        Ok(())
    }
}

impl Noop {
    /// Lets the contenders take turns.
    fn measure(contenders: &[Contender], site: &Site, runs: usize) -> Result<Noop> {
        let mut times = vec![Samples::default(); contenders.len()];
        for round in 0..WARM_UP + runs {
            for place in timing::order(contenders.len(), round) {
                let took = contenders[place].time_noop(site)?;
                if round >= WARM_UP {
                    times[place].push(took);
                }
            }
        }
        let stock = &times[STOCK];
        let targets = [
            Target::new("content / stock", 1.05, &times[CONTENT], stock),
            Target::new("mtime / stock", 1.02, &times[MTIME], stock),
        ];
        let names = contenders.iter().map(|it| it.name.clone());
        let rows = names.zip(times);
        let rows = rows.map(|(name, milliseconds)| Row { name, milliseconds });
        Ok(Noop {
            rows: rows.collect(),
            targets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::workspace;

    fn names(others: &[&str]) -> Result<Vec<String>> {
        let path = |it: &str| PathBuf::from(it);
        let found = contenders(Programs {
            stock: path("stock"),
            fork: path("fork"),
            others: others.iter().map(|it| (it.to_string(), path(it))).collect(),
        })?;
        Ok(found.into_iter().map(|it| it.name).collect())
    }

    #[test]
    fn contenders_have_their_places_and_names_of_their_own() {
        let found = names(&["old"]).unwrap();
        assert_eq!(found[STOCK], "stock");
        assert_eq!(found[MTIME], "fork-mtime");
        assert_eq!(found[CONTENT], "fork-content");
        assert_eq!(found[3..], ["old"]);
        assert!(names(&["stock"]).is_err() && names(&["a", "a"]).is_err());
    }

    #[test]
    fn the_workspace_is_large_enough() {
        let tree = workspace::generate();
        let sources = tree.keys().filter(|it| it.ends_with(".rs")).count();
        assert!(sources >= MIN_SOURCE_FILES, "{sources}");
    }
}
