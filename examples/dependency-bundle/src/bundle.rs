//! [`Bundle`]: all results of a lock file, as one archive, and as a folder while a build uses it.
//!
//! ```text
//! DIR/LOCKFILE-HOST.tar.zst    entries.json: a list of entries; then blobs/DIGEST
//! DIR/.session-*               the folder of a build, with blobs/DIGEST; it goes with the build
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use hook_protocol::wire::{Candidate, Entry, Lifetime, OpaqueEntry, Placement};
use hook_protocol::{Digest, files};

/// The name of the list in the archive.
const ENTRIES: &str = "entries.json";

/// The largest list that is read: more than any lock file needs.
const MAX_ENTRIES: u64 = 1 << 30;

/// How hard `zstd` tries: its default. Artifacts compress to about a third.
const LEVEL: i32 = 3;

/// Results by key, with their files in a folder.
pub(crate) struct Bundle {
    archive: PathBuf,
    folder: tempfile::TempDir,
    entries: BTreeMap<Digest, OpaqueEntry>,
    /// Whether there is something that the archive does not hold.
    pub(crate) has_new: bool,
}

impl Bundle {
    /// Unpacks the archive at `archive`, if there is one, into a new folder beside it.
    ///
    /// # Errors
    ///
    /// If there is no place for the folder. An archive that cannot be read is as good as none.
    pub(crate) fn open(archive: &Path) -> Result<Bundle> {
        let dir = archive.parent().context("an archive lies in a folder")?;
        fs::create_dir_all(dir).with_context(|| format!("failed to create `{}`", dir.display()))?;
        let folder = tempfile::Builder::new().prefix(".session-").tempdir_in(dir);
        let folder = folder.with_context(|| format!("failed to write to `{}`", dir.display()))?;
        fs::create_dir(folder.path().join("blobs")).context("failed to create a folder")?;
        let mut bundle = Bundle {
            archive: archive.to_path_buf(),
            folder,
            entries: BTreeMap::new(),
            has_new: false,
        };
        match bundle.unpack() {
            Ok(()) => {}
            Err(error) if is_not_found(&error) => {}
            Err(error) => eprintln!("the bundle is made anew: {error:#}"),
        }
        Ok(bundle)
    }

    /// Adds what the archive holds now. What is here already stays.
    fn unpack(&mut self) -> Result<()> {
        let file = File::open(&self.archive)?;
        let mut archive = tar::Archive::new(zstd::Decoder::new(BufReader::new(file))?);
        let mut entries: Option<Vec<OpaqueEntry>> = None;
        for member in archive.entries()? {
            let mut member = member?;
            let name = member.path()?.into_owned();
            if name == Path::new(ENTRIES) {
                let mut text = Vec::new();
                member.by_ref().take(MAX_ENTRIES).read_to_end(&mut text)?;
                entries = Some(serde_json::from_slice(&text).context("failed to parse entries")?);
                continue;
            }
            let digest = name.strip_prefix("blobs").ok().and_then(Path::to_str);
            let digest: Digest = format!("blake3:{}", digest.unwrap_or_default())
                .parse()
                .context("an unexpected member")?;
            let place = self.blob(&digest);
            if !place.exists() {
                io::copy(&mut member, &mut BufWriter::new(File::create(place)?))?;
            }
        }
        // Only of an archive that was read to its end.
        for entry in entries.context("there is no list of entries")? {
            if let Ok(parsed) = entry.parse() {
                self.entries.entry(parsed.key).or_insert(entry);
            }
        }
        Ok(())
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.path().join("blobs").join(digest.to_hex())
    }

    /// Returns the result for a key.
    pub(crate) fn candidate(&self, key: &Digest) -> Option<Candidate> {
        let entry = self.entries.get(key)?;
        let files = entry.parse().ok()?.files;
        Some(Candidate {
            entry: entry.clone(),
            files: files
                .iter()
                .map(|(name, file)| (name.clone(), self.blob(&file.digest)))
                .collect(),
            placement: Placement::Link,
            lifetime: Lifetime::Session,
        })
    }

    /// Returns where the files of an entry go, by name.
    pub(crate) fn places(&self, entry: &Entry) -> BTreeMap<String, PathBuf> {
        let files = entry.files.iter();
        files
            .map(|(name, file)| (name.clone(), self.blob(&file.digest)))
            .collect()
    }

    /// Adds a result whose files are in their places.
    pub(crate) fn add(&mut self, key: Digest, entry: OpaqueEntry) {
        self.entries.insert(key, entry);
        self.has_new = true;
    }

    /// Writes the archive, with what another build may have added to it meanwhile.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn save(&mut self) -> Result<()> {
        if let Err(error) = self.unpack() {
            ensure!(
                is_not_found(&error) || self.has_new,
                "failed to read `{}`: {error:#}",
                self.archive.display()
            );
        }
        let context = || format!("failed to write `{}`", self.archive.display());
        let dir = self
            .archive
            .parent()
            .context("an archive lies in a folder")?;
        let new = tempfile::NamedTempFile::new_in(dir).with_context(context)?;
        let encoder = zstd::Encoder::new(BufWriter::new(new), LEVEL).with_context(context)?;
        let mut archive = tar::Builder::new(encoder);
        let entries: Vec<&OpaqueEntry> = self.entries.values().collect();
        let text = serde_json::to_vec(&entries)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive
            .append_data(&mut header, ENTRIES, &*text)
            .with_context(context)?;
        let mut written = BTreeMap::new();
        for entry in self.entries.values() {
            written.extend(entry.parse()?.files.into_values().map(|it| (it.digest, it)));
        }
        for (digest, file) in written {
            let place = self.blob(&digest);
            // A build may have written to it through a link.
            files::check(&place, &file).with_context(context)?;
            let name = format!("blobs/{}", digest.to_hex());
            let mut blob = File::open(&place).with_context(context)?;
            archive.append_file(name, &mut blob).with_context(context)?;
        }
        let encoder = archive.into_inner().with_context(context)?;
        let writer = encoder.finish().with_context(context)?;
        let new = writer.into_inner().map_err(|it| it.into_error());
        new.with_context(context)?
            .persist(&self.archive)
            .with_context(context)?;
        Ok(())
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|it| it.kind() == io::ErrorKind::NotFound)
}
