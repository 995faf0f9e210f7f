//! `cargo xtask test --differential`: real projects, built by upstream's Cargo, by the fork with an empty cache, and
//! by the fork from that cache in another checkout, must come out the same.
//!
//! ```text
//! target/differential/bin                       the programs that are tried
//! target/differential/sample                    files on which the built programs are run
//! target/differential/PROJECT/first             a checkout: upstream's Cargo and then the fork, at the same place
//! target/differential/PROJECT/another/…         the second checkout, neither equally deep nor equally long
//! target/differential/PROJECT/PROFILE-NAME      what each of them built
//! target/differential/PROJECT/PROFILE-logs      what each of them said
//! ```
//!
//! Compared are the artifacts, the warnings, what the programs print, and which tests pass. The downloads are the
//! user's; the cache is a new one for each project and profile.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::compile::Profile as Optimisation;
use crate::repo::Repo;
use crate::stock;
use crate::tree::{self, Tree};

mod artifacts;
mod behaviour;
pub(crate) mod comparison;
pub(crate) mod contender;
mod dependencies;
mod digests;
mod generated;
mod native;
mod order;
pub(crate) mod project;
pub(crate) mod record;
mod report;

use behaviour::Tests;
use comparison::Built;
use contender::Contender;
use order::Standard;
use project::Project;
use record::Record;
use report::Outcome;

/// Options of the differential test.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Builds real projects with and without a cache, and compares; words select projects.
    #[arg(long)]
    differential: bool,
    /// Builds a small part of them, without optimisation.
    #[arg(long, requires = "differential")]
    small: bool,
    /// Builds with this profile only.
    #[arg(long, requires = "differential", value_name = "dev|release")]
    profile: Option<String>,
    /// Keeps what was built in target/differential.
    #[arg(long, requires = "differential")]
    keep: bool,
    /// Tries this executable as the fork, instead of building it.
    #[arg(long, requires = "differential", value_name = "PATH")]
    fork: Option<PathBuf>,
    /// Tries this executable as upstream's Cargo, instead of building it.
    #[arg(long, requires = "differential", value_name = "PATH")]
    stock: Option<PathBuf>,
}

/// Where the second checkout lies.
const SECOND: &str = "another/place/for/the-second";

/// The programs that are tried, and where.
struct Site {
    folder: PathBuf,
    stock: PathBuf,
    fork: PathBuf,
    sample: PathBuf,
    standard: Standard,
}

impl Options {
    /// Whether it is wanted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.differential
    }

    fn profiles(&self) -> Vec<&str> {
        match &self.profile {
            Some(profile) => vec![profile],
            None if self.small => vec!["dev"],
            None => vec!["dev", "release"],
        }
    }
}

/// Runs `cargo xtask test --differential`.
pub(crate) fn run(repo: &Repo, options: &Options, filter: &[String]) -> Result<()> {
    let is_selected =
        |it: &Project| filter.is_empty() || filter.iter().any(|word| it.name.contains(word));
    let mut projects = project::projects(options.small);
    projects.retain(is_selected);
    if projects.is_empty() {
        bail!("no project is called `{}`", filter.join("` or `"));
    }
    let folder = repo.join("target/differential");
    let _lock = lock(&repo.join("target/differential.lock"))?;
    remove(&folder)?;
    let site = Site::new(repo, options, folder)?;
    let mut outcomes = Vec::new();
    for project in &projects {
        let folder = site.folder.join(project.name);
        eprintln!("[fetch] {}", project.name);
        let files = project
            .prepare(repo, &site.stock, &folder.join("scratch"))
            .with_context(|| format!("failed to prepare `{}`", project.name))?;
        for profile in options.profiles() {
            let outcome = try_out(&site, project, &files, profile)
                .with_context(|| format!("failed to try `{}` ({profile})", project.name))?;
            outcome.print();
            outcomes.push(outcome);
            if !options.keep {
                remove(&folder)?;
            }
        }
    }
    if !options.keep {
        remove(&site.folder)?;
    }
    report::print_table(&outcomes);
    let problems: usize = outcomes.iter().map(|it| it.all_problems().count()).sum();
    if problems > 0 {
        bail!("the builds differ in {problems} places");
    }
    Ok(())
}

impl Site {
    /// Obtains the programs, and copies the fork: others may build it anew meanwhile.
    fn new(repo: &Repo, options: &Options, folder: PathBuf) -> Result<Site> {
        let stock = match &options.stock {
            Some(path) => existing(path)?,
            None => stock::build(repo, Optimisation::Quick)?,
        };
        let fork = match &options.fork {
            Some(path) => existing(path)?,
            None => {
                build::build(repo, Optimisation::Quick)?;
                repo.hooked_cargo()
            }
        };
        let bin = folder.join("bin");
        let _lock = repo.lock()?;
        for (name, _) in tree::list(fork.parent().context("failed to find the fork")?)? {
            let stem = name.strip_suffix(std::env::consts::EXE_SUFFIX);
            build::place(&fork.with_file_name(&name), &bin, stem.unwrap_or(&name))?;
        }
        let sample = folder.join("sample");
        tree::sync(&project::sample(), &sample, &[])?;
        Ok(Site {
            fork: bin.join(fork.file_name().unwrap_or_default()),
            folder,
            stock,
            sample,
            standard: Standard::of_rustc()?,
        })
    }
}

