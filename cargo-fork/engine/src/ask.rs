//! Before a unit is built: computing its key, asking the hook, and putting a result in place.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hook_protocol::wire::{Answer, BeforeBuild, Candidate, Capability, Hashes, Hit};

use crate::before::{Before, Clock};
use crate::depinfo;
use crate::entry;
use crate::inputs;
use crate::key::{Summary, summarise};
use crate::messages;
use crate::package::Source;
use crate::place::Placing;
use crate::reason::Reason;
use crate::session::{Failure, Session};
use crate::side::{Side, Silence};
use crate::unit::{Command, Unit};

/// What is to be done with a unit.
pub enum Verdict {
    /// Its outputs are in place.
    Restored {
        /// The hook that supplied them.
        hook: String,
    },
    /// It must be compiled.
    Compile {
        /// Why.
        reason: Reason,
        /// What to store afterwards, if the result may be stored.
        question: Option<Box<Question>>,
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

/// What one candidate comes to.
enum Tried {
    Placed,
    /// An input differs: nobody's mistake.
    Differs(String),
    /// The hook's mistake.
    Bad(String),
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
    pub fn ask(&self, unit: Unit, command: Command, clock: Clock) -> Result<Verdict, Failure> {
        let (summary, before) = {
            let _place = self.enter();
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(Verdict::Cancelled);
            }
            match summarise(&self.common, &unit, &command) {
                Ok(summary) => (summary, Arc::new(self.look(&unit, &command, clock))),
                Err(reason) => {
                    return Ok(Verdict::Compile {
                        reason,
                        question: None,
                    });
                }
            }
        };
        for output in &unit.outputs {
            self.common.digests.forget(&output.path);
        }
        if self.cancelled.load(Ordering::Relaxed) {
            return Ok(Verdict::Cancelled);
        }
        let question = Question {
            unit,
            command,
            summary,
            before,
        };
        let reason = match &self.before {
            _ if self.config.refresh => Reason::Refresh,
            None => Reason::NoHook,
            Some(side) => match self.look_up(side, &question)? {
                Answered::Restored => return Ok(Verdict::Restored { hook: side.name() }),
                Answered::Not(reason) => reason,
                Answered::Cancelled => return Ok(Verdict::Cancelled),
            },
        };
        Ok(Verdict::Compile {
            reason,
            question: Some(Box::new(question)),
        })
    }

    /// Looks at what the unit may read before anything runs.
    fn look(&self, unit: &Unit, command: &Command, clock: Clock) -> Before {
        let package = match &unit.source {
            Source::Mutable { root } => Some(root.as_path()),
            Source::Unpacked { .. } => None,
        };
        let folders = package.into_iter().chain(command.env.out_dirs());
        Before::look(clock, folders, &unit.excluded, [], &self.common.digests)
    }

    /// Asks for each kind of result that would serve: not incremental ones first, others have them.
    fn look_up(&self, side: &Arc<Side>, question: &Question) -> Result<Answered, Failure> {
        let Summary {
            hashes,
            not_incremental,
            ..
        } = &question.summary;
        let mut reason = Reason::Missing(None);
        for hashes in not_incremental.iter().chain([hashes]) {
            let request = BeforeBuild {
                v: 0,
                id: 0,
                unit: question.unit.id.clone(),
                hashes: hashes.clone(),
                outputs: required_names(&question.unit),
            };
            let asked = side.ask(&self.begin, Capability::BeforeBuild, |c| {
                c.before_build(request)
            });
            let answered = match asked {
                Ok(Answer::Hit(hit)) => self.try_hit(side, question, hashes, &hit)?,
                Ok(Answer::Miss(miss)) => {
                    side.count_success();
                    Answered::Not(Reason::Missing(miss.reason))
                }
                Ok(_) => Answered::Not(Reason::HookFailed),
                Err(Silence::Failed(cause)) => {
                    self.fail(side, &at(&question.unit), &cause)?;
                    Answered::Not(Reason::HookFailed)
                }
                Err(Silence::GivenUp) => Answered::Not(Reason::HookFailed),
                Err(Silence::NotCapable) => Answered::Not(Reason::NoHook),
                Err(Silence::Cancelled) => Answered::Cancelled,
            };
            match answered {
                // What is known of a result that does not fit tells more than that there is none.
                Answered::Not(Reason::Missing(why)) => {
                    if matches!(reason, Reason::Missing(_)) {
                        reason = Reason::Missing(why);
                    }
                }
                Answered::Not(reason @ (Reason::HookFailed | Reason::NoHook)) => {
                    return Ok(Answered::Not(reason));
                }
                Answered::Not(other) => reason = other,
                answered => return Ok(answered),
            }
        }
        Ok(Answered::Not(reason))
    }

    fn try_hit(
        &self,
        side: &Side,
        question: &Question,
        hashes: &Hashes,
        hit: &Hit,
    ) -> Result<Answered, Failure> {
        let unit = &question.unit;
        let mut differs = None;
        let mut bad = None;
        for candidate in &hit.candidates {
            let _place = self.enter();
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(Answered::Cancelled);
            }
            match self.try_candidate(question, hashes, candidate) {
                Tried::Placed => {
                    side.count_success();
                    return Ok(Answered::Restored);
                }
                Tried::Differs(what) => {
                    differs.get_or_insert(what);
                }
                Tried::Bad(what) => {
                    bad.get_or_insert(what);
                }
            }
        }
        if hit.candidates.is_empty() {
            bad = Some("a hit without a candidate".to_owned());
        }
        if let Some(cause) = bad {
            side.count_error();
            self.fail(side, &at(unit), &cause)?;
            return Ok(Answered::Not(Reason::HookFailed));
        }
        Ok(Answered::Not(Reason::InputDiffers(
            differs.unwrap_or_default(),
        )))
    }

