//! Rules about what is stored and supplied.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use hook_protocol::sample::Sample;
use hook_protocol::wire::{Answer, Capability, Lifetime, Request};

use super::{Finding, KEEPS_NOTHING, Outcome, storing};
use crate::process::Broken;
use crate::subject::{Session, Subject, check_path};

/// Tells of a unit, asks for it, and checks the hit.
fn keep_and_look_up(session: &mut Session<'_>, sample: &Sample) -> Outcome {
    if session.tell(sample)?.is_none() {
        return Ok(KEEPS_NOTHING);
    }
    match session.look_up(sample)? {
        // Whoever says that it has stored may still have another idea of what fits.
        None => Ok(Finding::NotConcerned("it does not supply what it stores")),
        Some(hit) => hit.check(sample).map(|()| Finding::Kept),
    }
}

fn remove(sample: &Sample) -> Result<(), Broken> {
    for path in sample.files.values() {
        fs::remove_file(path).map_err(|it| format!("`{}`: {it}", path.display()))?;
    }
    Ok(())
}

pub(super) fn round_trip(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    keep_and_look_up(&mut session, &subject.library("round trip")?)
}

pub(super) fn own_copy(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let sample = subject.library("own copy")?;
    if session.tell(&sample)?.is_none() {
        return Ok(KEEPS_NOTHING);
    }
    remove(&sample)?;
    for path in sample.files.values() {
        fs::write(path, "written later").map_err(|it| it.to_string())?;
    }
    match session.look_up(&sample)? {
        None => Ok(Finding::NotConcerned("it does not supply what it stores")),
        Some(hit) => hit.check(&sample).map(|()| Finding::Kept),
    }
}

pub(super) fn names_with_folders(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    keep_and_look_up(&mut session, &subject.script_run("names")?)
}

/// What must not change of a file.
fn state(path: &PathBuf) -> Result<(Vec<u8>, SystemTime, fs::Permissions), Broken> {
    let state = || {
        let metadata = fs::metadata(path)?;
        Ok((
            fs::read(path)?,
            metadata.modified()?,
            metadata.permissions(),
        ))
    };
    state().map_err(|it: std::io::Error| format!("`{}`: {it}", path.display()))
}

pub(super) fn hands_off(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let sample = subject.library("hands off")?;
    let states = || {
        let states = sample.files.values().map(state);
        states.collect::<Result<Vec<_>, _>>()
    };
    let before = states()?;
    session.tell(&sample)?;
    match states()? == before {
        true => Ok(Finding::Kept),
        false => Err("a file is not as it was".to_owned()),
    }
}

pub(super) fn no_mix_up(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let sample = subject.library("one")?;
    if session.tell(&sample)?.is_none() {
        return Ok(KEEPS_NOTHING);
    }
    let edited = subject.edited(&sample, "two")?;
    let same_name = Sample {
        hashes: subject.library("one")?.hashes,
        ..sample.clone()
    };
    for (what, other) in [("other sources", edited), ("another action", same_name)] {
        if session.look_up(&other)?.is_some() {
            return Err(format!("it supplies a result for {what}"));
        }
    }
    Ok(Finding::Kept)
}

pub(super) fn replaces(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let old = subject.library("old")?;
    if session.tell(&old)?.is_none() {
        return Ok(KEEPS_NOTHING);
    }
    let mut new = subject.edited(&old, "new")?;
    // The same question has come to something else.
    new.hashes = old.hashes.clone();
    new.entry.action = old.entry.action;
    new.entry.key = old.entry.key;
    new.entry.inputs = old.entry.inputs.clone();
    if session.tell(&new)?.is_none() {
        return Err("it does not take a new result for a key that it has".to_owned());
    }
    match session.look_up(&new)? {
        None => Ok(Finding::NotConcerned("it does not supply what it stores")),
        Some(hit) => hit.check(&new).map(|()| Finding::Kept),
    }
}

