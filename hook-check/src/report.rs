//! What is told of an examination, to people and to machines.

use std::fmt::Write as _;

use serde::Serialize;

use crate::rules::{Finding, Level, Outcome, Rule};

/// A rule and what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// The rule.
    pub rule: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// Where it stands in the specification.
    pub section: &'static str,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it does not concern the hook, or what the hook did instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The hook keeps it.
    Kept,
    /// The hook breaks it.
    Broken,
    /// It does not concern the hook.
    NotConcerned,
}

impl Line {
    /// Takes down what became of a rule.
    pub fn new(rule: &Rule, outcome: Outcome) -> Line {
        let (verdict, detail) = match outcome {
            Ok(Finding::Kept) => (Verdict::Kept, None),
            Ok(Finding::NotConcerned(why)) => (Verdict::NotConcerned, Some(why.to_owned())),
            Err(what) => (Verdict::Broken, Some(what)),
        };
        Line {
            rule: rule.name,
            level: rule.level,
            section: rule.section,
            verdict,
            detail,
        }
    }

    /// Returns whether Cargo could not work with the hook.
    pub fn is_failure(&self) -> bool {
        self.verdict == Verdict::Broken && self.level == Level::Must
    }

    /// Returns it as a line for people.
    pub fn shown(&self, text: &str) -> String {
        let mut out = match self.verdict {
            Verdict::Kept => format!("ok      {}: {text}", self.rule),
            Verdict::NotConcerned => format!("-       {}", self.rule),
            Verdict::Broken if self.level == Level::Must => {
                format!("BROKEN  {}: a hook {text}", self.rule)
            }
            Verdict::Broken => format!("weak    {}: a hook should be one that {text}", self.rule),
        };
        if let Some(detail) = &self.detail {
            let _ = match self.verdict {
                Verdict::Broken => write!(
                    out,
                    "\n        {detail}\n        see \"{}\" in the specification",
                    self.section
                ),
                _ => write!(out, ": {detail}"),
            };
        }
        out
    }
}

/// Returns how many rules are kept, are broken, and do not concern the hook, for people.
pub fn summary(lines: &[Line]) -> String {
    let count = |verdict| lines.iter().filter(|it| it.verdict == verdict).count();
    let failures = lines.iter().filter(|it| it.is_failure()).count();
    let weak = count(Verdict::Broken) - failures;
    format!(
        "{} kept, {failures} broken, {weak} weak, {} do not concern it",
        count(Verdict::Kept),
        count(Verdict::NotConcerned)
    )
}
