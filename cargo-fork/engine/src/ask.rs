//! Before a unit is compiled: computing its key, asking the hook, and putting a result in place.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hook_protocol::wire::{Candidate, Entry, Hashes, Placement};

use crate::Reason;
use crate::before::{Before, Clock};
use crate::depinfo;
use crate::entry;
use crate::files;
use crate::inputs;
use crate::key::{Summary, summarise};
use crate::lookup::{Answered, Tried, Wanted};
use crate::messages;
use crate::place::Sharing;
use crate::session::{Failure, Session};
use crate::unit::{Command, Subject, Unit};

/// What is to be done with a unit; `Q` is what was asked, to be told with the result.
pub enum Verdict<Q> {
    /// Its outputs are in place.
    Restored {
        /// The hook that supplied them.
        hook: String,
    },
    /// It must be built.
    Build {
        /// Why.
        reason: Reason,
        /// What to store afterwards, if the result may be stored.
        question: Option<Box<Q>>,
    },
    /// The build does not want the unit any more.
    Cancelled,
}

/// A question that was asked of a hook, to be completed by [`Session::store`] with the result.
pub struct Question {
    pub(crate) unit: Unit,
    pub(crate) command: Command,
    pub(crate) summary: Summary,
    pub(crate) before: Arc<Before>,
}

impl Question {
    /// Returns what was there when the question was asked.
    pub fn before(&self) -> Arc<Before> {
        self.before.clone()
    }
}

impl Session {
    /// Decides what is to be done with a unit. On [`Verdict::Restored`] all outputs, rustc's list of
    /// inputs and the message cache are in place; nothing was announced to anybody.
    ///
    /// `clock` is a time that the build directory's file system gave before this call.
    ///
    /// # Errors
    ///
    /// If the hook failed and is required.
    pub fn ask(
        &self,
        unit: Unit,
        command: Command,
        clock: Clock,
    ) -> Result<Verdict<Question>, Failure> {
        for output in &unit.outputs {
            self.common.digests.forget(&output.path);
        }
        if self.config.is_same_commit && unit.was_built && command.is_incremental() {
            unlink(&unit);
            return Ok(Verdict::Build {
                reason: Reason::Edited,
                question: None,
            });
        }
        let (summary, before) = {
            let _place = self.enter();
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(Verdict::Cancelled);
            }
            match summarise(&self.common, &unit, &command) {
                Ok(summary) => (summary, Arc::new(self.look(&unit, &command, clock))),
                Err(reason) => {
                    return Ok(Verdict::Build {
                        reason,
                        question: None,
                    });
                }
            }
        };
        let question = Question {
            unit,
            command,
            summary,
            before,
        };
        Ok(match self.look_up(&question)? {
            Answered::Restored { hook } => Verdict::Restored { hook },
            Answered::Not(reason) => {
                unlink(&question.unit);
                let reason = match (reason, &question.summary.bound_by) {
                    (Reason::Missing(_), Some(by)) => Reason::Bound(by.clone()),
                    (reason, _) => reason,
                };
                Verdict::Build {
                    reason: self.bound.explain(&question.unit, reason),
                    question: Some(Box::new(question)),
                }
            }
            Answered::Cancelled => Verdict::Cancelled,
        })
    }

    /// Looks at what the unit may read before anything runs.
    fn look(&self, unit: &Unit, command: &Command, clock: Clock) -> Before {
        let folders = unit.subject.mutable_package().into_iter();
        let folders = folders.chain(command.env.out_dirs());
        let digests = &self.common.digests;
        Before::look(clock, folders, &unit.subject.excluded, [], digests)
    }
}

impl Question {
    /// Returns whether the result will be one of many that follow each other while somebody edits:
    /// incremental, and not the first in this build directory. Nobody else is likely to come by the same
    /// sources, and keeping it would cost more than a part of the time that it takes to compile.
    pub(crate) fn is_edited(&self) -> bool {
        self.summary.not_incremental.is_some() && self.unit.was_built
    }
}

