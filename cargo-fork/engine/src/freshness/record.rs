//! [`Record`]: what a unit was made of, as a file.
//!
//! ```text
//! file     = "cargo-content 1" LF checksum body
//! checksum = BLAKE3 of body, 32 bytes
//! body     = the fields of `Record`, in the format of `postcard` 1
//! ```
//!
//! Every build reads the records of all its units; digests as text were the first thing in its profile.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use hook_protocol::Digest;
use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::nanos;
use crate::files::Stat;

/// The beginning of every record, with the version of its format.
const MAGIC: &[u8] = b"cargo-content 1\n";

/// The length of a checksum in bytes.
const CHECKSUM: usize = 32;

/// What the file system said of a file. The device is left out: its number changes with every mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp(u64, Option<i64>, Option<i64>, Option<u64>);

impl Stamp {
    pub(super) fn size(&self) -> u64 {
        self.0
    }

    /// Compares outputs: the time of change moves when a link to a file is made anywhere.
    pub(super) fn is_same_output(&self, other: &Stamp) -> bool {
        (self.0, self.1, self.3) == (other.0, other.1, other.3)
    }
}

impl From<&Stat> for Stamp {
    fn from(stat: &Stat) -> Stamp {
        Stamp(
            stat.size,
            stat.modified.and_then(nanos),
            stat.changed_at().and_then(nanos),
            stat.identity.map(|(_, inode)| inode),
        )
    }
}

/// A file that the unit read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Input {
    pub(super) path: String,
    pub(super) stamp: Stamp,
    pub(super) digest: Digest,
    /// Whether the file had been left alone for a while: only then equal stamps tell that it is the same.
    pub(super) settled: bool,
}

/// A folder that the unit read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Folder {
    pub(super) path: String,
    /// The digest of its listing; of its files' times and sizes too, if they are too many to be inputs.
    pub(super) listing: Digest,
    pub(super) by_times: bool,
}

/// A folder around files that do not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Around {
    pub(super) path: String,
    pub(super) stamp: Stamp,
    pub(super) settled: bool,
}

/// A file that the unit produced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Output {
    pub(super) path: String,
    pub(super) stamp: Stamp,
    pub(super) digest: Digest,
}

/// Size and time of the file that tells whose a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reference(u64, Option<i64>);

impl Reference {
    pub(super) fn of(path: &Path) -> Option<Reference> {
        let stat = Stat::of(path).ok()?;
        Some(Reference(stat.size, stat.modified.and_then(nanos)))
    }
}

/// What a unit was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The name of the unit.
    pub(super) unit: String,
    /// What Cargo knows of the unit itself, as a hash: how it is built.
    pub own: String,
    /// Names this build of the unit.
    pub(super) run: String,
    pub(super) reference: Option<Reference>,
    /// The time at which the record was made, in nanoseconds.
    pub(super) made: Option<i64>,
    /// The input that cannot be shown to be what was built.
    pub(super) unstable: Option<String>,
    /// An input that does not exist.
    pub(super) missing: Option<String>,
    /// The paths on which the unit depends, by place.
    pub(super) bound: BTreeMap<String, String>,
    /// The variables that it read.
    pub env: Vec<(String, Option<String>)>,
    pub(super) inputs: Vec<Input>,
    pub(super) folders: Vec<Folder>,
    /// Files that did not exist, and would have mattered.
    pub(super) absent: Vec<String>,
    /// The folders in which one of them, or the folder around it, would appear: while these have their
    /// stamps, nothing has.
    pub(super) around: Vec<Around>,
    pub(super) outputs: Vec<Output>,
    /// The digests of the dependencies, by name.
    pub(super) dependencies: Vec<(String, Digest)>,
    /// Whether the unit may read what only its assembler knows.
    pub(super) assembles: bool,
    /// What the run of a build script came to.
    pub(super) effect: Option<Effect>,
    /// What Cargo's own fingerprint says of the package, where it reads all of it; and the digest of the
    /// names of the files.
    pub package: Option<(String, Digest)>,
    /// What the unit, if it is a macro, may read.
    pub(super) nature: Nature,
}

/// What a macro may read without telling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Nature {
    /// Anything that it was not given.
    pub(super) impure: bool,
    /// Variables that hold paths.
    pub(super) knows_places: bool,
}

impl Nature {
    pub(super) const ANY: Nature = Nature {
        impure: true,
        knows_places: true,
    };

    pub(super) fn and(self, other: Nature) -> Nature {
        Nature {
            impure: self.impure || other.impure,
            knows_places: self.knows_places || other.knows_places,
        }
    }
}

/// What is found where a record should be.
pub(super) enum Found {
    Nothing,
    Damaged,
    Record(Box<Record>),
}

impl Record {
    pub(super) fn read(path: &Path) -> Found {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
            Err(_) => return Found::Damaged,
        };
        match Record::parse(&bytes) {
            Some(record) => Found::Record(Box::new(record)),
            None => Found::Damaged,
        }
    }

    fn parse(bytes: &[u8]) -> Option<Record> {
        let (checksum, body) = bytes.strip_prefix(MAGIC)?.split_at_checked(CHECKSUM)?;
        let is_whole = Digest::of(body).as_bytes() == checksum;
        is_whole.then(|| postcard::from_bytes(body).ok()).flatten()
    }

    /// Writes the record beside its place and renames it: a reader finds the old one or this.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let body = postcard::to_allocvec(self).map_err(io::Error::other)?;
        let bytes = [MAGIC, Digest::of(&body).as_bytes(), &body].concat();
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut temporary = OsString::from(".");
        temporary.push(name);
        // Only one Cargo at a time has the build directory.
        let temporary = path.with_file_name(temporary);
        std::fs::write(&temporary, bytes)?;
        std::fs::rename(&temporary, path)
    }

    /// Returns the digest of everything that was read.
    pub(super) fn inputs_digest(&self) -> Digest {
        let mut text = String::new();
        for input in &self.inputs {
            let _ = writeln!(text, "{} {}", input.path, input.digest);
        }
        for folder in &self.folders {
            let _ = writeln!(text, "{}/ {}", folder.path, folder.listing);
        }
        Digest::of(text.as_bytes())
    }

    pub(super) fn dependency(&self, id: &str) -> Option<Digest> {
        let found = self.dependencies.iter().find(|(known, _)| known == id);
        found.map(|(_, digest)| *digest)
    }
}
