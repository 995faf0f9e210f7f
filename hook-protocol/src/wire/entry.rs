//! The entry: Cargo's own description of a result, which hooks keep and return verbatim.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FileDigest, Unit};
use crate::Digest;

/// An entry as hooks see it: JSON to be kept and returned as it is.
///
/// [`OpaqueEntry::parse`] gives the [`Entry`] for statistics and explanations. Unknown fields of a
/// later Cargo survive in here; they would not survive a round trip through [`Entry`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct OpaqueEntry(
    #[cfg_attr(feature = "schema", schemars(with = "Entry"))] pub serde_json::Value,
);

impl OpaqueEntry {
    /// Returns the entry in a form that can be read.
    ///
    /// # Errors
    ///
    /// If it is not an entry, or one of a format that this crate does not know.
    pub fn parse(&self) -> Result<Entry, serde_json::Error> {
        Entry::deserialize(&self.0)
    }
}

impl From<&Entry> for OpaqueEntry {
    fn from(entry: &Entry) -> OpaqueEntry {
        OpaqueEntry(serde_json::to_value(entry).expect("an entry has only string keys"))
    }
}

/// The format of [`Entry`] that this crate writes and reads.
pub const ENTRY_FORMAT: u32 = 1;

/// The description of a result. Cargo writes it after a build, and checks it before use: first that
/// it belongs to the question, then its inputs against this build, then each file against its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// [`ENTRY_FORMAT`]. An entry of another format is never used.
    pub format: u32,
    /// What was built.
    pub unit: Unit,
    /// [`Hashes::action`](super::Hashes::action) of the question that this result answers.
    pub action: Digest,
    /// [`Hashes::key`](super::Hashes::key) of the question that this result answers.
    pub key: Digest,
    /// What the result really read.
    pub inputs: Inputs,
    /// What the compiler said, a JSON message a line, with placeholders for paths: what Cargo shows
    /// again when it uses the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// The outputs, by name: `/` separates folders.
    pub files: BTreeMap<String, EntryFile>,
    /// What else belongs to a result that is a folder: that of a build script.
    #[serde(default, skip_serializing_if = "Tree::is_empty")]
    pub tree: Tree,
    /// Whether the result must not leave the machine: it was compiled incrementally, or made by a build
    /// script that may use the network.
    #[serde(default)]
    pub local_only: bool,
}

/// What a result read while it was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", default)]
pub struct Inputs {
    /// Files, with placeholders for the roots of their paths.
    pub files: Vec<FileDigest>,
    /// Folders, with placeholders, and the digests of what is in them: names and content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<FileDigest>,
    /// Shared libraries that the linker found, with placeholders: files that no compiler reports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<FileDigest>,
    /// Files that must not exist, with placeholders: if they did, the result would be another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// The digest of all files of the package, if the result may depend on any of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Digest>,
    /// Environment variables that the compiler looked at.
    pub env: Vec<EnvInput>,
    /// Environment variables that the sources may name to a macro, which tells nobody what it reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<EnvInput>,
    /// Paths of the machine that the result contains, by placeholder: it is bound to them, and is
    /// used only where the placeholder stands for a path with the same digest.
    pub bound: BTreeMap<String, Bound>,
}

/// A path of the machine to which a result is bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct Bound {
    /// The digest of the path.
    pub path: Digest,
    /// What holds it, for people.
    #[serde(default)]
    pub by: String,
}

/// An environment variable that a result depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct EnvInput {
    /// The name of the variable.
    pub name: String,
    /// The digest of its value; absent if the variable was not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Digest>,
}

/// An output of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct EntryFile {
    /// What the file is for.
    pub role: Role,
    /// The digest of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether people may execute it.
    #[serde(default)]
    pub executable: bool,
    /// Whether the file is kept as a text with placeholders for paths of the machine: Cargo writes the
    /// paths of the place where it is used. Digest and size are those of the file with placeholders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub placeholders: bool,
}

/// Folders and links of a result that is a folder. Its files are among [`Entry::files`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", default)]
pub struct Tree {
    /// The folders, by name.
    pub folders: Vec<String>,
    /// Symbolic links: names, and where they lead, relative to the folder in which they lie.
    pub links: BTreeMap<String, String>,
}

impl Tree {
    /// Returns whether there is neither a folder nor a link.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.links.is_empty()
    }
}

/// What an output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// What is linked, loaded or run: rlib, dynamic library, archive, executable.
    Link,
    /// The `.rmeta` that dependents need.
    Metadata,
    /// Debug information beside the output.
    DebugInfo,
    /// Anything else that Cargo lists, such as an import library.
    Auxiliary,
    /// What a build script printed: its instructions to Cargo, or what it said on standard error.
    Printed,
    /// A file that a build script left in its folder.
    OutDir,
    /// A role of a later version. An entry with such a file is not used.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}
