//! The table of a test: files, then changes, and beside each what either mode does about it.
//!
//! ```text
//! scenario(program)
//!     .change("touch every file", |c| c.touch_all())
//!     .mtime(runs(&["foo bin"]))
//!     .content(fresh())
//!     .play();
//! ```
//!
//! Each mode has a checkout of its own. Its files are from the past; it is built, and once more, when
//! nothing may be left to do. Then it is changed and built, change by change. After each of these builds
//! the next has nothing to do, if it is not called `restless` or fails.

use cargo_test_support::ProjectBuilder;

use super::checkout::{Checkout, both};
use super::outcome::Outcome;

type Change = Box<dyn Fn(&Checkout)>;

/// Files, and what happens to them.
#[must_use = "a scenario does nothing before `play`"]
pub(super) struct Scenario {
    files: Box<dyn Fn(ProjectBuilder) -> ProjectBuilder>,
    before: Vec<Change>,
    first: Option<(Outcome, Outcome)>,
    steps: Vec<Step>,
}

/// A change, and what a build makes of it.
struct Step {
    name: &'static str,
    change: Change,
    mtime: Option<Outcome>,
    content: Option<Outcome>,
}

/// Begins with these files.
pub(super) fn scenario(files: impl Fn(ProjectBuilder) -> ProjectBuilder + 'static) -> Scenario {
    Scenario {
        files: Box::new(files),
        before: Vec::new(),
        first: None,
        steps: Vec::new(),
    }
}

impl Scenario {
    /// Prepares the checkout for its first build.
    pub(super) fn before(mut self, prepare: impl Fn(&Checkout) + 'static) -> Scenario {
        self.before.push(Box::new(prepare));
        self
    }

    /// Runs another command than `build`.
    pub(super) fn command(self, line: &'static str) -> Scenario {
        self.before(move |c| c.use_command(line))
    }

    /// Expects something of the first build, in both modes. Otherwise it is only expected to succeed.
    pub(super) fn first(self, outcome: Outcome) -> Scenario {
        self.first_either(outcome.clone(), outcome)
    }

    /// Expects something of the first build where times decide, and something where content decides.
    pub(super) fn first_either(mut self, mtime: Outcome, content: Outcome) -> Scenario {
        self.first = Some((mtime, content));
        self
    }

    /// Adds a change.
    pub(super) fn change(
        mut self,
        name: &'static str,
        change: impl Fn(&Checkout) + 'static,
    ) -> Scenario {
        self.steps.push(Step {
            name,
            change: Box::new(change),
            mtime: None,
            content: None,
        });
        self
    }

    /// Expects this after the last change where times decide.
    pub(super) fn mtime(mut self, outcome: Outcome) -> Scenario {
        self.last().mtime = Some(outcome);
        self
    }

    /// Expects this after the last change where content decides.
    pub(super) fn content(mut self, outcome: Outcome) -> Scenario {
        self.last().content = Some(outcome);
        self
    }

    /// Expects this after the last change in both modes.
    pub(super) fn both(self, outcome: Outcome) -> Scenario {
        self.mtime(outcome.clone()).content(outcome)
    }

    /// Builds, changes, and compares, in both modes.
    #[track_caller]
    pub(super) fn play(self) {
        both(|mode| {
            let checkout = Checkout::new(mode, &self.files);
            self.before.iter().for_each(|prepare| prepare(&checkout));
            match &self.first {
                Some((mtime, content)) => {
                    let outcome = mode.either(mtime, content).clone();
                    checkout.builds("the first build", outcome);
                }
                None => {
                    checkout.succeeds("the first build");
                    checkout.builds_nothing("the second build");
                }
            }
            for step in &self.steps {
                (step.change)(&checkout);
                let outcome = mode.either(&step.mtime, &step.content);
                let outcome = outcome.as_ref().expect("every change has two outcomes");
                checkout.builds(step.name, outcome.clone());
            }
        });
    }

    fn last(&mut self) -> &mut Step {
        self.steps.last_mut().expect("an outcome follows a change")
    }
}
