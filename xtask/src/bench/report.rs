//! What a benchmark has found: the table, the targets and the raw figures.
//!
//! It never changes a figure: what is printed is computed from what `--json` writes.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::bench::timing::Samples;
use crate::tree;

/// Options that say what becomes of the figures.
#[derive(clap::Args)]
pub(crate) struct Outcome {
    /// Writes all figures to a file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fails if a target is missed; without this, it is only said.
    #[arg(long, visible_alias = "check")]
    assert: bool,
}

impl Outcome {
    /// Writes the figures, if that is wanted.
    pub(crate) fn save(&self, figures: &impl Serialize) -> Result<()> {
        let Some(file) = &self.json else {
            return Ok(());
        };
        let text = serde_json::to_vec_pretty(figures).context("failed to write the figures")?;
        tree::write_if_different(file, &text).map(drop)
    }

    /// Turns a target that was missed into an error, if that is wanted.
    pub(crate) fn judge<'a>(&self, targets: impl Iterator<Item = &'a Target>) -> Result<()> {
        let missed: Vec<_> = targets
            .filter(|it| !it.is_met())
            .map(|it| it.what.as_str())
            .collect();
        if self.assert && !missed.is_empty() {
            bail!("missed the targets for {}", missed.join(", "));
        }
        Ok(())
    }
}

/// One line of the table.
#[derive(Serialize)]
pub(crate) struct Row {
    /// What was timed.
    pub(crate) name: String,
    /// Its times.
    pub(crate) milliseconds: Samples,
}

/// Prints the table; ratios are those to the first line.
pub(crate) fn print_table<'a>(rows: impl Iterator<Item = &'a Row>) {
    println!(
        "{:<20}{:>11}{:>11}{:>11}{:>15}{:>12}",
        "", "median ms", "min ms", "spread ms", "median ratio", "min ratio"
    );
    let mut base: Option<&Samples> = None;
    for row in rows {
        let samples = &row.milliseconds;
        let base = *base.get_or_insert(samples);
        println!(
            "{:<20}{:>11.1}{:>11.1}{:>11.1}{:>15.3}{:>12.3}",
            row.name,
            samples.median(),
            samples.min(),
            samples.spread(),
            samples.median() / base.median(),
            samples.min() / base.min()
        );
    }
}

/// A ratio of medians that is not to be exceeded.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) ratio: f64,
    at_most: f64,
}

impl Target {
    /// Compares the medians of two series.
    pub(crate) fn new(what: &str, at_most: f64, of: &Samples, to: &Samples) -> Target {
        Target::of_ratio(what, at_most, of.median() / to.median())
    }

    /// Judges a ratio that is known.
    pub(crate) fn of_ratio(what: &str, at_most: f64, ratio: f64) -> Target {
        Target {
            what: what.to_string(),
            ratio,
            at_most,
        }
    }

    /// Prints the verdict.
    pub(crate) fn print(&self) {
        println!("{:<44}{:>8.3}   {}", self.what, self.ratio, self.verdict());
    }

    /// Says what is asked for, and whether it is reached.
    pub(crate) fn verdict(&self) -> String {
        let verdict = if self.is_met() { "met" } else { "missed" };
        format!("at most {:.2}: {verdict}", self.at_most)
    }

    /// Whether the ratio is low enough; one to nothing is not.
    pub(crate) fn is_met(&self) -> bool {
        self.ratio <= self.at_most
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn samples(milliseconds: &[u64]) -> Samples {
        let mut samples = Samples::default();
        for time in milliseconds {
            samples.push(Duration::from_millis(*time));
        }
        samples
    }

    fn check(of: &[u64], asserted: bool) -> Result<()> {
        let options = Outcome {
            json: None,
            assert: asserted,
        };
        let target = Target::new("x", 1.05, &samples(of), &samples(&[90, 100, 500]));
        options.judge([target].iter())
    }

    #[test]
    fn a_missed_target_fails_only_when_asked() {
        check(&[105], true).unwrap();
        check(&[106], false).unwrap();
        let error = check(&[1, 106, 107], true).unwrap_err().to_string();
        assert_eq!(error, "missed the targets for x");
    }

    #[test]
    fn a_ratio_to_nothing_is_no_success() {
        assert!(!Target::new("x", 1.05, &samples(&[]), &samples(&[1])).is_met());
    }
}
