//! [`LocalCache`]: the answers to Cargo.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hook_protocol::hook::{BoxError, Hook, Keep, Lookup};
use hook_protocol::wire::{
    AfterBuild, BeforeBuild, Begin, Candidate, ENTRY_FORMAT, Entry, Lifetime, Placement, Summary,
};

use crate::blobs::{self, Mismatch};
use crate::counters::{self, Counters};
use crate::flights::{DEFAULT_LIMIT, Flight, Flights};
use crate::gc;
use crate::layout::Layout;
use crate::results;

/// Where files lie, by name.
type Places = BTreeMap<String, PathBuf>;

/// How often storing is tried if the cache is cleared meanwhile.
const ATTEMPTS: usize = 5;

/// The hook. When it is dropped, it adds to the counters what happened.
#[derive(Debug)]
pub struct LocalCache {
    layout: Layout,
    counters: Mutex<Counters>,
    flights: Flights,
    /// How long others are waited for.
    patience: OnceLock<Duration>,
}

impl LocalCache {
    /// Returns the hook on the cache in `layout`.
    pub fn new(layout: Layout) -> LocalCache {
        LocalCache {
            layout,
            counters: Mutex::default(),
            flights: Flights::default(),
            patience: OnceLock::new(),
        }
    }

    fn count(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for results.
    ///
    /// # Errors
    ///
    /// Why there is none, in a few words.
    fn look(&self, request: &BeforeBuild) -> Result<Lookup, String> {
        let found = results::get(&self.layout, &request.hashes)?;
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

    /// Looks for results, and ends the flight if there are any.
    fn look_in_flight(&self, request: &BeforeBuild) -> Result<Lookup, String> {
        let found = self.look(request)?;
        self.flights.end(&self.layout, &request.hashes.key);
        Ok(found)
    }

    fn miss(&self, why: String) -> Lookup {
        self.count().misses += 1;
        Lookup::Miss(why)
    }

    /// Stores a result: all blobs first, then the entry. Returns where files lie that were there before; `Err` in
    /// `Ok` tells why it is declined.
    fn store(&self, request: &AfterBuild, entry: &Entry) -> anyhow::Result<Result<Places, String>> {
        let (mut stamps, mut relocated) = (BTreeMap::new(), Places::new());
        for (name, file) in &entry.files {
            let Some(source) = request.files.get(name) else {
                return Ok(Err(format!("no path for `{name}`")));
            };
            let linkable = request.linkable.contains(name);
            match blobs::put(&self.layout, source, &file.digest, file.size, linkable)
                .with_context(|| format!("failed to store `{name}`"))?
            {
                Ok(blob) => {
                    stamps.insert(name.clone(), blob.stamp);
                    if linkable && blob.was_there {
                        relocated.insert(name.clone(), self.layout.blob(&file.digest));
                    }
                }
                Err(Mismatch::Content) => {
                    return Ok(Err(format!("`{name}` has other bytes than its entry says")));
                }
            }
        }
        let (action, entry) = (&request.hashes.action, request.entry.clone());
        results::put(&self.layout, action, entry, stamps, request.duration_ms)?;
        Ok(Ok(relocated))
    }

    fn store_even_if_cleared(
        &self,
        request: &AfterBuild,
    ) -> anyhow::Result<Result<Places, String>> {
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

    fn begin(&self, begin: &Begin) -> Result<(), BoxError> {
        // Who waits for others must not look as if it had failed.
        let limit = begin.timeout_ms.map(|it| Duration::from_millis(it) / 2);
        let _ = self
            .patience
            .set(limit.map_or(DEFAULT_LIMIT, |it| it.min(DEFAULT_LIMIT)));
        self.layout.tidy();
        Ok(())
    }

    fn before_build(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let why = match self.look(&request) {
            Ok(hit) => return Ok(hit),
            Err(why) => why,
        };
        if request.is_built
            && self.flights.begin(&self.layout, &request.hashes.key) == Flight::Theirs
        {
            return Ok(Lookup::Wait(Box::new(request)));
        }
        // Another may have stored it just before its flight ended.
        self.look_in_flight(&request)
            .or_else(|_| Ok(self.miss(why)))
    }

    fn wait(&self, request: BeforeBuild) -> Result<Lookup, BoxError> {
        let deadline = Instant::now() + *self.patience.get().unwrap_or(&DEFAULT_LIMIT);
        let key = &request.hashes.key;
        let flight = self.flights.wait(&self.layout, key, deadline);
        let found = match flight {
            Flight::Ours => self.look_in_flight(&request),
            Flight::Theirs => self.look(&request),
        };
        found.or_else(|why| Ok(self.miss(why)))
    }

    fn end(&self, _: &Summary) -> Result<(), BoxError> {
        if self.count().stored > 0 {
            gc::collect_sometimes(&self.layout);
        }
        Ok(())
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        let stored = self.store_even_if_cleared(&request);
        self.flights.end(&self.layout, &request.hashes.key);
        match stored? {
            Ok(relocated) => {
                self.count().stored += 1;
                Ok(Keep::Stored(relocated))
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
