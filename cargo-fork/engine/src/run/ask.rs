//! Before a build script runs: asking the hook, and putting a result in place.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hook_protocol::wire::{Candidate, Hashes};

use super::{Question, Run, STDERR, STDOUT, key, tree};
use crate::ask::Verdict;
use crate::before::{Before, Clock};
use crate::env::Environment;
use crate::inputs;
use crate::lookup::{Answered, Tried, Wanted};
use crate::session::{Failure, Session};
use crate::unit::Subject;

impl Session {
    /// Decides what is to be done with the run of a build script. On [`Verdict::Restored`] its folder and
    /// what it printed are in place; nothing was announced to anybody.
    ///
    /// `clock` is a time that the build directory's file system gave before this call.
    ///
    /// # Errors
    ///
    /// If the hook failed and is required.
    pub fn ask_run(
        &self,
        run: Run,
        env: Environment,
        clock: Clock,
    ) -> Result<Verdict<Question>, Failure> {
        let script = run.script.clone();
        // What cannot be started, or is gone, shows when it is started.
        let build = |reason, question| {
            let _ = self.placer.make_startable(&script);
            Verdict::Build { reason, question }
        };
        let (summary, before) = {
            let _place = self.enter();
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(Verdict::Cancelled);
            }
            match key::summarise(&self.common, &run, &env) {
                Ok(summary) => (summary, self.look_before(&run, clock)),
                Err(reason) => return Ok(build(reason, None)),
            }
        };
        let question = Question {
            run,
            env,
            summary,
            before: Arc::new(before),
            around: None,
            is_told: self.after.is_some(),
        };
        Ok(match self.look_up(&question)? {
            Answered::Restored { hook } => Verdict::Restored { hook },
            Answered::Not(reason) => build(reason, Some(Box::new(question))),
            Answered::Cancelled => Verdict::Cancelled,
        })
    }

    fn look_before(&self, run: &Run, clock: Clock) -> Before {
        let subject = &run.subject;
        let package = subject.mutable_package();
        let digests = &self.common.digests;
        Before::look(clock, package, &subject.excluded, [], digests)
    }
}

impl Wanted for Question {
    fn subject(&self) -> &Subject {
        &self.run.subject
    }

    fn hashes(&self) -> Vec<&Hashes> {
        vec![&self.summary.hashes]
    }

    fn built(&self) -> Option<&Hashes> {
        Some(&self.summary.hashes)
    }

    fn outputs(&self) -> Vec<String> {
        vec![STDERR.to_owned(), STDOUT.to_owned()]
    }

    fn place(&self, session: &Session, hashes: &Hashes, candidate: &Candidate) -> Tried {
        let Question { run, env, .. } = self;
        let digests = &session.common.digests;
        let entry = match tree::believe(candidate, run, hashes) {
            Ok(entry) => entry,
            Err(what) => return Tried::Bad(what),
        };
        let checked = inputs::check(&run.subject, env, &entry.inputs, &hashes.files, digests);
        if let Err(reason) = checked {
            return Tried::Differs(reason);
        }
        match tree::place(run, &entry, candidate, session.place(&run.subject), digests) {
            Ok(tried) => tried,
            Err(error) => Tried::not_placed(&error),
        }
    }
}
