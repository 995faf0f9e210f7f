//! After a unit was built: writing its entry, and telling the hook, off the critical path.

use std::sync::Arc;
use std::time::Duration;

use hook_protocol::wire::{AfterBuild, Answer, Capability, OpaqueEntry};

use crate::ask::{Question, at, shown};
use crate::depinfo;
use crate::entry;
use crate::inputs;
use crate::messages;
use crate::reason::Reason;
use crate::scan;
use crate::session::Session;
use crate::side::Silence;

/// Roots of which a path in an output binds it, and which a short path makes unsearchable.
const CHECKOUT_ROOTS: &[&str] = &["workspace", "package", "build-dir", "target-dir"];

impl Session {
    /// Offers the outputs of a unit that was just built to the hook. Returns at once; the outputs must
    /// not change until [`Session::settle`] has returned.
    pub fn store(self: &Arc<Self>, question: Box<Question>, took: Duration) {
        if self.after.is_none() {
            return;
        }
        self.store_later(move |session| match session.prepare(&question, took) {
            Ok(request) => session.tell(&question, request),
            Err(reason) => session.note(format!("{}: {reason}", shown(&question.unit))),
        });
    }

    fn prepare(&self, question: &Question, took: Duration) -> Result<AfterBuild, Reason> {
        let Question {
            unit,
            command,
            summary,
            before,
        } = question;
        let digests = &self.common.digests;
        let unreadable = |path: &std::path::Path, error: std::io::Error| {
            Reason::Unreadable(format!("`{}`: {error}", path.display()))
        };
        let dep_info = std::fs::read_to_string(&unit.dep_info)
            .map_err(|error| unreadable(&unit.dep_info, error))?;
        let dep_info = depinfo::parse(&dep_info)
            .ok_or_else(|| Reason::Unreadable(format!("`{}`", unit.dep_info.display())))?;
        inputs::check_unchanged(&summary.hashed, digests, before)?;
        let mentions = &self.common.mentions;
        let mut inputs = inputs::record(unit, &command.env, &dep_info, digests, mentions, before)?;
        let (files, places) = entry::describe(unit, digests)?;
        inputs.bound = scan::bound(places.values().map(AsRef::as_ref), &unit.roots)
            .map_err(|error| Reason::Unreadable(error.to_string()))?;
        // Where a root cannot be searched for, whatever might hold its path is bound to it.
        let by_name = inputs
            .env
            .iter()
            .any(|input| env_names_a_place(question, &input.name));
        let may_hold_paths = summary.impure_macros || unit.links || !summary.remapped || by_name;
        if may_hold_paths && scan::has_unsearchable_root(&unit.roots, CHECKOUT_ROOTS) {
            for (path, name) in unit
                .roots
                .iter()
                .filter(|(_, n)| CHECKOUT_ROOTS.contains(n))
            {
                inputs.bound.insert(name.to_owned(), inputs::bound_to(path));
            }
        }
        let cache = match std::fs::read_to_string(&unit.message_cache) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| unreadable(&unit.message_cache, error))?,
        };
        let messages = messages::record(&cache, &unit.roots)?;
        let hashes = summary.hashes.clone();
        let incremental = summary.not_incremental.is_some();
        let entry = entry::write(unit, &hashes, inputs, messages, files, incremental);
        Ok(AfterBuild {
            v: 0,
            id: 0,
            unit: unit.id.clone(),
            hashes,
            entry: OpaqueEntry::from(&entry),
            files: places,
            duration_ms: took.as_millis().try_into().unwrap_or(u64::MAX),
        })
    }

    fn tell(&self, question: &Question, request: AfterBuild) {
        let Some(side) = &self.after else { return };
        let asked = side.ask(&self.begin, Capability::AfterBuild, |c| {
            c.after_build(request)
        });
        match asked {
            Ok(Answer::Declined(declined)) => {
                side.count_success();
                let why = declined.reason.unwrap_or_default();
                self.note(format!("{}: declined ({why})", shown(&question.unit)));
            }
            Ok(_) => side.count_success(),
            Err(Silence::Failed(cause)) => {
                // A required hook's failure is kept for the end of the build.
                let _ = self.fail(side, &at(&question.unit), &cause);
            }
            Err(_) => {}
        }
    }
}

/// Returns whether a variable of the compiler's environment holds a path of this machine.
fn env_names_a_place(question: &Question, name: &str) -> bool {
    let value = question.command.env.get(name);
    value.is_some_and(|value| question.unit.roots.occurs_in(value))
}
