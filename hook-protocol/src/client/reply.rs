//! What a line of a hook means: checks of hellos and of responses, without any state.

use serde::Deserialize;

use super::{Error, excerpt};
use crate::wire::{Answer, Hello, PROTOCOL_VERSION, Response};

/// How much of a bad line an error shows.
const EXCERPT: usize = 200;

/// The longest name of a hook, in bytes.
const MAX_NAME: usize = 64;

/// The kind of a request, as far as its answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not a request: the process speaks first.
    Hello,
    Begin,
    BeforeBuild,
    AfterBuild,
    End,
    /// One that is passed on as it came: only who made it knows what it may have for an answer.
    Forwarded,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Hello => "hello",
            Kind::Begin => "begin",
            Kind::BeforeBuild => "before-build",
            Kind::AfterBuild => "after-build",
            Kind::End => "end",
            Kind::Forwarded => "forwarded",
        }
    }
}

/// Returns the hello that `line` holds, if it is one that can be worked with.
pub(super) fn hello(line: &[u8]) -> Result<Hello, Error> {
    let bad = |reason: String| Error::Hello {
        reason,
        line: excerpt(line, EXCERPT),
    };

    /// What every version of the protocol has in common.
    #[derive(Deserialize)]
    struct Versions {
        v: Vec<u64>,
    }
    let versions: Versions = serde_json::from_slice(line).map_err(|e| bad(e.to_string()))?;
    if !versions.v.contains(&PROTOCOL_VERSION.into()) {
        return Err(Error::Version {
            offered: versions.v,
        });
    }
    let hello: Hello = serde_json::from_slice(line).map_err(|e| bad(e.to_string()))?;
    if hello.name.is_empty() || hello.name.len() > MAX_NAME {
        return Err(bad(format!(
            "the name must have between 1 and {MAX_NAME} bytes"
        )));
    }
    if hello.name.contains(char::is_control) {
        return Err(bad("the name must not have control characters".to_owned()));
    }
    Ok(hello)
}

/// Returns the id and the outcome that `line` holds. Inner errors are the hook's own.
pub(super) fn response(line: &[u8]) -> Result<(u64, Result<Answer, Error>), Error> {
    let bad = |reason: String| Error::Malformed {
        reason,
        line: excerpt(line, EXCERPT),
    };
    let response: Response = serde_json::from_slice(line).map_err(|e| bad(e.to_string()))?;
    match (response.ok, response.err) {
        (Some(answer), None) => Ok((response.id, Ok(answer))),
        (None, Some(error)) => Ok((response.id, Err(Error::Hook(error)))),
        (Some(_), Some(_)) => Err(bad("both `Ok` and `Err`".to_owned())),
        (None, None) => Err(bad("neither `Ok` nor `Err`".to_owned())),
    }
}

/// Returns the answer in a response as it came.
pub(super) fn raw(line: &[u8]) -> Option<serde_json::Value> {
    let mut response: serde_json::Value = serde_json::from_slice(line).ok()?;
    response.get_mut("Ok").map(serde_json::Value::take)
}

/// Checks that `answer` is one that a request of this kind can have.
pub(super) fn check(kind: Kind, answer: &Answer) -> Result<(), Error> {
    let found = match (kind, answer) {
        (Kind::Hello | Kind::Begin, Answer::Ready)
        | (Kind::BeforeBuild, Answer::Miss(_))
        | (Kind::AfterBuild, Answer::Stored(_) | Answer::Declined(_))
        | (Kind::End, Answer::Done)
        | (Kind::Forwarded, _) => return Ok(()),
        (Kind::BeforeBuild, Answer::Hit(hit)) if !hit.candidates.is_empty() => return Ok(()),
        (Kind::BeforeBuild, Answer::Hit(_)) => "hit without candidates",
        (_, Answer::Ready) => "ready",
        (_, Answer::Hit(_)) => "hit",
        (_, Answer::Miss(_)) => "miss",
        (_, Answer::Stored(_)) => "stored",
        (_, Answer::Declined(_)) => "declined",
        (_, Answer::Done) => "done",
        (_, Answer::Unknown) => "of an unknown kind",
    };
    Err(Error::WrongAnswer {
        request: kind.name(),
        found,
    })
}
