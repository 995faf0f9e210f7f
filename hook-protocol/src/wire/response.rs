//! What a hook says to a request.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::OpaqueEntry;

/// A hook's answer to the request with the same `id`: exactly one of `Ok` and `Err`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Response {
    /// The `id` of the request.
    pub id: u64,
    /// The answer.
    #[serde(rename = "Ok", default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Answer>,
    /// What went wrong instead.
    #[serde(rename = "Err", default, skip_serializing_if = "Option::is_none")]
    pub err: Option<HookError>,
}

/// An answer, tagged by `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// To [`Begin`](super::Begin): the hook is ready.
    Ready,
    /// To [`BeforeBuild`](super::BeforeBuild): results that may fit.
    Hit(Hit),
    /// To [`BeforeBuild`](super::BeforeBuild): there is none.
    Miss(Miss),
    /// To [`AfterBuild`](super::AfterBuild): the hook has kept the outputs.
    Stored(Stored),
    /// To [`AfterBuild`](super::AfterBuild): the hook has not kept the outputs.
    Declined(Declined),
    /// To [`End`](super::End): all is flushed.
    Done,
    /// An answer of a later version. Cargo treats it as an error of the hook.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}

/// Results that may fit, best first. Cargo takes the first whose recorded inputs hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Hit {
    /// The results. Never empty.
    pub candidates: Vec<Candidate>,
}

/// One result that may fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Candidate {
    /// The entry as [`AfterBuild`](super::AfterBuild) brought it, verbatim.
    pub entry: OpaqueEntry,
    /// Where each file of the entry lies: absolute paths of ordinary files.
    pub files: BTreeMap<String, PathBuf>,
    /// Whether Cargo may refer to the files in place.
    #[serde(default)]
    pub placement: Placement,
    /// How long the files exist.
    #[serde(default)]
    pub lifetime: Lifetime,
}

/// Whether Cargo may refer to supplied files in place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Placement {
    /// The files are immutable: Cargo may share their storage.
    Link,
    /// Cargo makes a copy of its own. So it does for a placement of a later version.
    #[default]
    #[serde(other)]
    Copy,
}

/// How long supplied files exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Lifetime {
    /// For good, as far as the hook can tell.
    Durable,
    /// Until the session ends.
    Session,
    /// Until Cargo sends its next message about the unit, or ends the session. A lifetime of a
    /// later version counts as this one.
    #[default]
    #[serde(other)]
    Request,
}

/// There is no result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Miss {
    /// Why, in a few words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The outputs were kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Stored {
    /// Relocation: for files of the request, another path where the same bytes now lie. Cargo may
    /// replace its own file by a link to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relocated: BTreeMap<String, PathBuf>,
}

/// The outputs were not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Declined {
    /// Why, in a few words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Something went wrong in the hook. Cargo builds the unit as if there were no hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct HookError {
    /// What kind of error.
    pub kind: ErrorKind,
    /// The error, for people.
    pub message: String,
    /// Its causes, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<String>,
}

/// The kind of a [`HookError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The hook does not know this kind of request.
    NotSupported,
    /// Anything else.
    #[serde(other)]
    Other,
}