/// Builds a project three times, and compares.
fn try_out(site: &Site, project: &Project, files: &Tree, profile: &str) -> Result<Outcome> {
    let folder = site.folder.join(project.name);
    let [first, second] = ["first", SECOND].map(|it| folder.join(it));
    let place = |name: &str| folder.join(format!("{profile}-{name}"));
    let (logs, cache) = (place("logs"), place("cache"));
    fs::create_dir_all(&logs).with_context(|| format!("failed to create `{}`", logs.display()))?;
    let arguments = [project.tests, &["--profile", profile]].concat();

    let stock = Contender::stock(&site.stock, &first, &logs)?;
    let mut stock_built = build(&stock, project, files, profile)?;
    let times = comparison::times(&stock_built.record, &stock_built.target)?;
    let stock_tests = Tests::run(&stock, &arguments)?;
    set_aside(&mut stock_built, &place("stock"))?;
    let cold = Contender::fork("cold", &site.fork, &first, &logs, &cache)?;
    let mut cold_built = build(&cold, project, files, profile)?;
    set_aside(&mut cold_built, &place("cold"))?;
    let restored = Contender::fork("restored", &site.fork, &second, &logs, &cache)?;
    let mut restored_built = build(&restored, project, files, profile)?;
    let restored_tests = Tests::run(&restored, &arguments)?;
    set_aside(&mut restored_built, &place("restored"))?;

    eprintln!("[compare] {} ({profile})", project.name);
    let mut problems = comparison::warnings(&stock_built, &cold_built);
    problems.extend(comparison::warnings(&cold_built, &restored_built));
    problems.extend(comparison::completeness(&cold_built, &restored_built));
    problems.extend(behaviour::differences(&stock_tests, &restored_tests));
    let all = [&stock_built, &cold_built, &restored_built];
    for line in project.runs {
        problems.extend(run_all(site, all, line, profile)?);
    }
    Ok(Outcome {
        name: format!("{} {profile}", project.name),
        stock: comparison::with_stock(&stock_built, &cold_built, &site.standard)?,
        restored: comparison::with_restored(&cold_built, &restored_built)?,
        units: cold_built.record.units.len(),
        compiled: report::compiled(&restored_built, &times),
        total: times.values().sum(),
        warnings: cold_built.record.warnings.len(),
        runs: project.runs.len(),
        tests: [restored_tests.passed(), restored_tests.total()],
        problems,
    })
}

/// Builds the programs and the tests in a checkout that is as published.
fn build(contender: &Contender, project: &Project, files: &Tree, profile: &str) -> Result<Built> {
    eprintln!("[{}] {} ({profile})", contender.name, project.name);
    project::check_out(files, contender.checkout())?;
    let options = [
        "--frozen",
        "-v",
        "--message-format=json",
        "--profile",
        profile,
    ];
    let program = [&["build", "--workspace"], &options[..]].concat();
    let tests = [&["test", "--no-run", "--workspace"], &options[..]].concat();
    let transcripts = [
        contender.run("build", &program)?,
        contender.run("test-build", &tests)?,
    ];
    Ok(Built {
        name: contender.name,
        checkout: contender.checkout().to_path_buf(),
        target: contender.target(),
        record: Record::new(contender.checkout(), &transcripts)?,
    })
}

/// Moves a build directory away, so that the next contender has the place.
fn set_aside(built: &mut Built, place: &Path) -> Result<()> {
    fs::rename(&built.target, place)
        .with_context(|| format!("failed to move `{}`", built.target.display()))?;
    built.target = place.to_path_buf();
    Ok(())
}

/// Runs a program as each contender has built it, and says where they differ.
fn run_all(
    site: &Site,
    built: [&Built; 3],
    line: &[&str],
    profile: &str,
) -> Result<Option<String>> {
    let folder = if profile == "dev" { "debug" } else { profile };
    let run = |it: &Built| behaviour::run(&it.target.join(folder), line, &site.sample);
    let said = [run(built[0])?, run(built[1])?, run(built[2])?];
    let differs = said.iter().find(|it| **it != said[0]);
    Ok(differs.map(|it| format!("`{}` differs: {:?}, {it:?}", line.join(" "), said[0])))
}

/// Keeps other runs away for as long as the result lives: all have one folder.
fn lock(place: &Path) -> Result<File> {
    let context = || format!("failed to lock `{}`", place.display());
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).with_context(context)?;
    }
    let file = File::create(place).with_context(context)?;
    if file.try_lock().is_err() {
        eprintln!("[wait] another `cargo xtask test --differential` is at work");
        file.lock().with_context(context)?;
    }
    Ok(file)
}

fn existing(path: &Path) -> Result<PathBuf> {
    if !path.is_file() {
        bail!("`{}` is not a file", path.display());
    }
    std::path::absolute(path).with_context(|| format!("failed to read `{}`", path.display()))
}

fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("failed to remove `{}`", folder.display()))
}
