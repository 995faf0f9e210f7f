//! [`LocalCache`]: the answers to Cargo.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use hook_protocol::hook::{BoxError, Hook, Keep, Lookup};
use hook_protocol::wire::{
    AfterBuild, BeforeBuild, Begin, Candidate, ENTRY_FORMAT, Entry, Lifetime, Placement,
};

use crate::blobs::{self, Mismatch};
use crate::counters::{self, Counters};
use crate::layout::Layout;
use crate::results;

/// How often storing is tried if the cache is cleared meanwhile.
const ATTEMPTS: usize = 5;

/// The hook. When it is dropped, it adds to the counters what happened.
#[derive(Debug)]
pub struct LocalCache {
    layout: Layout,
    counters: Mutex<Counters>,
}

impl LocalCache {
    /// Returns the hook on the cache in `layout`.
    pub fn new(layout: Layout) -> LocalCache {
        LocalCache {
            layout,
            counters: Mutex::default(),
        }
    }

    fn count(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a result: all blobs first, then the entry. `Err` in `Ok` tells why it is declined.
    fn store(&self, request: &AfterBuild, entry: &Entry) -> anyhow::Result<Result<(), String>> {
        for (name, file) in &entry.files {
            let Some(source) = request.files.get(name) else {
                return Ok(Err(format!("no path for `{name}`")));
            };
            match blobs::put(&self.layout, source, &file.digest, file.size)
                .with_context(|| format!("failed to store `{name}`"))?
            {
                Ok(()) => {}
                Err(Mismatch::Content) => {
                    return Ok(Err(format!("`{name}` has other bytes than its entry says")));
                }
            }
        }
        let (action, entry) = (&request.hashes.action, request.entry.clone());
        results::put(&self.layout, action, entry, request.duration_ms)?;
        Ok(Ok(()))
    }

    fn store_even_if_cleared(&self, request: &AfterBuild) -> anyhow::Result<Result<(), String>> {
        let entry = match request.entry.parse() {
            Ok(entry) if entry.format == ENTRY_FORMAT => entry,
            _ => return Ok(Err("the entry is of an unknown format".to_owned())),
        };
        if entry.action != request.hashes.action || entry.key != request.hashes.key {
            return Ok(Err("the entry does not belong to the hashes".to_owned()));
        }
        for _ in 0..ATTEMPTS {
            match self.store(request, &entry) {
                Err(error) if is_not_found(&error) && sources_exist(request) => {}
                outcome => return outcome,
            }
        }
        Ok(Err("the cache is being cleared".to_owned()))
    }
}

impl Hook for LocalCache {
    fn name(&self) -> &str {
        "local-cache"
    }

    fn begin(&self, _: &Begin) -> Result<(), BoxError> {
        self.layout.tidy();
        Ok(())
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let found = match results::get(&self.layout, &request.hashes) {
            Ok(found) => found,
            Err(why) => {
                self.count().misses += 1;
                return Ok(Lookup::Miss(why));
            }
        };
        results::touch(&found);
        self.count().hits += 1;
        let candidate = |found: results::Found| {
            let path = |(name, file): (&String, &hook_protocol::wire::EntryFile)| {
                (name.clone(), self.layout.blob(&file.digest))
            };
            Candidate {
                files: found.entry.files.iter().map(path).collect(),
                entry: found.opaque,
                placement: Placement::Link,
                lifetime: Lifetime::Durable,
            }
        };
        Ok(Lookup::Hit(found.into_iter().map(candidate).collect()))
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        match self.store_even_if_cleared(&request)? {
            Ok(()) => {
                self.count().stored += 1;
                Ok(Keep::Stored(BTreeMap::new()))
            }
            Err(reason) => {
                self.count().declined += 1;
                Ok(Keep::Declined(reason))
            }
        }
    }
}

impl Drop for LocalCache {
    fn drop(&mut self) {
        let session = Counters {
            sessions: 1,
            ..*self.count()
        };
        if session
            != (Counters {
                sessions: 1,
                ..Counters::default()
            })
            && let Err(error) = counters::add(&self.layout, session)
        {
            eprintln!("warning: {error:#}");
        }
    }
}

fn sources_exist(request: &AfterBuild) -> bool {
    request.files.values().all(|path| path.exists())
}

fn is_not_found(error: &anyhow::Error) -> bool {
    let root = error.root_cause().downcast_ref::<io::Error>();
    root.is_some_and(|it| it.kind() == io::ErrorKind::NotFound)
}
