//! How the time to restore grows with the number of units: two generated workspaces, restored in another checkout.
//!
//! Cargo itself needs more than five times as long to find five times the units done, so that this is told, too: what
//! restoring adds to it is ours.
//!
//! What was built is put aside, and removed at the end: ext4 takes its time to make files while it remembers many that
//! were removed a moment ago.

use std::fs;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::bench::programs::Programs;
use crate::bench::report::Target;
use crate::bench::share::Site;
use crate::bench::share::contender::{self, Contender, remove};
use crate::bench::share::layers;
use crate::bench::share::phase::Phase;
use crate::bench::share::run::Run;
use crate::bench::timing::{self, Samples};
use crate::differential::project;

/// How many units the workspaces have.
const UNITS: [usize; 2] = [400, 2000];
/// What five times the units may cost.
const AT_MOST: f64 = 5.0;

/// What was found.
#[derive(Serialize)]
pub(crate) struct Scaling {
    pub(crate) sizes: Vec<Sized>,
    pub(crate) targets: [Target; 2],
}

/// One of the workspaces.
#[derive(Serialize)]
pub(crate) struct Sized {
    pub(crate) units: usize,
    /// With an empty cache.
    pub(crate) cold_milliseconds: f64,
    /// Restored in another checkout.
    pub(crate) milliseconds: Samples,
    pub(crate) cpu_milliseconds: Samples,
    /// The same build again, with nothing to do.
    pub(crate) no_op_milliseconds: Samples,
    /// What restoring takes longer than that.
    pub(crate) added_milliseconds: Samples,
    pub(crate) memory_bytes: Option<u64>,
}

/// Fills a cache once for each workspace, and restores them in turn.
pub(crate) fn measure(programs: &Programs, site: &Site, rounds: usize) -> Result<Scaling> {
    let mut contenders = Vec::new();
    let mut sizes = Vec::new();
    for units in UNITS {
        eprintln!("[cold] {units} generated units");
        let folder = site.folder.join("scaling").join(units.to_string());
        let mut contender = contender::on(programs, &folder);
        contender.reset(site)?;
        let files = layers::generate(units);
        for phase in [Phase::Cold, Phase::WarmOther] {
            project::check_out(&files, &contender.checkout(phase))?;
        }
        let run = build(&contender, site, Phase::Cold)
            .with_context(|| format!("failed to build {units} generated units"))?;
        sizes.push(Sized {
            units,
            cold_milliseconds: run.took.as_secs_f64() * 1e3,
            milliseconds: Samples::default(),
            cpu_milliseconds: Samples::default(),
            no_op_milliseconds: Samples::default(),
            added_milliseconds: Samples::default(),
            memory_bytes: None,
        });
        contenders.push(contender);
    }
    for round in 0..rounds {
        for place in timing::order(UNITS.len(), round) {
            eprintln!("[warm-other] {} generated units", UNITS[place]);
            sizes[place].restore(&contenders[place], site, round)?;
        }
    }
    remove(&site.folder.join("scaling"))?;
    let target = |what: &str, of: fn(&Sized) -> &Samples| {
        let what = format!("{what} {} / {} units", UNITS[1], UNITS[0]);
        Target::new(&what, AT_MOST, of(&sizes[1]), of(&sizes[0]))
    };
    Ok(Scaling {
        targets: [
            target("restoring", |it| &it.milliseconds),
            target("restoring beyond a no-op,", |it| &it.added_milliseconds),
        ],
        sizes,
    })
}

impl Sized {
    fn restore(&mut self, contender: &Contender, site: &Site, round: usize) -> Result<()> {
        let run = build(contender, site, Phase::WarmOther)?;
        let restored = run.units()?.restored;
        if restored < self.units {
            bail!(
                "only {restored} of {} generated units were restored",
                self.units
            );
        }
        self.milliseconds.push(run.took);
        self.cpu_milliseconds.extend(run.cpu);
        self.memory_bytes = self.memory_bytes.max(run.memory);
        let no_op = build(contender, site, Phase::WarmOther)?.took;
        self.no_op_milliseconds.push(no_op);
        self.added_milliseconds.push(run.took.saturating_sub(no_op));
        let target = contender.checkout(Phase::WarmOther).join("target");
        // Where something else stands in for Cargo.
        if !target.exists() {
            return Ok(());
        }
        let aside = contender.folder.join(format!("restored-{round}"));
        fs::rename(&target, &aside)
            .with_context(|| format!("failed to put `{}` aside", target.display()))
    }
}

fn build(contender: &Contender, site: &Site, phase: Phase) -> Result<Run> {
    let checkout = contender.checkout(phase);
    Run::measure(&mut contender.build(site, &checkout), None)
}
