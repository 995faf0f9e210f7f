//! Rules about messages.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use hook_protocol::wire::{Answer, Capability, FileDigest, Request};
use hook_protocol::{Digest, wire};
use serde_json::json;

use super::{Finding, Outcome};
use crate::process::Broken;
use crate::subject::{Session, Subject};

/// The most bytes that a name may have.
const MAX_NAME: usize = 64;

/// How many files the package of a large question has: its line has more than four megabytes.
const MANY_FILES: usize = 40_000;

/// How many questions are asked at once. Their answers do not fit into a pipe.
const MANY_REQUESTS: usize = 3000;

pub(super) fn hello(subject: &Subject) -> Outcome {
    let message = subject.start()?.message()?;
    let hello: wire::Hello = serde_json::from_value(message)
        .map_err(|error| format!("the first message is no hello: {error}"))?;
    if !hello.v.contains(&wire::PROTOCOL_VERSION) {
        return Err(format!("it speaks versions {:?}", hello.v));
    }
    if hello.name.is_empty() || hello.name.len() > MAX_NAME || hello.name.contains(char::is_control)
    {
        return Err(format!(
            "`{}` cannot be its name",
            hello.name.escape_debug()
        ));
    }
    let sides = [Capability::BeforeBuild, Capability::AfterBuild];
    if !sides.iter().any(|it| hello.capabilities.contains(it)) {
        return Err("it has neither `before-build` nor `after-build`".to_owned());
    }
    Ok(Finding::Kept)
}

pub(super) fn same_hello(subject: &Subject) -> Outcome {
    let first = subject.start()?.message()?;
    let second = subject.start()?.message()?;
    match first == second {
        true => Ok(Finding::Kept),
        false => Err(format!("first `{first}`, then `{second}`")),
    }
}

/// Begins a session with a hook that looks for results.
fn looking(subject: &Subject) -> Result<Result<Session<'_>, Finding>, Broken> {
    let session = subject.session()?;
    Ok(match session.has(Capability::BeforeBuild) {
        true => Ok(session),
        false => Err(Finding::NotConcerned("it does not look for results")),
    })
}

pub(super) fn lookup(subject: &Subject) -> Outcome {
    let mut session = match looking(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    for sample in [subject.library("new")?, subject.script_run("new")?] {
        if session.look_up(&sample)?.is_some() {
            return Err("it supplies a result that nobody has built".to_owned());
        }
    }
    Ok(Finding::Kept)
}

pub(super) fn other_fields(subject: &Subject) -> Outcome {
    let mut session = subject.session()?;
    let sample = subject.library("other fields")?;
    let mut requests = Vec::new();
    if session.has(Capability::BeforeBuild) {
        requests.push(Request::BeforeBuild(sample.question()));
    }
    if session.has(Capability::AfterBuild) {
        requests.push(Request::AfterBuild(sample.result()));
    }
    for request in requests {
        let mut request = serde_json::to_value(request).expect("paths of samples are Unicode");
        request["of-a-later-cargo"] = json!({"deep": [1, null, "x"]});
        request["unit"]["of-a-later-cargo"] = json!(7);
        request["hashes"]["of-a-later-cargo"] = json!([]);
        if let Err(error) = session.ask_value(request)? {
            return Err(format!("it fails: {error}"));
        }
    }
    Ok(Finding::Kept)
}

pub(super) fn other_kinds(subject: &Subject) -> Outcome {
    let mut session = subject.session()?;
    match session.ask_value(json!({"kind": "of-a-later-cargo", "unit": 1}))? {
        Err(error) if error.contains("NotSupported") => {}
        said => return Err(format!("it says {said:?}")),
    }
    if session.has(Capability::BeforeBuild) {
        session.look_up(&subject.library("after another kind")?)?;
    }
    Ok(Finding::Kept)
}

pub(super) fn large_message(subject: &Subject) -> Outcome {
    let mut session = match looking(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let mut question = subject.library("large")?.question();
    let digest = Digest::of(b"content");
    let file = |number| FileDigest {
        path: format!("{{package}}/src/a/folder/and/file/{number}.rs"),
        digest,
    };
    question.hashes.files = (0..MANY_FILES).map(file).collect();
    match session.ask(&Request::BeforeBuild(question))? {
        Ok(Answer::Miss(_)) => Ok(Finding::Kept),
        said => Err(format!("it says {said:?}")),
    }
}

pub(super) fn many_requests(subject: &Subject) -> Outcome {
    let mut session = match looking(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let is_session = session.has(Capability::Session);
    if !(is_session && session.has(Capability::Concurrent)) {
        return one_by_one(subject, &mut session);
    }
    let sample = subject.library("many")?;
    let mut open: BTreeSet<u64> = (0..MANY_REQUESTS)
        .map(|number| {
            let mut question = sample.question();
            question.hashes.key = Digest::of(format!("{number}").as_bytes());
            question.hashes.action = question.hashes.key;
            session.send(&Request::BeforeBuild(question))
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    while !open.is_empty() {
        let (id, said) = session
            .response()
            .map_err(|it| format!("{it}, with {} requests not answered", open.len()))?;
        if !open.remove(&id) {
            return Err(format!("{id} is answered twice, or was never asked"));
        }
        if !matches!(said, Ok(Answer::Miss(_))) {
            return Err(format!("it says {said:?}"));
        }
    }
    session.end().map(|()| Finding::Kept)
}

/// A hook that is not concurrent is asked again when it has answered.
fn one_by_one(subject: &Subject, session: &mut Session<'_>) -> Outcome {
    for number in 0..20 {
        if session
            .look_up(&subject.library(&format!("{number}"))?)?
            .is_some()
        {
            return Err("it supplies a result that nobody has built".to_owned());
        }
    }
    Ok(Finding::Kept)
}
