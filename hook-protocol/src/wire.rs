//! The messages of the protocol, one struct each. Types only: no process, no file, no clock.
//!
//! Every line on the wire is one of [`Hello`] (hook to Cargo, once), [`Request`] (Cargo to hook) and
//! [`Response`] (hook to Cargo). Names are kebab-case, unknown fields are ignored, and every tagged
//! enum has an `Unknown` variant for tags of a later version.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Digest;

mod entry;
mod reason;
mod response;

pub use entry::{Bound, ENTRY_FORMAT, Entry, EntryFile, EnvInput, Inputs, OpaqueEntry, Role, Tree};
pub use reason::Reason;
pub use response::{
    Answer, Candidate, Declined, ErrorKind, Hit, HookError, Lifetime, Miss, Placement, Response,
    Stored,
};

/// The version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// What a hook says first, before it reads anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Hello {
    /// The protocol versions that the hook speaks. Cargo uses the highest that both know, and does
    /// not use the hook if there is none.
    pub v: Vec<u32>,
    /// The name under which Cargo speaks of the hook in messages.
    pub name: String,
    /// What the hook wants to be asked, and how.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
}

/// Something that a hook can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Capability {
    /// It answers [`Request::BeforeBuild`].
    BeforeBuild,
    /// It answers [`Request::AfterBuild`].
    AfterBuild,
    /// It serves a whole build: it answers [`Request::Begin`] and [`Request::End`] and goes on
    /// reading requests until then. A hook without it may exit after one answer.
    Session,
    /// It may be sent further requests before it has answered the earlier ones, and may answer
    /// them in any order.
    Concurrent,
    /// A capability of a later version. Ignored.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}

/// What Cargo asks of a hook, tagged by `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Request {
    /// A build begins.
    Begin(Begin),
    /// Cargo is about to build a unit: can the hook supply its outputs?
    BeforeBuild(BeforeBuild),
    /// Cargo has built a unit: does the hook want to keep its outputs?
    AfterBuild(AfterBuild),
    /// The build has ended. The hook answers when it has flushed, and exits.
    End(End),
    /// A request of a later version. A hook answers it with [`ErrorKind::NotSupported`].
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}

/// The first request of a build, sent to hooks with [`Capability::Session`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Begin {
    /// The protocol version of this request.
    pub v: u32,
    /// Names the request; the answer repeats it.
    pub id: u64,
    /// The root folder of the workspace that is built.
    pub workspace: PathBuf,
    /// The folder for intermediate artifacts (`build.build-dir`).
    pub build_dir: PathBuf,
    /// The digest of `Cargo.lock`; absent if there is no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockfile: Option<Digest>,
    /// The target triple of the machine that builds.
    pub host: String,
    /// How many jobs Cargo runs at once.
    pub jobs: u32,
    /// How long Cargo waits for a sign of life while it waits for an answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// The version of Cargo, as `cargo --version` tells it.
    pub cargo: String,
}

/// Asks for the outputs of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct BeforeBuild {
    /// The protocol version of this request.
    pub v: u32,
    /// Names the request; the answer repeats it.
    pub id: u64,
    /// What is to be built.
    pub unit: Unit,
    /// The hash summary: everything that goes into the unit.
    pub hashes: Hashes,
    /// The names of the outputs that a hit must supply.
    pub outputs: Vec<String>,
    /// Whether a miss has Cargo build the unit and offer the result, with these hashes, to this hook. Then a hook
    /// that serves other builds too may let them wait for it. Not so if Cargo asks for something that it
    /// would take, but not build.
    #[serde(default)]
    pub is_built: bool,
}

/// Tells of a unit that was built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct AfterBuild {
    /// The protocol version of this request.
    pub v: u32,
    /// Names the request; the answer repeats it.
    pub id: u64,
    /// What was built.
    pub unit: Unit,
    /// The hash summary, as it was in [`BeforeBuild`].
    pub hashes: Hashes,
    /// The description of the result, to be returned verbatim in a later [`Candidate`].
    pub entry: OpaqueEntry,
    /// Where each file of the entry lies. The files exist, unmodified, until this request is
    /// answered; no longer.
    pub files: BTreeMap<String, PathBuf>,
    /// The names of files that nobody edits in place: what replaces one of them is another file. A hook may keep a
    /// hard link to such a file instead of a copy, and may [relocate](Stored::relocated) it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linkable: Vec<String>,
    /// How long building took, in milliseconds.
    pub duration_ms: u64,
}

/// The last request of a build, sent to hooks with [`Capability::Session`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct End {
    /// The protocol version of this request.
    pub v: u32,
    /// Names the request; the answer repeats it.
    pub id: u64,
    /// What became of the build.
    pub summary: Summary,
}

/// A unit in which hooks had no part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Unshared {
    /// The unit.
    pub unit: Unit,
    /// What did not happen.
    pub step: Step,
    /// Why it did not happen.
    pub why: Reason,
}

/// What may happen between a unit and a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// The hook is asked for the unit.
    Offered,
    /// What the hook has is used.
    Restored,
    /// The hook keeps the result.
    Stored,
    /// A step of a later version.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}

/// What became of one build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", default)]
pub struct Summary {
    /// Whether the build succeeded.
    pub success: bool,
    /// Units whose outputs a hook supplied.
    pub restored: u64,
    /// Units that were compiled.
    pub compiled: u64,
    /// Build scripts that ran.
    pub ran: u64,
    /// Units among `compiled` and `ran` for which no hook was asked.
    pub not_offered: u64,
    /// The units in which hooks had no part, and why. Not those for which the hook itself had nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unshared: Vec<Unshared>,
}

/// Identifies a unit to people and to statistics. Nothing here is needed to find a result: that is
/// what [`Hashes`] is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Unit {
    /// The name of the package.
    pub package: String,
    /// The version of the package.
    pub version: String,
    /// The name of the target within the package.
    pub target: String,
    /// The kind of the target: `lib`, `proc-macro`, `bin`, `example`, `test`, `bench`,
    /// `custom-build`.
    pub target_kind: String,
    /// What is done with the target: `build`, `check`, `test`, `run-build-script`, `doc`.
    pub mode: String,
    /// The name of the profile.
    pub profile: String,
    /// The triple that is compiled for, `host` for units of the host.
    pub platform: String,
    /// The features that are on.
    pub features: Vec<String>,
}

/// The hash summary of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Hashes {
    /// `action` plus the digest of every file of the package. It names a candidate; a result is
    /// good only if its recorded inputs hold too, which Cargo checks.
    pub key: Digest,
    /// The digest of all ingredients: everything but the content of source files that can change.
    pub action: Digest,
    /// What went into `action`, by name. For people: which ingredient differs?
    pub ingredients: BTreeMap<String, Digest>,
    /// The files of the package, if they can change (packages from a registry or from git have
    /// none here: their checksum or revision is an ingredient). A hook that remembers what each result
    /// of an action read in the package can tell which of them fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileDigest>,
}

/// A file by path and content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct FileDigest {
    /// The path, with a placeholder such as `{package}` for its root.
    pub path: String,
    /// The digest of the content.
    pub digest: Digest,
}
