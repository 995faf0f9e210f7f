//! The client against real processes, well-behaved and not, with no Cargo in sight.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod faults;
mod lifetimes;
mod timing;

use std::path::PathBuf;
use std::time::Duration;

use hook_protocol::Digest;
use hook_protocol::client::{Client, Command, Error, Options};
use hook_protocol::wire::*;

/// Longer than any test takes that is not about time.
const LONG: Duration = Duration::from_secs(30);

/// Capabilities of the hooks under test.
const SESSION: &str = "hello=before-build,after-build,session";
const CONCURRENT: &str = "hello=before-build,after-build,session,concurrent";
const ONE_SHOT: &str = "hello=before-build,after-build";

fn command(steps: &[&str]) -> Command {
    Command {
        program: PathBuf::from(env!("CARGO_BIN_EXE_faulty-hook")),
        args: steps.iter().map(Into::into).collect(),
        cwd: None,
        env: Vec::new(),
    }
}

fn client_with(command: Command, timeout: Duration, jobs: usize) -> Client {
    Client::new(command, Options { timeout, jobs })
}

/// A client whose hook does `steps`; `begin` has been called and its outcome is returned too.
fn started(steps: &[&str]) -> (Client, Result<(), Error>) {
    let client = client_with(command(steps), LONG, 1);
    let outcome = client.begin(begin());
    (client, outcome)
}

/// As [`started`], for hooks whose beginning is good.
fn running(steps: &[&str]) -> Client {
    let (client, outcome) = started(steps);
    outcome.unwrap();
    client
}

fn begin() -> Begin {
    Begin {
        v: 0,
        id: 0,
        workspace: "/w".into(),
        build_dir: "/w/target".into(),
        lockfile: None,
        host: "x86_64-unknown-linux-gnu".to_owned(),
        jobs: 2,
        timeout_ms: None,
        cargo: "1.97.0".to_owned(),
    }
}

fn unit() -> Unit {
    Unit {
        package: "foo".to_owned(),
        version: "1.0.0".to_owned(),
        target: "foo".to_owned(),
        target_kind: "lib".to_owned(),
        mode: "build".to_owned(),
        profile: "dev".to_owned(),
        platform: "host".to_owned(),
        features: Vec::new(),
    }
}

fn hashes() -> Hashes {
    let (key, action) = (Digest::of(b"key"), Digest::of(b"action"));
    Hashes {
        key,
        action,
        ingredients: Default::default(),
        files: Vec::new(),
    }
}

fn before() -> BeforeBuild {
    BeforeBuild {
        v: 0,
        id: 0,
        unit: unit(),
        hashes: hashes(),
        outputs: Vec::new(),
        is_built: false,
    }
}

fn after() -> AfterBuild {
    AfterBuild {
        v: 0,
        id: 0,
        unit: unit(),
        hashes: hashes(),
        entry: OpaqueEntry(serde_json::json!({"format": 1})),
        files: Default::default(),
        linkable: Vec::new(),
        duration_ms: 1,
    }
}

fn miss() -> Answer {
    Answer::Miss(Miss::default())
}