    /// The order matters: the entry, its inputs, its messages, every file; then dep-info and message
    /// cache. Until the files are renamed nothing in the build directory has changed.
    fn try_candidate(&self, question: &Question, hashes: &Hashes, candidate: &Candidate) -> Tried {
        let unit = &question.unit;
        let env = &question.command.env;
        let entry = match entry::believe(candidate, unit, hashes) {
            Ok(entry) => entry,
            Err(what) => return Tried::Bad(what),
        };
        // A hook may offer what it has for the action. Without the same key nothing is known of what
        // macros read in the package.
        if entry.key != hashes.key {
            return Tried::Differs("files of the package differ".to_owned());
        }
        if let Err(what) = inputs::check(unit, env, &entry.inputs, &self.common.digests) {
            return Tried::Differs(what);
        }
        let Some(dep_info) = inputs::dep_info(unit, env, &entry.inputs) else {
            return Tried::Bad("an input is not a path here".to_owned());
        };
        let messages = match messages::localise(&entry.messages, &unit.roots) {
            Ok(messages) => messages,
            Err(what) => return Tried::Bad(what),
        };
        let mut placing = Placing::new();
        for (name, file) in &entry.files {
            let place = unit.output_dir.join(name);
            if let Err(what) = placing.stage(&candidate.files[name], &place, file) {
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
                    self.common.digests.set(&path, hashed);
                }
                Tried::Placed
            }
            Err(error) => Tried::Differs(format!("failed to place outputs: {error}")),
        }
    }
}

enum Answered {
    Restored,
    Not(Reason),
    Cancelled,
}

/// Optional outputs of an earlier build that the entry does not have would be left over.
fn remove_stale(unit: &Unit, entry: &hook_protocol::wire::Entry) -> std::io::Result<()> {
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

fn required_names(unit: &Unit) -> Vec<String> {
    let required = unit.outputs.iter().filter(|output| output.is_required());
    required
        .filter_map(|output| output.name().map(str::to_owned))
        .collect()
}

/// Names a unit in messages, as Cargo names targets.
pub(crate) fn shown(unit: &Unit) -> String {
    let id = &unit.id;
    let target = match id.target_kind.as_str() {
        "lib" | "proc-macro" => "lib".to_owned(),
        "custom-build" => "build script".to_owned(),
        kind => format!("{kind} \"{}\"", id.target),
    };
    let test = if id.mode == "test" && target == "lib" {
        " test"
    } else {
        ""
    };
    format!("{} v{} ({target}{test})", id.package, id.version)
}

/// Says in messages where a hook failed.
pub(crate) fn at(unit: &Unit) -> String {
    format!("for `{}`", shown(unit))
}
