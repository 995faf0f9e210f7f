//! The report: how the builds of each project compare, what was restored, and what was compiled and why.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::differential::comparison::{Built, Comparison, Explained};

/// How many problems of a project are printed.
const SHOWN: usize = 30;

/// What came of one project with one profile.
pub(crate) struct Outcome {
    /// The project and the profile.
    pub(crate) name: String,
    /// Upstream's Cargo against the fork.
    pub(crate) stock: Comparison,
    /// The fork against itself in another checkout.
    pub(crate) restored: Comparison,
    /// How many units there are.
    pub(crate) units: usize,
    /// What was compiled though there is a cache.
    pub(crate) compiled: Vec<Compiled>,
    /// How long compiling all units took, one after the other, with upstream's Cargo.
    pub(crate) total: Duration,
    /// How many warnings were the same.
    pub(crate) warnings: usize,
    /// How many command lines were tried.
    pub(crate) runs: usize,
    /// How many tests pass, and how many there are.
    pub(crate) tests: [usize; 2],
    /// What must not be.
    pub(crate) problems: Vec<String>,
}

/// A unit that was compiled though there is a cache.
pub(crate) struct Compiled {
    label: String,
    reason: String,
    took: Duration,
}

/// Returns the units that the second checkout compiled, those first that take longest.
pub(crate) fn compiled(restored: &Built, times: &BTreeMap<String, Duration>) -> Vec<Compiled> {
    let mut found: Vec<Compiled> = Vec::new();
    for (metadata, unit) in &restored.record.units {
        let reasons = restored.record.missed.get(&unit.label);
        let reasons = reasons.map(|it| it.iter().cloned().collect::<Vec<_>>().join(" / "));
        found.push(Compiled {
            label: unit.label.clone(),
            reason: reasons.unwrap_or_else(|| "no reason given".to_string()),
            took: times.get(metadata).copied().unwrap_or_default(),
        });
    }
    found.sort_by_key(|it| (std::cmp::Reverse(it.took), it.label.clone()));
    found
}

impl Outcome {
    /// Everything that must not be.
    pub(crate) fn all_problems(&self) -> impl Iterator<Item = &String> {
        let comparisons = self.stock.problems.iter().chain(&self.restored.problems);
        comparisons.chain(&self.problems)
    }

    /// The part of the time of all units that was saved.
    fn saved(&self) -> f64 {
        let compiled: Duration = self.compiled.iter().map(|it| it.took).sum();
        let total = self.total.as_secs_f64();
        100.0 * (total - compiled.as_secs_f64()) / total.max(f64::MIN_POSITIVE)
    }

    /// Prints what is special about it.
    pub(crate) fn print(&self) {
        println!("\n{}", self.name);
        for unit in &self.compiled {
            let seconds = unit.took.as_secs_f64();
            println!(
                "  compiled {seconds:6.1} s  {}: {}",
                unit.label, unit.reason
            );
        }
        for (what, comparison) in [("stock", &self.stock), ("restored", &self.restored)] {
            for line in explanations(&comparison.explained) {
                println!("  {what}: {line}");
            }
        }
        for problem in self.all_problems().take(SHOWN) {
            println!("  PROBLEM {}", problem.trim_end().replace('\n', "\n    "));
        }
        let more = self.all_problems().count().saturating_sub(SHOWN);
        if more > 0 {
            println!("  PROBLEM and {more} more");
        }
    }
}

/// Describes files that may differ: what a build script has left counts as one.
fn explanations(explained: &[Explained]) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Explained>> = BTreeMap::new();
    for it in explained {
        let script = it.path.split_once("/out/").map(|(folder, _)| folder);
        let place = script.unwrap_or(&it.path);
        groups.entry((place, it.reason)).or_default().push(it);
    }
    let line = |((place, reason), files): (&(&str, &str), &Vec<&Explained>)| {
        let first = files[0];
        let what = match files.len() {
            1 => format!("{} differs: {}", first.path, first.what),
            count => format!("{count} files of {place} differ"),
        };
        format!("{what} ({reason})")
    };
    groups.iter().map(line).collect()
}

/// Prints a line for each project.
pub(crate) fn print_table(outcomes: &[Outcome]) {
    println!(
        "\n{:<18}|{:>7}{:>9}{:>9}{:>9}{:>5} |{:>6}{:>8} |{:>6}{:>9}{:>9}{:>9} |{:>5}{:>5}{:>11} |{:>9}",
        "",
        "equal",
        "renamed",
        "digests",
        "differs",
        "bad",
        "equal",
        "differs",
        "units",
        "restored",
        "compiled",
        "saved %",
        "warn",
        "runs",
        "tests",
        "problems"
    );
    for it in outcomes {
        println!(
            "{:<18}|{:>7}{:>9}{:>9}{:>9}{:>5} |{:>6}{:>8} |{:>6}{:>9}{:>9}{:>9.1} |{:>5}{:>5}{:>11} |{:>9}",
            it.name,
            it.stock.equal,
            it.stock.renamed,
            it.stock.digests,
            it.stock.explained.len(),
            it.stock.problems.len(),
            it.restored.equal,
            it.restored.explained.len(),
            it.units,
            it.units.saturating_sub(it.compiled.len()),
            it.compiled.len(),
            it.saved(),
            it.warnings,
            it.runs,
            format!("{}/{}", it.tests[0], it.tests[1]),
            it.all_problems().count()
        );
    }
    println!(
        "\nFiles: stock against the fork with an empty cache | that against the second checkout | units there"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_script_left_is_told_in_one_line() {
        let explained = |path: &str| Explained {
            path: path.to_string(),
            what: "1 bytes".to_string(),
            reason: "so",
        };
        let files = ["debug/a", "debug/build/b-1/out/c", "debug/build/b-1/out/d"].map(explained);
        let lines = explanations(&files);
        let expected = [
            "debug/a differs: 1 bytes (so)",
            "2 files of debug/build/b-1 differ (so)",
        ];
        assert_eq!(lines, expected);
    }
}
