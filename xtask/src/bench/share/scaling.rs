//! How the time to restore grows with the number of units: two generated workspaces, restored in another checkout.

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
    pub(crate) target: Target,
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
        remove(&contender.checkout(Phase::Cold))?;
        sizes.push(Sized {
            units,
            cold_milliseconds: run.took.as_secs_f64() * 1e3,
            milliseconds: Samples::default(),
            cpu_milliseconds: Samples::default(),
            memory_bytes: None,
        });
        contenders.push(contender);
    }
    for round in 0..rounds {
        for place in timing::order(UNITS.len(), round) {
            eprintln!("[warm-other] {} generated units", UNITS[place]);
            sizes[place].restore(&contenders[place], site)?;
        }
    }
    remove(&site.folder.join("scaling"))?;
    let [small, large] = [&sizes[0], &sizes[1]].map(|it| &it.milliseconds);
    let what = format!("restoring {} / {} units", UNITS[1], UNITS[0]);
    Ok(Scaling {
        target: Target::new(&what, AT_MOST, large, small),
        sizes,
    })
}

impl Sized {
    fn restore(&mut self, contender: &Contender, site: &Site) -> Result<()> {
        remove(&contender.checkout(Phase::WarmOther).join("target"))?;
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
        Ok(())
    }
}

fn build(contender: &Contender, site: &Site, phase: Phase) -> Result<Run> {
    let checkout = contender.checkout(phase);
    Run::measure(&mut contender.build(site, &checkout), None)
}