impl Wanted for Question {
    fn subject(&self) -> &Subject {
        &self.unit.subject
    }

    /// Not incremental results first: others have them.
    fn hashes(&self) -> Vec<&Hashes> {
        let Summary {
            hashes,
            not_incremental,
            ..
        } = &self.summary;
        not_incremental.iter().chain([hashes]).collect()
    }

    fn built(&self) -> Option<&Hashes> {
        (!self.is_edited()).then_some(&self.summary.hashes)
    }

    fn outputs(&self) -> Vec<String> {
        let outputs = self.unit.outputs.iter();
        let required = outputs.filter(|output| output.is_required());
        required
            .filter_map(|output| output.name().map(str::to_owned))
            .collect()
    }

    /// The order matters: the entry, its inputs, its messages, every file; then dep-info and message
    /// cache. Until the files are renamed nothing in the build directory has changed.
    fn place(&self, session: &Session, hashes: &Hashes, candidate: &Candidate) -> Tried {
        let Question { unit, command, .. } = self;
        let Subject { roots, .. } = &unit.subject;
        let env = &command.env;
        let digests = &session.common.digests;
        let entry = match entry::believe(candidate, unit, hashes) {
            Ok(entry) => entry,
            Err(what) => return Tried::Bad(what),
        };
        if let Err(reason) =
            inputs::check(&unit.subject, env, &entry.inputs, &hashes.files, digests)
        {
            return Tried::Differs(reason);
        }
        let Some(dep_info) = inputs::dep_info(unit, env, &entry.inputs) else {
            return Tried::Bad("an input is not a path here".to_owned());
        };
        let messages = match messages::localise(&entry.messages, roots) {
            Ok(messages) => messages,
            Err(what) => return Tried::Bad(what),
        };
        let mut placing = session.place(&unit.subject);
        for (name, file) in &entry.files {
            let place = unit.output_dir.join(name);
            let is_linked = candidate.placement == Placement::Link
                && unit.subject.may_be_old
                && session.linkable(unit, name);
            let sharing = match is_linked {
                true => Sharing::Linked,
                false => Sharing::Own,
            };
            if let Err(what) = placing.stage(&candidate.files[name], &place, file, sharing) {
                return Tried::Bad(what);
            }
        }
        let placed = remove_stale(unit, &entry)
            .and_then(|()| placing.finish())
            .and_then(|placed| {
                let output = unit.dep_info.to_string_lossy();
                std::fs::write(&unit.dep_info, depinfo::write(&output, &dep_info))?;
                write_messages(&unit.message_cache, &messages)?;
                Ok(placed)
            });
        match placed {
            Ok(placed) => {
                for (path, hashed) in placed {
                    digests.set_output(&path, hashed);
                }
                Tried::Placed
            }
            Err(error) => Tried::not_placed(&error),
        }
    }
}

/// Removes outputs that may be links to a store: whatever writes to them must not reach it.
fn unlink(unit: &Unit) {
    let outputs = unit.outputs.iter().filter(|output| unit.may_share(output));
    for output in outputs.filter(|output| files::has_other_names(&output.path)) {
        let _ = std::fs::remove_file(&output.path);
    }
}

/// Optional outputs of an earlier build that the entry does not have would be left over.
fn remove_stale(unit: &Unit, entry: &Entry) -> std::io::Result<()> {
    for output in &unit.outputs {
        let is_supplied = output
            .name()
            .is_some_and(|name| entry.files.contains_key(name));
        if !is_supplied && output.path.exists() {
            std::fs::remove_file(&output.path)?;
        }
    }
    Ok(())
}

fn write_messages(cache: &Path, messages: &str) -> std::io::Result<()> {
    if !messages.is_empty() {
        return std::fs::write(cache, messages);
    }
    match std::fs::remove_file(cache) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
