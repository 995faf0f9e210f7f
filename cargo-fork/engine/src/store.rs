//! After a unit was compiled: writing its entry, and telling the hook, off the critical path.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hook_protocol::wire::{
    AfterBuild, Answer, Capability, Entry, EntryFile, Hashes, OpaqueEntry, Role, Step, Unshared,
};

use crate::Reason;
use crate::ask::Question;
use crate::depinfo::{self, DepInfo};
use crate::entry::{self, Outputs};
use crate::files::{self, Stat};
use crate::inputs;
use crate::mentions::Mentions;
use crate::messages;
use crate::needed;
use crate::scan;
use crate::session::Session;
use crate::side::Silence;
use crate::unit::{Subject, Unit};
use crate::verified::Identity;

impl Session {
    /// Offers the outputs of a unit that was just built to the hook. Returns at once; the outputs must
    /// not change until [`Session::settle`] has returned.
    pub fn store(self: &Arc<Self>, question: Box<Question>, took: Duration) {
        if self.after.is_none() {
            return;
        }
        if question.is_edited() {
            return self.not_stored(&question.unit.subject, Reason::Edited);
        }
        self.store_later(move |session| {
            let subject = &question.unit.subject;
            match session.prepare(&question) {
                Ok((entry, places)) => {
                    let hashes = &question.summary.hashes;
                    // What is incremental may share a file with the compiler's own folder for that.
                    let linkable = entry.files.keys().filter(|_| !entry.local_only);
                    let linkable = linkable
                        .filter(|name| session.linkable(&question.unit, name))
                        .cloned()
                        .collect();
                    let request = AfterBuild {
                        linkable,
                        ..after_build(subject, hashes, &entry, places, took)
                    };
                    session.tell(subject, &entry, request);
                }
                Err(why) => session.not_stored(subject, why),
            }
        });
    }

