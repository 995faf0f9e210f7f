//! The contenders take turns, phase by phase, so that what else the machine does hits all of them.
//!
//! Every round begins with empty caches. What a phase needs and is not to be measured, such as undoing an edit,
//! happens without the clock.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::bench::contender::work;
use crate::bench::share::Site;
use crate::bench::share::contender::{Contender, Kind, ON, STOCK, remove};
use crate::bench::share::disk::{Known, Usage};
use crate::bench::share::edit::Edit;
use crate::bench::share::figures::{Found, Series};
use crate::bench::share::links;
use crate::bench::share::phase::Phase;
use crate::bench::share::run::Run;
use crate::bench::share::targets;
use crate::bench::share::weight::Weights;
use crate::bench::share::workload::Workload;
use crate::bench::timing;
use crate::differential::project;
use crate::git::Git;
use crate::lock::LOCK;
use crate::process;
use crate::tree::{self, Tree, sha256};

/// How often a build with nothing to do is timed in a round.
const NO_OPS: usize = 5;
/// How many edits are timed in a round, each another one.
const EDITS: usize = 3;

/// What is measured with one workload.
pub(crate) struct Rounds<'a> {
    site: &'a Site,
    workload: Workload,
    files: Tree,
    contenders: Vec<Contender>,
    phases: &'a [Phase],
    /// One for each phase and contender that takes part.
    series: Vec<Series>,
    weights: Weights,
    /// Upstream's build directory.
    stock_disk: Option<Usage>,
    /// Rivals with which something does not work.
    failed: Vec<String>,
}

