//! Shared libraries that a linked output needs.
//!
//! A `#[link]` attribute in any dependency names a library, and no argument tells of it. What was found is
//! in the output, so that it is recorded as an input.

use std::fs::File;
use std::path::{Path, PathBuf};

use hook_protocol::wire::FileDigest;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _};
use object::{Endianness, ReadCache, ReadRef};

use crate::Reason;
use crate::before::Before;
use crate::files::{FileDigests, Stat};
use crate::inputs::normalised;
use crate::tools::Tools;
use crate::unit::Subject;

/// Parts of the C runtime: they belong to the identity of the linker.
const RUNTIME: &[&str] = &[
    "ld-linux",
    "libc.so",
    "libdl.so",
    "libgcc_s.so",
    "libm.so",
    "libpthread.so",
    "librt.so",
    "libutil.so",
];

/// Where a linker looks for libraries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// The linker.
    pub(crate) linker: String,
    /// The folders that it was told, absolute.
    pub(crate) folders: Vec<PathBuf>,
}

/// Returns the libraries that `output` needs, with their digests.
///
/// # Errors
///
/// A [`Reason`] if one changed while the unit was built, or cannot be read.
pub(crate) fn libraries(
    subject: &Subject,
    output: &Path,
    search: &Search,
    tools: &Tools,
    digests: &FileDigests,
    before: &Before,
) -> Result<Vec<FileDigest>, Reason> {
    let unreadable = |path: &Path, error: std::io::Error| {
        Reason::Unreadable(format!("`{}`: {error}", path.display()))
    };
    // Read as far as is needed: programs are large.
    let file = File::open(output).map_err(|error| unreadable(output, error))?;
    let content = ReadCache::new(file);
    let mut out = Vec::new();
    for name in names(&content).unwrap_or_default() {
        let told = search.folders.iter().map(|folder| folder.join(&name));
        let found = told.into_iter().find(|path| path.is_file());
        let found = found.or_else(|| tools.library(&search.linker, std::slice::from_ref(&name)));
        // What is not found by its name here, such as a library of Rust's, is found otherwise.
        let Some(path) = found else { continue };
        let hashed = digests
            .input(&path)
            .map_err(|error| unreadable(&path, error))?;
        let is_old = |stat: &Stat| stat.is_older_than(before.clock().now());
        if !is_old(&hashed.stat) && !path.starts_with(&subject.build_dir) {
            return Err(Reason::InputChanged(format!("`{}`", path.display())));
        }
        out.push(FileDigest {
            path: normalised(subject, &path)?,
            digest: hashed.digest,
        });
    }
    Ok(out)
}

/// Returns the names of the shared libraries that an output needs, without those of the C runtime; `None`
/// if it is no such output.
fn names<'data>(content: impl ReadRef<'data>) -> Option<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(content).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, content).ok()?;
    let (entries, strings) = sections.dynamic(endian, content).ok()??;
    let strings = sections.strings(endian, content, strings).ok()?;
    let needed = entries
        .iter()
        .filter(|entry| entry.tag32(endian) == Some(DT_NEEDED));
    let names = needed.filter_map(|entry| {
        let offset = entry.val32(endian)?;
        let name = strings.get(offset).ok()?;
        std::str::from_utf8(name).ok().map(str::to_owned)
    });
    let is_runtime = |name: &String| RUNTIME.iter().any(|it| name.starts_with(it));
    Some(names.filter(|name| !is_runtime(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_needs_is_read() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(
            names(&*this).unwrap(),
            [] as [String; 0],
            "only the C runtime"
        );
        let cached = ReadCache::new(File::open(std::env::current_exe().unwrap()).unwrap());
        assert_eq!(names(&cached), names(&*this));
        assert_eq!(names(&b"\x7fELF"[..]), None);
        assert_eq!(names(&b""[..]), None);
    }
}
