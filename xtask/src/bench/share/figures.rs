//! What was found: raw figures, as `--json` writes them, and what they come to.

use std::path::PathBuf;

use serde::Serialize;

use crate::bench::contender::Units;
use crate::bench::report::Target;
use crate::bench::share::disk::Usage;
use crate::bench::share::phase::Phase;
use crate::bench::share::run::Run;
use crate::bench::share::scaling::Scaling;
use crate::bench::timing::Samples;

/// Everything.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) setting: Setting,
    pub(crate) workloads: Vec<Found>,
    pub(crate) scaling: Option<Scaling>,
}

/// What was measured, and where.
#[derive(Serialize)]
pub(crate) struct Setting {
    pub(crate) rustc: String,
    /// How what is built here was built.
    pub(crate) profile: &'static str,
    pub(crate) cpus: usize,
    pub(crate) rounds: usize,
    pub(crate) contenders: Vec<Described>,
}

/// A contender.
#[derive(Serialize)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) version: String,
}

/// What was found with one workload.
#[derive(Serialize)]
pub(crate) struct Found {
    pub(crate) name: &'static str,
    /// How many units upstream's Cargo builds.
    pub(crate) units: usize,
    /// A digest of the lock file, which says what is built.
    pub(crate) lock_sha256: String,
    /// How long compilers work on all of it, one after another, in the fork's cold build.
    pub(crate) compile_milliseconds: f64,
    /// Upstream's build directory.
    pub(crate) stock_disk: Option<Usage>,
    /// In the order of phases, and then of contenders.
    pub(crate) series: Vec<Series>,
    /// Rivals with which something did not work.
    pub(crate) failed: Vec<String>,
    pub(crate) targets: Vec<Target>,
}

/// What one contender did in one phase.
#[derive(Clone, Serialize)]
pub(crate) struct Series {
    pub(crate) phase: Phase,
    pub(crate) contender: String,
    pub(crate) milliseconds: Samples,
    pub(crate) cpu_milliseconds: Samples,
    /// The highest of all peaks.
    pub(crate) memory_bytes: Option<u64>,
    /// What the last build came to.
    pub(crate) units: Units,
    /// The share of the compile time that was spared, where Cargo tells what it compiled.
    pub(crate) weighted_hits: Option<f64>,
    /// What the build directory takes that was not there before.
    pub(crate) disk: Option<Usage>,
}

impl Series {
    /// Nothing yet.
    pub(crate) fn new(phase: Phase, contender: &str) -> Series {
        Series {
            phase,
            contender: contender.to_string(),
            milliseconds: Samples::default(),
            cpu_milliseconds: Samples::default(),
            memory_bytes: None,
            units: Units::default(),
            weighted_hits: None,
            disk: None,
        }
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, run: &Run) -> anyhow::Result<()> {
        self.milliseconds.push(run.took);
        self.cpu_milliseconds.extend(run.cpu);
        self.memory_bytes = self.memory_bytes.max(run.memory);
        self.units = run.units()?;
        Ok(())
    }
}

impl Found {
    /// Finds what a contender did in a phase, if it was measured.
    pub(crate) fn series(&self, phase: Phase, contender: &str) -> Option<&Series> {
        let mut series = self.series.iter();
        series.find(|it| it.phase == phase && it.contender == contender)
    }

    /// The series to which one is compared.
    pub(crate) fn base(&self, phase: Phase) -> Option<&Series> {
        self.series(phase.base(), "stock")
    }

    /// The time of a series, as a multiple of upstream's.
    pub(crate) fn to_stock(&self, series: &Series) -> Option<f64> {
        ratio(series, self.base(series.phase)?)
    }

    /// The time of a series, as a multiple of what hard links take.
    pub(crate) fn to_floor(&self, series: &Series) -> Option<f64> {
        ratio(series, self.series(series.phase, "floor")?)
    }

    /// What another checkout takes without programs and incremental state, as a share of upstream's build directory.
    pub(crate) fn second_disk(&self, contender: &str) -> Option<f64> {
        let usage = self.series(Phase::WarmOther, contender)?.disk?;
        Some(usage.other as f64 / self.stock_disk?.total() as f64)
    }
}

/// Compares two medians.
pub(crate) fn ratio(of: &Series, to: &Series) -> Option<f64> {
    let ratio = of.milliseconds.median() / to.milliseconds.median();
    ratio.is_finite().then_some(ratio)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    /// A made-up series with these times in milliseconds.
    pub(crate) fn series(phase: Phase, contender: &str, milliseconds: &[u64]) -> Series {
        let mut series = Series::new(phase, contender);
        for time in milliseconds {
            series.milliseconds.push(Duration::from_millis(*time));
        }
        series
    }

    /// A workload in which these were measured.
    pub(crate) fn found(series: Vec<Series>) -> Found {
        Found {
            name: "small",
            units: 50,
            lock_sha256: String::new(),
            compile_milliseconds: 1000.0,
            stock_disk: Some(Usage {
                executables: 300,
                incremental: 100,
                other: 600,
            }),
            series,
            failed: Vec::new(),
            targets: Vec::new(),
        }
    }

    #[test]
    fn warm_builds_are_compared_with_a_clean_one() {
        let found = found(vec![
            series(Phase::Cold, "stock", &[90, 100, 500]),
            series(Phase::NoOp, "stock", &[10]),
            series(Phase::NoOp, "on", &[11]),
            series(Phase::WarmOther, "floor", &[10]),
            series(Phase::WarmOther, "on", &[20]),
            series(Phase::NextCommit, "on", &[50]),
        ]);
        let ratios = |phase| {
            let series = found.series(phase, "on").unwrap();
            (found.to_stock(series), found.to_floor(series))
        };
        assert_eq!(ratios(Phase::NoOp), (Some(1.1), None));
        assert_eq!(ratios(Phase::WarmOther), (Some(0.2), Some(2.0)));
        assert_eq!(ratios(Phase::NextCommit), (Some(0.5), None));
    }

    #[test]
    fn the_disk_is_compared_with_all_of_a_build_directory() {
        let mut warm = series(Phase::WarmOther, "on", &[20]);
        warm.disk = Some(Usage {
            executables: 200,
            incremental: 0,
            other: 40,
        });
        let found = found(vec![warm]);
        assert_eq!(found.second_disk("on"), Some(0.04));
        assert_eq!(found.second_disk("kache"), None);
    }

    #[test]
    fn a_ratio_to_nothing_is_unknown() {
        let empty = series(Phase::Cold, "stock", &[]);
        let full = series(Phase::Cold, "on", &[1]);
        assert_eq!(ratio(&full, &empty), None);
    }
}
