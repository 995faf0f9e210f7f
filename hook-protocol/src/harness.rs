//! [`Harness`]: a build without Cargo, for tests of hooks that are written in Rust.
//!
//! ```
//! use hook_protocol::harness::Harness;
//! use hook_protocol::hook::{BoxError, Hook, Lookup};
//! use hook_protocol::sample::Sample;
//! use hook_protocol::wire::{Answer, BeforeBuild, Miss};
//!
//! struct Forgetful;
//!
//! impl Hook for Forgetful {
//!     fn name(&self) -> &str {
//!         "forgetful"
//!     }
//!
//!     fn before_build(&self, _: BeforeBuild) -> Result<Lookup, BoxError> {
//!         Ok(Lookup::Miss("forgotten".to_owned()))
//!     }
//! }
//!
//! let dir = std::env::temp_dir().join(format!("forgetful-{}", std::process::id()));
//! let sample = Sample::library(&dir, "foo", "fn foo() {}").unwrap();
//! let mut build = Harness::new(Forgetful);
//! let answer = build.before_build(&sample);
//! assert_eq!(answer, Ok(Answer::Miss(Miss { reason: Some("forgotten".to_owned()) })));
//! build.end();
//! # std::fs::remove_dir_all(dir).unwrap();
//! ```

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::path::Path;
use std::thread::{self, JoinHandle};

use crate::hook::{self, Hook};
use crate::sample::{self, Sample};
use crate::wire::{
    Answer, Capability, End, Hello, HookError, PROTOCOL_VERSION, Request, Response, Summary,
};

/// A hook in a session, as Cargo would have it: every message travels as a line.
///
/// Its methods panic where the protocol is broken, as a test should.
pub struct Harness {
    requests: PipeWriter,
    lines: BufReader<PipeReader>,
    served: JoinHandle<std::io::Result<()>>,
    hello: Hello,
    next_id: u64,
}

impl Harness {
    /// Begins a build whose workspace is the current folder.
    ///
    /// # Panics
    ///
    /// If the hook fails to begin.
    pub fn new(hook: impl Hook + 'static) -> Harness {
        Harness::in_workspace(hook, Path::new("."))
    }

    /// Begins a build of a workspace.
    ///
    /// # Panics
    ///
    /// If the hook fails to begin.
    pub fn in_workspace(hook: impl Hook + 'static, workspace: &Path) -> Harness {
        let (to_hook, requests) = std::io::pipe().expect("a pipe can be made");
        let (responses, from_hook) = std::io::pipe().expect("a pipe can be made");
        let served =
            thread::spawn(move || hook::serve(&hook, BufReader::new(to_hook), from_hook, 4));
        let mut lines = BufReader::new(responses);
        let hello = serde_json::from_str(&next(&mut lines)).expect("a hook says hello first");
        let mut build = Harness {
            requests,
            lines,
            served,
            hello,
            next_id: 1,
        };
        if build.hello.capabilities.contains(&Capability::Session) {
            let begin = Request::Begin(sample::begin(workspace));
            assert_eq!(build.ask(begin), Ok(Answer::Ready));
        }
        build
    }

    /// Returns what the hook said first.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Asks for a unit.
    ///
    /// # Errors
    ///
    /// The error with which the hook answers.
    pub fn before_build(&mut self, sample: &Sample) -> Result<Answer, HookError> {
        self.ask(Request::BeforeBuild(sample.question()))
    }

    /// Tells of a unit that was built.
    ///
    /// # Errors
    ///
    /// The error with which the hook answers.
    pub fn after_build(&mut self, sample: &Sample) -> Result<Answer, HookError> {
        self.ask(Request::AfterBuild(sample.result()))
    }

    /// Sends any request, and returns the answer.
    ///
    /// # Errors
    ///
    /// The error with which the hook answers.
    ///
    /// # Panics
    ///
    /// If something else comes than an answer to this request.
    pub fn ask(&mut self, mut request: Request) -> Result<Answer, HookError> {
        let id = self.next_id;
        self.next_id += 1;
        match &mut request {
            Request::Begin(it) => (it.v, it.id) = (PROTOCOL_VERSION, id),
            Request::BeforeBuild(it) => (it.v, it.id) = (PROTOCOL_VERSION, id),
            Request::AfterBuild(it) => (it.v, it.id) = (PROTOCOL_VERSION, id),
            Request::End(it) => (it.v, it.id) = (PROTOCOL_VERSION, id),
            Request::Unknown => {}
        }
        let mut line = serde_json::to_vec(&request).expect("requests are JSON");
        line.push(b'\n');
        self.requests.write_all(&line).expect("the hook reads");
        let response: Response =
            serde_json::from_str(&next(&mut self.lines)).expect("a hook answers with responses");
        assert_eq!(response.id, id, "the answer to another request");
        match (response.ok, response.err) {
            (Some(answer), None) => Ok(answer),
            (None, Some(error)) => Err(error),
            other => panic!("exactly one of `Ok` and `Err` is allowed: {other:?}"),
        }
    }

    /// Ends the build.
    ///
    /// # Panics
    ///
    /// If the hook fails to end, or says more.
    pub fn end(mut self) {
        if self.hello.capabilities.contains(&Capability::Session) {
            let end = Request::End(End {
                v: PROTOCOL_VERSION,
                id: 0,
                summary: Summary {
                    success: true,
                    ..Summary::default()
                },
            });
            assert_eq!(self.ask(end), Ok(Answer::Done));
        }
        drop(self.requests);
        let served = self.served.join().expect("a hook does not panic");
        served.expect("the pipes hold");
        let mut rest = String::new();
        self.lines.read_line(&mut rest).expect("the pipe holds");
        assert_eq!(rest, "", "nothing comes after the end");
    }
}

fn next(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).expect("the pipe holds");
    line
}