    fn prepare(&self, question: &Question) -> Result<(Entry, entry::Places), Reason> {
        let Question {
            unit,
            command,
            summary,
            before,
        } = question;
        let subject = &unit.subject;
        let digests = &self.common.digests;
        let unreadable =
            |path: &Path, error| Reason::Unreadable(format!("`{}`: {error}", path.display()));
        let dep_info = std::fs::read_to_string(&unit.dep_info)
            .map_err(|error: std::io::Error| unreadable(&unit.dep_info, error))?;
        let dep_info = depinfo::parse(&dep_info)
            .ok_or_else(|| Reason::Unreadable(format!("`{}`", unit.dep_info.display())))?;
        inputs::check_unchanged(&summary.hashed, digests, before)?;
        let mentions = &self.common.mentions;
        let mut inputs = inputs::record(unit, &command.env, &dep_info, digests, mentions, before)?;
        if summary.reads_package || assembles(unit, &dep_info, mentions) {
            inputs.package = inputs::whole_package(subject, &summary.hashes, digests, before)?;
        }
        let Outputs { files, places } = entry::describe(unit, digests)?;
        if summary.macros_read_env {
            inputs.named = inputs::named(subject, &command.env, &dep_info);
        }
        if let Some(search) = &summary.search {
            let linked = unit.outputs.iter().filter(|it| it.role == Role::Link);
            for output in linked {
                let tools = &self.common.tools;
                let path = &output.path;
                let needed = needed::libraries(subject, path, search, tools, digests, before)?;
                inputs.libraries.extend(needed);
            }
        }
        inputs.bound = scan::bound(places.values().map(AsRef::as_ref), &subject.roots)
            .map_err(|error| Reason::Unreadable(error.to_string()))?;
        // Where a root cannot be searched for, whatever might hold its path is bound to it.
        let by_name = inputs
            .env
            .iter()
            .any(|input| env_names_a_place(question, &input.name));
        let may_hold_paths = summary.impure_macros || unit.links || !summary.remapped || by_name;
        if may_hold_paths {
            inputs.bound.extend(scan::unsearchable(&subject.roots));
        }
        let cache = match std::fs::read_to_string(&unit.message_cache) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| unreadable(&unit.message_cache, error))?,
        };
        let hashes = &summary.hashes;
        let entry = Entry {
            messages: messages::record(&cache, &subject.roots)?,
            files,
            local_only: summary.not_incremental.is_some(),
            ..entry::empty(subject, hashes, inputs)
        };
        Ok((entry, places))
    }

    /// Tells the hook of a result.
    pub(crate) fn tell(&self, subject: &Subject, entry: &Entry, request: AfterBuild) {
        let Some(side) = &self.after else { return };
        let places = request.files.clone();
        let linkable = request.linkable.clone();
        let asked = side.ask(&self.begin, Capability::AfterBuild, |c| {
            c.after_build(request)
        });
        match asked {
            Ok(Answer::Declined(declined)) => {
                side.count_success();
                self.not_stored(subject, Reason::Declined(declined.reason));
            }
            Ok(Answer::Stored(stored)) => {
                side.count_success();
                let links = linkable.iter().map(|name| (name, &places[name]));
                for (name, place) in links {
                    self.stored(place, &entry.files[name], stored.relocated.get(name));
                }
            }
            Ok(_) => side.count_success(),
            Err(Silence::Failed(cause)) => {
                // A required hook's failure is kept for the end of the build.
                let _ = self.fail(side, &subject.at(), &cause);
                self.not_stored(subject, Reason::HookFailed);
            }
            Err(Silence::GivenUp) => self.not_stored(subject, Reason::HookFailed),
            Err(Silence::NotCapable | Silence::Cancelled) => {}
        }
    }

    /// Refers to what the hook keeps of an output: it may have kept the very file, or says where else the bytes lie.
    /// An output that cannot be replaced stays as it is.
    fn stored(&self, place: &Path, expected: &EntryFile, relocated: Option<&PathBuf>) {
        let digests = &self.common.digests;
        let known = digests
            .known(place)
            .filter(|it| it.digest == expected.digest);
        let Some(known) = known else { return };
        if let Some(source) = relocated {
            let verified = &self.common.verified;
            match self.placer.relocate(verified, source, place, expected) {
                Ok(hashed) => digests.set(place, hashed),
                Err(what) => tracing::debug!(target: "cargo::hooks", "failed to relocate: {what}"),
            }
        } else if files::has_other_names(place)
            && let Ok(metadata) = place.symlink_metadata()
            && Stat::from(&metadata).has_content_of(&known.stat)
            && let Some(file) = Identity::of(&metadata)
        {
            let read = SystemTime::now() - known.at.elapsed();
            self.common.verified.remember(file, known.digest, read);
        }
    }

    /// Notes why the result of a unit is not kept.
    pub fn not_stored(&self, subject: &Subject, why: Reason) {
        self.report(Unshared {
            unit: subject.id.clone(),
            step: Step::Stored,
            why,
        });
    }
}

/// Writes the request that tells of a result.
pub(crate) fn after_build(
    subject: &Subject,
    hashes: &Hashes,
    entry: &Entry,
    files: entry::Places,
    took: Duration,
) -> AfterBuild {
    AfterBuild {
        v: 0,
        id: 0,
        unit: subject.id.clone(),
        hashes: hashes.clone(),
        entry: OpaqueEntry::from(entry),
        files,
        linkable: Vec::new(),
        duration_ms: took.as_millis().try_into().unwrap_or(u64::MAX),
    }
}

/// Returns whether an assembler may read files for the unit, which the compiler does not report: by its own
/// sources, or by a macro of a library.
fn assembles(unit: &Unit, info: &DepInfo, mentions: &Mentions) -> bool {
    let mut files = info.files.iter().map(|file| unit.subject.cwd.join(file));
    let libraries = unit.dependencies.iter().map(|it| it.path.clone());
    files.any(|file| inputs::has_assembly(&file)) || mentions.any(libraries, "global_asm")
}

/// Returns whether a variable of the compiler's environment holds a path of this machine.
fn env_names_a_place(question: &Question, name: &str) -> bool {
    let value = question.command.env.get(name);
    value.is_some_and(|value| question.unit.subject.roots.occurs_in(value))
}