pub(super) fn vanished_file(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let sample = subject.library("vanished")?;
    let last = sample.files.values().next_back();
    let last = last.ok_or("a library without files")?;
    fs::remove_file(last).map_err(|it| it.to_string())?;
    match session.ask(&Request::AfterBuild(sample.result())) {
        Ok(Ok(Answer::Stored(_))) => {
            return Err("it stores a file that does not exist".to_owned());
        }
        Ok(Ok(Answer::Declined(_)) | Err(_)) => {}
        Ok(other) => return Err(format!("it says {other:?}")),
        // A process that serves nobody else may say so by failing.
        Err(_) if !session.has(Capability::Session) => session = subject.session()?,
        Err(broken) => return Err(broken),
    }
    if session.look_up(&sample)?.is_some() {
        return Err("it supplies half a result".to_owned());
    }
    keep_and_look_up(&mut session, &subject.library("after a vanished one")?)
}

pub(super) fn wrong_bytes(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let sample = subject.library("right")?;
    let (name, path) = sample
        .files
        .iter()
        .next()
        .ok_or("a library without files")?;
    let size = sample.entry.files[name].size as usize;
    fs::write(path, "!".repeat(size)).map_err(|it| it.to_string())?;
    let mut result = sample.result();
    // Who links has nothing to copy, and so nothing to check.
    result.linkable.clear();
    match session.ask(&Request::AfterBuild(result)) {
        Ok(Ok(Answer::Declined(_)) | Err(_)) => Ok(Finding::Kept),
        // A process that serves nobody else may say so by failing.
        Err(_) if !session.has(Capability::Session) => Ok(Finding::Kept),
        Err(broken) => Err(broken),
        Ok(_) => match session.look_up(&sample)? {
            None => Ok(Finding::Kept),
            Some(_) => Err("it supplies what Cargo will refuse, again and again".to_owned()),
        },
    }
}

pub(super) fn relocation(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let sample = subject.library("relocation")?;
    let mut relocated = BTreeMap::new();
    // The second time it holds the same bytes already.
    for _ in 0..2 {
        match session.tell(&sample)? {
            Some(told) => relocated.extend(told),
            None => return Ok(KEEPS_NOTHING),
        }
    }
    if relocated.is_empty() {
        return Ok(Finding::NotConcerned("it relocates nothing"));
    }
    for (name, path) in relocated {
        let file = sample.entry.files.get(&name);
        let file = file.ok_or_else(|| format!("there is no `{name}`"))?;
        check_path(&path)?;
        hook_protocol::files::check(&path, file).map_err(|it| it.to_string())?;
        if sample.files.values().any(|it| *it == path) {
            return Err(format!("`{name}` lies where it was"));
        }
    }
    Ok(Finding::Kept)
}

pub(super) fn durable(subject: &Subject) -> Outcome {
    let mut session = match storing(subject)? {
        Ok(session) => session,
        Err(finding) => return Ok(finding),
    };
    let sample = subject.library("durable")?;
    if session.tell(&sample)?.is_none() {
        return Ok(KEEPS_NOTHING);
    }
    let Ok(Answer::Hit(hit)) = session.ask(&Request::BeforeBuild(sample.question()))? else {
        return Ok(Finding::NotConcerned("it does not supply what it stores"));
    };
    // Another question may come before the files are used, if they are of the session.
    let candidate = hit.candidates.first().ok_or("a hit without candidates")?;
    if candidate.lifetime != Lifetime::Request {
        session.look_up(&subject.library("another")?)?;
    }
    let check = || {
        for (name, file) in &sample.entry.files {
            let path = candidate.files.get(name).ok_or("a file is missing")?;
            hook_protocol::files::check(path, file).map_err(|it| it.to_string())?;
        }
        Ok::<_, Broken>(())
    };
    check()?;
    let is_durable = candidate.lifetime == Lifetime::Durable;
    session.end()?;
    if is_durable {
        check().map_err(|it| format!("after the session: {it}"))?;
    }
    Ok(Finding::Kept)
}
