//! [`Stack`]: what becomes of a request in a stack of hooks.
//!
//! Requests and answers travel as they come, so that what this program does not know reaches those who may.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use hook_protocol::client::{Client, Error, Options};
use serde_json::{Value, json};

use crate::config::{AfterBuild, Config, Matcher};

/// How often in a row a filter may fail before it is asked no more, as Cargo has it.
const FAILURES: u32 = 3;

/// What is said to a request: what stands behind `Ok` or `Err`.
pub(crate) type Said = Result<Value, Value>;

/// Hooks in their order.
pub(crate) struct Stack {
    filters: Vec<Filter>,
    after_build: AfterBuild,
    /// How long a filter may be silent.
    timeout: Duration,
}

struct Filter {
    client: Client,
    matcher: Matcher,
    /// How often it has failed in a row.
    failures: AtomicU32,
    /// Why it failed last.
    error: Mutex<Option<String>>,
}

impl Stack {
    /// Makes a stack from what the file in `folder` says. Starts nothing. A filter that says nothing for `timeout`
    /// has failed.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong.
    pub(crate) fn new(
        config: &Config,
        folder: &Path,
        timeout: Duration,
        jobs: usize,
    ) -> Result<Stack> {
        let filter = |it: &crate::config::Filter| {
            let options = Options { timeout, jobs };
            Ok(Filter {
                client: Client::new(it.command(folder)?, options),
                matcher: it.matcher()?,
                failures: AtomicU32::new(0),
                error: Mutex::default(),
            })
        };
        Ok(Stack {
            filters: config.filters.iter().map(filter).collect::<Result<_>>()?,
            after_build: config.after_build,
            timeout,
        })
    }

    /// Says what the stack says to any request but `end`.
    ///
    /// # Errors
    ///
    /// What stands behind `Err`.
    pub(crate) fn answer(&self, request: &Value) -> Said {
        match request["kind"].as_str() {
            Some("begin") => self.begin(request),
            Some("before-build") => self.before_build(request),
            Some("after-build") => self.after_build(request),
            _ => self.other(request),
        }
    }

    /// Begins a session with every filter. Those that fail are as good as not there, unless all do.
    fn begin(&self, request: &Value) -> Said {
        let mut request = request.clone();
        // A filter is to be heard of in the time that this program has for it.
        let timeout = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        request["timeout-ms"] = timeout.into();
        for filter in &self.filters {
            if let Err(error) = filter.client.begin_as(request.clone()) {
                filter.failed(&error);
                filter.failures.store(FAILURES, Ordering::Relaxed);
            }
        }
        match self.filters.iter().any(Filter::works) {
            true => Ok(json!({"kind": "ready"})),
            false => Err(failed("no filter works", self.errors())),
        }
    }

    /// The first hit wins.
    fn before_build(&self, request: &Value) -> Said {
        let mut reasons = Vec::new();
        let concerned: Vec<&Filter> = self.concerned(request).collect();
        for (place, filter) in concerned.iter().enumerate() {
            let mut request = request.clone();
            // Only who is told of the result for sure may have other builds wait for it: those before the last one
            // are not if a later one has it, nor is any of several if the first that stores it is the only one.
            let is_last = place + 1 == concerned.len();
            let is_told = self.after_build == AfterBuild::All || concerned.len() == 1;
            if !(is_last && is_told) {
                request["is-built"] = false.into();
            }
            let answer = filter.ask(&request);
            match answer.as_ref().map(|it| it["kind"].as_str()) {
                Some(Some("hit")) => return Ok(answer.unwrap_or_default()),
                Some(_) => reasons.extend(filter.reason(answer.as_ref())),
                None => {}
            }
        }
        Ok(without_result("miss", &reasons))
    }

    /// What is relocated is what the first one relocates that stores it.
    fn after_build(&self, request: &Value) -> Said {
        let mut stored = None;
        let mut reasons = Vec::new();
        for filter in self.concerned(request) {
            let answer = filter.ask(request);
            match answer.as_ref().map(|it| it["kind"].as_str()) {
                Some(Some("stored")) => stored = stored.or(answer),
                Some(_) => reasons.extend(filter.reason(answer.as_ref())),
                None => {}
            }
            if stored.is_some() && self.after_build == AfterBuild::First {
                break;
            }
        }
        Ok(stored.unwrap_or_else(|| without_result("declined", &reasons)))
    }

    /// A request that this program does not know is for the first filter that does.
    fn other(&self, request: &Value) -> Said {
        let mut answers = self.filters.iter().filter(|it| it.works());
        let answer = answers.find_map(|it| it.client.forward(request.clone()).ok());
        answer.ok_or_else(
            || json!({"kind": "not-supported", "message": "no filter knows such requests"}),
        )
    }

    /// Ends all sessions.
    ///
    /// # Errors
    ///
    /// What stands behind `Err`: what filters have to say at the end, and why they failed before.
    pub(crate) fn end(&self, request: &Value, within: Duration) -> Said {
        let deadline = Instant::now() + within;
        for filter in self.filters.iter().filter(|it| it.works()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Err(error) = filter.client.end_as(request.clone(), left) {
                filter.failed(&error);
            }
        }
        let errors = self.errors();
        match errors.is_empty() {
            true => Ok(json!({"kind": "done"})),
            false => Err(failed("a filter failed", errors)),
        }
    }

    fn concerned(&self, request: &Value) -> impl Iterator<Item = &Filter> {
        let filters = self.filters.iter();
        filters.filter(|it| it.works() && it.matcher.concerns(request))
    }

    fn errors(&self) -> Vec<String> {
        let error = |it: &Filter| {
            it.error()
                .take()
                .map(|error| format!("`{}`: {error}", it.client.name()))
        };
        self.filters.iter().filter_map(error).collect()
    }
}

impl Filter {
    fn works(&self) -> bool {
        self.failures.load(Ordering::Relaxed) < FAILURES
    }

    /// Asks the hook; nothing if it fails, or does not answer such requests.
    fn ask(&self, request: &Value) -> Option<Value> {
        match self.client.forward(request.clone()) {
            Ok(answer) if answer["kind"] == "hit" && !has_candidates(&answer) => {
                eprintln!("`{}` has a hit without candidates", self.client.name());
                self.failures.fetch_add(1, Ordering::Relaxed);
                None
            }
            Ok(answer) => {
                self.failures.store(0, Ordering::Relaxed);
                Some(answer)
            }
            Err(Error::NotCapable(_)) => None,
            Err(error) => {
                self.failed(&error);
                self.failures.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    fn failed(&self, error: &Error) {
        eprintln!("`{}` failed: {error}", self.client.name());
        *self.error() = Some(error.to_string());
    }

    fn error(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.error
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Says why it has nothing, or wants nothing.
    fn reason(&self, answer: Option<&Value>) -> Option<String> {
        let reason = answer?["reason"].as_str()?;
        Some(format!("{}: {reason}", self.client.name()))
    }
}

fn has_candidates(hit: &Value) -> bool {
    hit["candidates"]
        .as_array()
        .is_some_and(|it| !it.is_empty())
}

fn without_result(kind: &str, reasons: &[String]) -> Value {
    match reasons.is_empty() {
        true => json!({"kind": kind, "reason": "no filter is concerned"}),
        false => json!({"kind": kind, "reason": reasons.join("; ")}),
    }
}

fn failed(message: &str, caused_by: Vec<String>) -> Value {
    json!({"kind": "other", "message": message, "caused-by": caused_by})
}