impl<'a> Rounds<'a> {
    /// Nothing is measured yet; `files` are those of the workload.
    pub(crate) fn new(
        site: &'a Site,
        workload: Workload,
        files: Tree,
        contenders: Vec<Contender>,
        phases: &'a [Phase],
    ) -> Rounds<'a> {
        Rounds {
            site,
            workload,
            files,
            contenders,
            phases,
            series: Vec::new(),
            weights: Weights::default(),
            stock_disk: None,
            failed: Vec::new(),
        }
    }

    /// Goes through all phases once. The first, which fills the caches, always takes place.
    pub(crate) fn round(&mut self, round: usize) -> Result<()> {
        for phase in Phase::ALL {
            if phase != Phase::Cold && !self.phases.contains(&phase) {
                continue;
            }
            for place in timing::order(self.contenders.len(), round) {
                let name = self.contenders[place].name.clone();
                let kind = self.contenders[place].kind;
                if !phase.has(kind) || self.failed.contains(&name) {
                    continue;
                }
                eprintln!("[{}] {} {name}", phase.name(), self.workload.name);
                let done = self.step(phase, place, round);
                match done.with_context(|| format!("`{name}` failed in `{}`", phase.name())) {
                    Err(error) if kind == Kind::Rival => {
                        process::print_error(&error);
                        self.failed.push(name);
                    }
                    done => done?,
                }
            }
        }
        Ok(())
    }

    /// Returns what was found so far.
    pub(crate) fn found(&self) -> Found {
        let names: Vec<_> = self.contenders.iter().map(|it| it.name.as_str()).collect();
        let place = |it: &Series| names.iter().position(|name| *name == it.contender);
        let mut series = self.series.clone();
        series.sort_by_key(|it| (it.phase, place(it)));
        let mut found = Found {
            name: self.workload.name,
            units: 0,
            lock_sha256: sha256(&self.files[LOCK]),
            compile_milliseconds: self.weights.total().as_secs_f64() * 1e3,
            stock_disk: self.stock_disk,
            series,
            failed: self.failed.clone(),
            targets: Vec::new(),
        };
        found.units = found
            .series(Phase::Cold, "stock")
            .map_or(0, |it| it.units.total);
        found.targets = targets::of(&found);
        found
    }

    /// Ends what runs in the background, and removes what was built.
    pub(crate) fn finish(mut self) -> Result<()> {
        for contender in &mut self.contenders {
            contender.stop()?;
            remove(&contender.folder)?;
        }
        Ok(())
    }

    fn step(&mut self, phase: Phase, place: usize, round: usize) -> Result<()> {
        match phase {
            Phase::Cold => self.cold(place),
            Phase::NoOp => self.no_op(place),
            Phase::EditLeaf => self.edit(phase, place, self.workload.leaf, round),
            Phase::EditMiddle => self.edit(phase, place, self.workload.middle, round),
            Phase::WarmSame | Phase::WarmOther if self.contenders[place].kind == Kind::Floor => {
                self.floor(phase, place)
            }
            Phase::WarmSame | Phase::WarmOther => self.warm(phase, place, None),
            Phase::NextCommit => {
                // Another number than any edit has.
                let commit = self
                    .workload
                    .middle
                    .commit(&self.files, 1_000_000 + round)?;
                self.warm(phase, place, Some(commit))
            }
        }
    }

    fn cold(&mut self, place: usize) -> Result<()> {
        self.contenders[place].reset(self.site)?;
        let checkout = self.contenders[place].checkout(Phase::Cold);
        check_out(&self.files, &checkout)?;
        let run = self.run(place, &checkout, true)?;
        self.series(Phase::Cold, place).add(&run)?;
        match place {
            STOCK => {
                let target = checkout.join("target");
                self.stock_disk = Some(Usage::of(&target, &Known::default())?);
            }
            ON => self.weights = Weights::read(&checkout, run.transcript)?,
            _ => {}
        }
        Ok(())
    }

    fn no_op(&mut self, place: usize) -> Result<()> {
        let checkout = self.contenders[place].checkout(Phase::NoOp);
        // The first one may find files that are too young to be trusted.
        self.idle(place, &checkout)?;
        for _ in 0..NO_OPS {
            let run = self.idle(place, &checkout)?;
            self.series(Phase::NoOp, place).add(&run)?;
        }
        Ok(())
    }

    fn edit(&mut self, phase: Phase, place: usize, edit: Edit, round: usize) -> Result<()> {
        let checkout = self.contenders[place].checkout(phase);
        let file = checkout.join(edit.path);
        for number in 0..EDITS {
            let text = edit.body(&self.files, 1 + round * EDITS + number)?;
            tree::write_if_different(&file, &text)?;
            settle();
            let run = self.run(place, &checkout, false)?;
            if run.units()?.compiled == 0 {
                bail!("an edit of `{}` was not noticed", edit.path);
            }
            self.series(phase, place).add(&run)?;
        }
        tree::write_if_different(&file, &self.files[edit.path])?;
        self.run(place, &checkout, false).map(drop)
    }

    /// Builds into an empty build directory; `files` are those of the checkout, if it has others.
    fn warm(&mut self, phase: Phase, place: usize, files: Option<Tree>) -> Result<()> {
        let checkout = self.contenders[place].checkout(phase);
        let target = checkout.join("target");
        remove(&target)?;
        check_out(files.as_ref().unwrap_or(&self.files), &checkout)?;
        let run = self.run(place, &checkout, true)?;
        self.series(phase, place).add(&run)?;
        if phase == Phase::WarmOther {
            let contender = &self.contenders[place];
            let mut known = Known::default();
            known.add(&contender.cache())?;
            known.add(&contender.checkout(Phase::Cold).join("target"))?;
            let usage = Usage::of(&target, &known)?;
            self.series(phase, place).disk = Some(usage);
        }
        if run.units()?.restored > 0 {
            let hits = self.weights.hits(&checkout, run.transcript)?;
            self.series(phase, place).weighted_hits = hits;
        }
        if phase != Phase::WarmSame {
            remove(&target)?;
        }
        Ok(())
    }

    /// Puts upstream's finished build directory in place by links, and lets upstream find that all is done.
    fn floor(&mut self, phase: Phase, place: usize) -> Result<()> {
        let contender = &self.contenders[place];
        let checkout = contender.checkout(Phase::Cold);
        let [target, finished] = [checkout.join("target"), contender.finished()];
        let rename = |from: &Path, to: &Path| {
            fs::rename(from, to).with_context(|| format!("failed to move `{}`", from.display()))
        };
        rename(&target, &finished)?;
        settle();
        let began = Instant::now();
        links::copy(&finished, &target)?;
        let linked = began.elapsed();
        let mut run = self.idle(place, &checkout)?;
        run.took += linked;
        self.series(phase, place).add(&run)?;
        remove(&target)?;
        rename(&finished, &target)
    }

    /// Runs a build that has nothing to do; that it does something is an error.
    fn idle(&self, place: usize, checkout: &Path) -> Result<Run> {
        let contender = &self.contenders[place];
        let mut build = contender.build(self.site, checkout);
        let run = Run::measure(&mut build, contender.server())?;
        let said = run.transcript.stderr.iter().map(|it| it.text.as_str());
        if let Some(done) = work(said) {
            bail!("it was to have nothing to do, but it did: `{done}`");
        }
        Ok(run)
    }

    /// Runs a build that has something to do.
    fn run(&self, place: usize, checkout: &Path, is_verbose: bool) -> Result<Run> {
        let contender = &self.contenders[place];
        let mut build = contender.build(self.site, checkout);
        if is_verbose {
            build.arg("-v");
            settle();
        }
        Run::measure(&mut build, contender.server())
    }

    fn series(&mut self, phase: Phase, place: usize) -> &mut Series {
        let name = &self.contenders[place].name;
        let known = self.series.iter();
        let mut known = known.map(|it| (it.phase, &it.contender));
        let found = known.position(|it| it == (phase, name));
        let found = found.unwrap_or_else(|| {
            self.series.push(Series::new(phase, name));
            self.series.len() - 1
        });
        &mut self.series[found]
    }
}

/// By how much times have to differ for git to see it.
const GRANULARITY: Duration = Duration::from_millis(1100);

/// Checks out a commit with these files.
fn check_out(files: &Tree, checkout: &Path) -> Result<()> {
    project::check_out(files, checkout)?;
    let git = Git::open(checkout);
    if !checkout.join(".git").exists() {
        git.read(&["init", "--quiet"])?;
        let ignored = checkout.join(".git/info/exclude");
        tree::write_if_different(&ignored, b"/target\n")?;
    } else if git.read(&["status", "--porcelain"])?.is_empty() {
        return Ok(());
    }
    // Of files as old as the index git cannot tell whether they changed. It would find out, and write the index,
    // when a macro of bat asks for the commit: then Cargo finds stale what it has just built.
    thread::sleep(GRANULARITY);
    git.read(&["add", "--all", "--force", ":!target"])?;
    git.read(&["commit", "--quiet", "--message=files"])
        .map(drop)
}

/// Lets the kernel write what earlier builds left, so that nobody pays for another one. Without the program, the
/// order of the contenders has to be enough.
fn settle() {
    let mut sync = Command::new("sync");
    let _ = sync
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests;
