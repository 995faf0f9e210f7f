//! The rules, and how each is examined.

use hook_protocol::wire::Capability;
use serde::Serialize;

use crate::process::Broken;
use crate::subject::{Session, Subject};

mod life;
mod messages;
mod results;

/// How much a rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Cargo treats a hook that breaks it as failed, or the result as unusable.
    Must,
    /// Whoever breaks it makes builds slower, or people unhappy.
    Should,
}

/// A rule of the protocol.
pub struct Rule {
    /// Its name in reports.
    pub name: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// The section of the specification, by its heading.
    pub section: &'static str,
    /// What a hook does that keeps it.
    pub text: &'static str,
    examine: fn(&Subject) -> Outcome,
}

/// What became of the examination of a rule.
pub type Outcome = Result<Finding, Broken>;

/// How a rule is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The hook keeps it.
    Kept,
    /// The rule does not concern the hook; why.
    NotConcerned(&'static str),
}

impl Rule {
    /// Examines whether a hook keeps the rule.
    ///
    /// # Errors
    ///
    /// What the hook did instead.
    pub fn examine(&self, subject: &Subject) -> Outcome {
        (self.examine)(subject)
    }
}

const fn rule(
    name: &'static str,
    level: Level,
    section: &'static str,
    text: &'static str,
    examine: fn(&Subject) -> Outcome,
) -> Rule {
    Rule {
        name,
        level,
        section,
        text,
        examine,
    }
}

use Level::{Must, Should};

/// All rules, in the order in which they are examined.
#[rustfmt::skip]
pub const ALL: &[Rule] = &[
    rule("hello", Must, "Hello", "says hello before it is asked anything, with version 1, a name and a side", messages::hello),
    rule("same-hello", Must, "Hello", "says the same hello each time it is started", messages::same_hello),
    rule("lookup", Must, "before-build", "answers a question with a hit or a miss; for what nobody built, with a miss", messages::lookup),
    rule("other-fields", Must, "Processes and pipes", "ignores fields that it does not know", messages::other_fields),
    rule("other-kinds", Must, "Errors", "answers a request of an unknown kind with `not-supported`, and goes on", messages::other_kinds),
    rule("large-message", Must, "Limits", "reads requests of some megabytes", messages::large_message),
    rule("many-requests", Must, "Requests and responses", "answers each of many requests exactly once, even if nobody reads for a while", messages::many_requests),
    rule("round-trip", Must, "before-build", "supplies what it has stored: the entry verbatim, and each file", results::round_trip),
    rule("own-copy", Must, "after-build", "needs the files that it is told of no longer than until it answers", results::own_copy),
    rule("names-with-folders", Must, "The entry", "keeps files whose names have folders in them", results::names_with_folders),
    rule("hands-off", Must, "after-build", "changes neither content, time nor permissions of what it is told of", results::hands_off),
    rule("no-mix-up", Must, "before-build", "supplies no result for another action or other sources", results::no_mix_up),
    rule("replaces", Should, "after-build", "has a new result take the place of an old one with the same key", results::replaces),
    rule("vanished-file", Must, "after-build", "survives that a file which it is told of does not exist", results::vanished_file),
    rule("wrong-bytes", Should, "after-build", "notices that a file does not have the bytes that its entry names", results::wrong_bytes),
    rule("relocation", Must, "after-build", "relocates only files that it is told of, to paths with the same bytes", results::relocation),
    rule("durable", Must, "Placement and lifetime", "supplies files that exist for as long as it says", results::durable),
    rule("end", Must, "end", "answers the end of a session, says no more, and exits", life::end),
    rule("hang-up", Must, "Order of events", "exits when its standard input ends, at whatever time", life::hang_up),
    rule("half-request", Must, "Order of events", "exits when its standard input ends within a line", life::half_request),
    rule("killed", Must, "before-build", "supplies nothing half after it was killed while it stored", life::killed),
];

/// Begins a session with a hook that looks for results and keeps them; a finding, if it does not do both.
fn storing(subject: &Subject) -> Result<Result<Session<'_>, Finding>, Broken> {
    let session = subject.session()?;
    let has_both = session.has(Capability::BeforeBuild) && session.has(Capability::AfterBuild);
    Ok(match has_both {
        true => Ok(session),
        false => Err(Finding::NotConcerned("it does not both look up and store")),
    })
}

/// What there is to say of a hook that keeps nothing.
const KEEPS_NOTHING: Finding = Finding::NotConcerned("it did not keep the result");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_headings_of_the_specification() {
        for rule in ALL {
            let heading = format!(" {}\n", rule.section);
            let lines = hook_protocol::SPECIFICATION.match_indices(&heading);
            let is_heading = |(at, _): (usize, &str)| {
                let line = hook_protocol::SPECIFICATION[..at].rsplit('\n').next();
                line.is_some_and(|it| !it.is_empty() && it.chars().all(|it| it == '#'))
            };
            assert!(lines.clone().any(is_heading), "{}", rule.section);
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
