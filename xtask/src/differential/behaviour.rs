//! What programs and tests do: their output, and which tests pass.

use std::collections::BTreeMap;
use std::env::consts::EXE_SUFFIX;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::differential::contender::Contender;
use crate::process;
use crate::transcript::Transcript;

/// Runs a program on the sample files, and returns all that can be seen of it.
pub(crate) fn run(profile_folder: &Path, line: &[&str], sample: &Path) -> Result<String> {
    let (program, arguments) = line.split_first().unwrap_or((&"", &[]));
    let mut command = Command::new(profile_folder.join(format!("{program}{EXE_SUFFIX}")));
    command
        .args(arguments)
        .current_dir(sample)
        .env_clear()
        .env("HOME", sample)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = process::output(&mut command)?;
    Ok(format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// What became of each test.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests {
    /// How often each line came, such as `a::b ... ok`: programs may have tests with the same name.
    pub(crate) outcomes: BTreeMap<String, usize>,
    /// What the build had to do, which must be nothing.
    pub(crate) work: Vec<String>,
}

impl Tests {
    /// Runs tests that are built already.
    pub(crate) fn run(contender: &Contender, arguments: &[&str]) -> Result<Tests> {
        let mut all = vec!["test", "--frozen", "-v", "--no-fail-fast"];
        all.extend(arguments);
        Ok(Tests::new(&contender.try_run("test", &all)?))
    }

    fn new(transcript: &Transcript) -> Tests {
        let mut tests = Tests::default();
        for line in &transcript.stdout {
            if let Some(outcome) = outcome(&line.text) {
                *tests.outcomes.entry(outcome).or_default() += 1;
            }
        }
        let lines = transcript.stderr.iter().map(|it| it.text.trim_start());
        let is_work = |line: &&str| {
            ["Compiling ", "Dirty ", "Missed ", "Restored "]
                .iter()
                .any(|it| line.starts_with(it))
        };
        tests.work = lines.filter(is_work).map(str::to_string).collect();
        tests
    }

    /// How many passed.
    pub(crate) fn passed(&self) -> usize {
        let passed = self
            .outcomes
            .iter()
            .filter(|(line, _)| line.ends_with(" ok"));
        passed.map(|(_, count)| count).sum()
    }

    /// How many there are.
    pub(crate) fn total(&self) -> usize {
        self.outcomes.values().sum()
    }
}

/// Parses a line such as `test a::b ... ok`.
fn outcome(line: &str) -> Option<String> {
    let test = line.strip_prefix("test ")?;
    let (name, outcome) = test.rsplit_once(" ... ")?;
    let word = outcome.split([' ', ',']).next().unwrap_or_default();
    let is_known = ["ok", "FAILED", "ignored"].contains(&word);
    is_known.then(|| format!("{name} ... {word}"))
}

/// Lists what only one of two runs has.
pub(crate) fn differences(left: &Tests, right: &Tests) -> Vec<String> {
    let mut found = Vec::new();
    for (name, one, other) in [("stock", left, right), ("restored", right, left)] {
        for (line, count) in &one.outcomes {
            if other.outcomes.get(line).is_none_or(|it| it < count) {
                found.push(format!("only `{name}` has the test {line}"));
            }
        }
    }
    let work = right
        .work
        .iter()
        .map(|it| format!("the tests were not ready: {it}"));
    found.extend(work);
    if left.total() == 0 {
        found.push("no test ran".to_string());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_parsed() {
        for (line, expected) in [
            ("test a::b ... ok", Some("a::b ... ok")),
            (
                "test a - should panic ... FAILED",
                Some("a - should panic ... FAILED"),
            ),
            ("test a ... ignored, never run", Some("a ... ignored")),
            ("test result: ok. 3 passed; 0 failed", None),
            ("test a ... bench: 1 ns", None),
        ] {
            assert_eq!(outcome(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_test_that_is_missing_is_a_difference() {
        let tests = |lines: &[&str]| Tests {
            outcomes: lines.iter().map(|it| (it.to_string(), 1)).collect(),
            work: Vec::new(),
        };
        let [left, right] = [
            tests(&["a ... ok", "b ... ok"]),
            tests(&["a ... ok", "b ... FAILED"]),
        ];
        assert_eq!(differences(&left, &left), [""; 0]);
        assert_eq!(differences(&left, &right).len(), 2);
        assert_eq!((right.passed(), right.total()), (1, 2));
    }
}
