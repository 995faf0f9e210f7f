//! Has everything compiled, and compares it with what another hook would have supplied:
//! `cargo-hook-verify --cargo-plugin HOOK ARGS...`.
//!
//! To Cargo it is a hook that never has anything. What the other one offers is kept in mind until the unit was
//! compiled. A result that read the same, and came to something else, is reported: either the compiler does not
//! come to the same twice, or the other hook supplies what it should not. What the other hook does not have, it is
//! told of.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hook_protocol::Digest;
use hook_protocol::client::{Client, Command, Options};
use hook_protocol::hook::{BoxError, Hook, Keep, Lookup};
use hook_protocol::wire::{AfterBuild, Answer, BeforeBuild, Begin, Candidate, Summary};

mod compare;
mod sections;

use compare::{Difference, Verdict};

fn main() {
    // The words after `--cargo-plugin`.
    let words = std::env::args_os().skip(2);
    match Command::of_words(words) {
        Some(command) => hook_protocol::main(Verify::new(command)),
        None => {
            eprintln!("error: `verify` needs the command of the hook that it is to verify");
            std::process::exit(2);
        }
    }
}

/// How long the other hook may be silent, if Cargo does not say how long this one may.
const TIMEOUT: Duration = Duration::from_secs(60);

struct Verify {
    command: Command,
    other: OnceLock<(Client, Duration)>,
    /// What the other hook offers for units that are compiled now, by key.
    offered: Mutex<HashMap<Digest, Vec<Candidate>>>,
    report: OnceLock<PathBuf>,
    equal: AtomicU64,
    different: AtomicU64,
}

impl Verify {
    fn new(command: Command) -> Verify {
        Verify {
            command,
            other: OnceLock::new(),
            offered: Mutex::default(),
            report: OnceLock::new(),
            equal: AtomicU64::new(0),
            different: AtomicU64::new(0),
        }
    }

    fn other(&self) -> Result<&Client, BoxError> {
        let other = self.other.get().ok_or("no build has begun")?;
        Ok(&other.0)
    }

    fn offered(&self) -> MutexGuard<'_, HashMap<Digest, Vec<Candidate>>> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares what was offered with what was compiled. Returns whether anything was offered that fits.
    fn compare(&self, candidates: &[Candidate], built: &AfterBuild) -> Result<bool, BoxError> {
        let fresh = built.entry.parse()?;
        for candidate in candidates {
            match compare::compare(candidate, &fresh, &built.files) {
                Verdict::NotComparable => continue,
                Verdict::Equal => {
                    self.equal.fetch_add(1, Ordering::Relaxed);
                }
                Verdict::Different(differences) => {
                    self.different.fetch_add(1, Ordering::Relaxed);
                    self.write(built, &differences)?;
                }
            }
            // Cargo takes the first one that fits.
            return Ok(true);
        }
        Ok(false)
    }

    fn write(&self, built: &AfterBuild, differences: &[Difference]) -> Result<(), BoxError> {
        let report = self.report.get().ok_or("no build has begun")?;
        let line = serde_json::json!({
            "unit": built.unit,
            "key": built.hashes.key,
            "differences": differences,
        });
        let mut file = OpenOptions::new().create(true).append(true).open(report)?;
        Ok(file.write_all(format!("{line}\n").as_bytes())?)
    }
}

impl Hook for Verify {
    fn name(&self) -> &str {
        "verify"
    }

    /// Reports go to `$VERIFY_REPORT`, or `verify-report.jsonl` in the build directory.
    fn begin(&self, begin: &Begin) -> Result<(), BoxError> {
        let report = std::env::var_os("VERIFY_REPORT").map(PathBuf::from);
        let report = report.unwrap_or_else(|| begin.build_dir.join("verify-report.jsonl"));
        let _ = self.report.set(report);
        let timeout = begin.timeout_ms.map_or(TIMEOUT, Duration::from_millis) / 2;
        let options = Options {
            timeout,
            jobs: begin.jobs as usize,
        };
        let client = Client::new(self.command.clone(), options);
        let begin = Begin {
            timeout_ms: timeout.as_millis().try_into().ok(),
            ..begin.clone()
        };
        client.begin(begin)?;
        let _ = self.other.set((client, timeout));
        Ok(())
    }

    fn before_build(&self, mut request: BeforeBuild) -> Result<Lookup, BoxError> {
        let key = request.hashes.key;
        // Nobody is to wait for another build: here all is compiled.
        request.is_built = false;
        if let Answer::Hit(hit) = self.other()?.before_build(request)? {
            self.offered().insert(key, hit.candidates);
        }
        Ok(Lookup::Miss("to be verified".to_owned()))
    }

    fn after_build(&self, request: AfterBuild) -> Result<Keep, BoxError> {
        let candidates = self.offered().remove(&request.hashes.key);
        if self.compare(&candidates.unwrap_or_default(), &request)? {
            return Ok(Keep::Declined("verified".to_owned()));
        }
        Ok(match self.other()?.after_build(request)? {
            Answer::Stored(stored) => Keep::Stored(stored.relocated),
            Answer::Declined(declined) => Keep::Declined(declined.reason.unwrap_or_default()),
            other => return Err(format!("it answered with {other:?}").into()),
        })
    }

    /// Fails if anything differs, so that Cargo warns of it.
    fn end(&self, summary: &Summary) -> Result<(), BoxError> {
        let ended = match self.other.get() {
            Some((client, timeout)) => client.end(summary.clone(), *timeout),
            None => Ok(()),
        };
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let (equal, different) = (count(&self.equal), count(&self.different));
        if different == 0 {
            eprintln!("verified {equal} results: all are equal");
            return Ok(ended?);
        }
        let report = self.report.get().cloned().unwrap_or_default();
        let all = equal + different;
        Err(format!(
            "{different} of {all} results differ: see `{}`",
            report.display()
        )
        .into())
    }
}

#[cfg(test)]
mod tests;
