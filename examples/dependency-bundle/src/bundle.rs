//! [`Bundle`]: all results of a lock file, as one archive, and as a folder while a build uses it.
//!
//! ```text
//! DIR/LOCKFILE-HOST.tar.zst    entries.json: a list of entries; then blobs/DIGEST
//! DIR/LOCKFILE-HOST.lock       locked while the archive is written
//! DIR/.session-*               the folder of a build, with blobs/DIGEST; it goes with the build, or a day later
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
        remove_left_behind(dir);
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
                let mut blob = tempfile::NamedTempFile::new_in(self.folder.path())?;
                io::copy(&mut member, &mut blob)?;
                if Digest::of_file(blob.path())? == digest {
                    blob.persist(place)?;
                }
            }
        }
        // Only of an archive that was read to its end, and only what is all there.
        for entry in entries.context("there is no list of entries")? {
            if let Ok(parsed) = entry.parse()
                && self.places(&parsed).values().all(|it| it.exists())
            {
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
        let lock = self.archive.with_extension("lock");
        let lock = File::create(&lock)
            .and_then(|it| it.lock().map(|()| it))
            .with_context(|| format!("failed to lock `{}`", lock.display()))?;
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
        // A build may have written to a file through a link: its result is left out.
        let is_good = |entry: &OpaqueEntry| {
            let files = entry.parse().map(|it| it.files).unwrap_or_default();
            files
                .values()
                .all(|file| files::check(&self.blob(&file.digest), file).is_ok())
        };
        let entries: Vec<&OpaqueEntry> = self.entries.values().filter(|it| is_good(it)).collect();
        let text = serde_json::to_vec(&entries)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive
            .append_data(&mut header, ENTRIES, &*text)
            .with_context(context)?;
        let mut written = BTreeMap::new();
        for entry in &entries {
            written.extend(entry.parse()?.files.into_values().map(|it| (it.digest, it)));
        }
        for digest in written.into_keys() {
            let place = self.blob(&digest);
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
        drop(lock);
        Ok(())
    }
}

/// How old a folder must be that a build was killed in: older than any that still uses its own.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes what killed builds left.
fn remove_left_behind(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with('.');
        let modified = entry.metadata().and_then(|it| it.modified());
        let is_old = modified.is_ok_and(|it| it.elapsed().is_ok_and(|age| age > LEFT_BEHIND));
        if is_ours && is_old {
            let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
        }
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|it| it.kind() == io::ErrorKind::NotFound)
}
