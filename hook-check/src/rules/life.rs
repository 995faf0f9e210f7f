//! Rules about beginning and end.

use hook_protocol::wire::{Capability, Request};
use serde_json::json;

use super::{Finding, KEEPS_NOTHING, Outcome, storing};
use crate::process::Process;
use crate::subject::Subject;

/// How often a hook is killed while it stores.
const KILLS: u32 = 8;

pub(super) fn end(subject: &Subject) -> Outcome {
    let mut session = subject.session()?;
    if !session.has(Capability::Session) {
        return Ok(Finding::NotConcerned("it has no session"));
    }
    session.send_value(json!({"kind": "end", "summary": {
        "success": true, "restored": 1, "compiled": 1, "ran": 1, "not-offered": 1, "later": {},
        "unshared": [{
            "unit": subject.library("unshared")?.unit,
            "step": "of-a-later-cargo",
            "why": {"name": "of-a-later-cargo", "detail": "x"},
        }],
    }}));
    let (_, said) = session.response()?;
    if said != Ok(hook_protocol::wire::Answer::Done) {
        return Err(format!("it says {said:?}"));
    }
    let rest = session.process.rest()?;
    if !rest.trim_ascii().is_empty() {
        return Err("it says more after the end".to_owned());
    }
    session.process.exit().map(|_| Finding::Kept)
}

/// Closes standard input, and waits for the exit.
fn exits(mut process: Process, when: &str) -> Result<(), String> {
    process
        .hang_up()
        .map(drop)
        .map_err(|it| format!("{when}: {it}"))
}

pub(super) fn hang_up(subject: &Subject) -> Outcome {
    exits(subject.start()?, "before its hello was read")?;
    let process = subject.start()?;
    process.message()?;
    exits(process, "after its hello")?;
    exits(subject.session()?.process, "when it is ready")?;
    let mut session = subject.session()?;
    if session.has(Capability::BeforeBuild) {
        session.send(&Request::BeforeBuild(subject.library("asked")?.question()));
        exits(session.process, "while it is asked")?;
    }
    Ok(Finding::Kept)
}

pub(super) fn half_request(subject: &Subject) -> Outcome {
    let session = subject.session()?;
    let half = br#"{"v":1,"id":99,"kind":"before-bu"#;
    session.process.send_bytes(half.to_vec());
    exits(session.process, "after half a request")?;
    Ok(Finding::Kept)
}

pub(super) fn killed(subject: &Subject) -> Outcome {
    let mut samples = Vec::new();
    for kill in 0..KILLS {
        let mut session = match storing(subject)? {
            Ok(session) => session,
            Err(finding) => return Ok(finding),
        };
        let is_concurrent = session.has(Capability::Concurrent) && session.has(Capability::Session);
        let count = if is_concurrent { 10 } else { 1 };
        for number in 0..count {
            let sample = subject.library(&format!("killed {kill} {number}"))?;
            session.send(&Request::AfterBuild(sample.result()));
            samples.push(sample);
        }
        // Each time at another moment.
        std::thread::sleep(std::time::Duration::from_millis(3 * u64::from(kill)));
        session.process.kill();
    }
    let mut session = subject.session()?;
    let mut found = 0;
    for sample in &samples {
        if let Some(hit) = session.look_up(sample)? {
            hit.check(sample)?;
            found += 1;
        }
    }
    // It must still work.
    let after = subject.library("after the kill")?;
    if session.tell(&after)?.is_none() {
        return Ok(KEEPS_NOTHING);
    }
    match session.look_up(&after)? {
        Some(hit) => hit.check(&after)?,
        None if found == 0 => {
            return Ok(Finding::NotConcerned("it does not supply what it stores"));
        }
        None => return Err("it keeps nothing any more".to_owned()),
    }
    Ok(Finding::Kept)
}
