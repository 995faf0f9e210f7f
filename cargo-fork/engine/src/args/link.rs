//! The part of the argument table that goes to the linker: `-C link-arg` and `-C link-args`.

use std::path::PathBuf;

use super::{Arguments, NativeLib, unknown};
use crate::Reason;
use crate::roots::Roots;

/// Instructions to the linker, or to the C compiler that starts it, whose text is their meaning.
const KEPT: &[&str] = &[
    "-Bdynamic",
    "-Bstatic",
    "-O1",
    "-O2",
    "-m32",
    "-m64",
    "-no-pie",
    "-nodefaultlibs",
    "-nostartfiles",
    "-nostdlib",
    "-pie",
    "-pthread",
    "-rdynamic",
    "-s",
    "-static",
    "-static-pie",
    "--as-needed",
    "--no-as-needed",
    "--build-id",
    "--build-id=none",
    "--build-id=sha1",
    "--compress-debug-sections=none",
    "--dynamic-list-data",
    "--eh-frame-hdr",
    "--export-dynamic",
    "--gc-sections",
    "--no-gc-sections",
    "--no-undefined",
    "--nmagic",
    "--omagic",
    "--strip-all",
    "--strip-debug",
    "--disable-new-dtags",
    "--enable-new-dtags",
];

/// Options with a value that is no file: after `=`, or as the next part of the list.
const WITH_VALUE: &[&str] = &[
    "-dynamic-linker",
    "-e",
    "-entry",
    "-h",
    "-hash-style",
    "-icf",
    "-march",
    "-mtune",
    "-rpath",
    "-soname",
    "-threads",
    "-z",
];

/// Options with a value that is a file which the linker reads.
const WITH_FILE: &[&str] = &["-T", "-script", "-version-script", "-dynamic-list"];

/// Reads one instruction to the linker, which may be a list: `-Wl,A,B`.
///
/// # Errors
///
/// The [`Reason`] for which the unit cannot be offered.
pub(super) fn understand(arg: &str, roots: &Roots, out: &mut Arguments) -> Result<(), Reason> {
    if let Some(linker) = arg.strip_prefix("-fuse-ld=") {
        out.fuse_ld = Some(linker.to_owned());
    } else {
        let list = arg.strip_prefix("-Wl,").unwrap_or(arg);
        parts(list, out).ok_or_else(|| unknown(&format!("-C link-arg={arg}")))?;
    }
    out.kept
        .push(format!("-Clink-arg={}", roots.normalise(arg)));
    Ok(())
}

/// Reads the parts of a list; `None` if one of them is not understood.
fn parts(list: &str, out: &mut Arguments) -> Option<()> {
    let mut parts = list.split(',');
    while let Some(part) = parts.next() {
        // Long options may be written with one dash or two.
        let option = part
            .strip_prefix('-')
            .filter(|rest| rest.starts_with('-'))
            .unwrap_or(part);
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        if KEPT
            .iter()
            .any(|kept| *kept == part || kept.strip_prefix('-') == Some(option))
        {
            continue;
        } else if WITH_VALUE.contains(&name) {
            plain_value(value.or_else(|| parts.next())?)?;
        } else if WITH_FILE.contains(&name) {
            out.files
                .push(PathBuf::from(value.or_else(|| parts.next())?));
        } else if let Some(keyword) = part.strip_prefix("-z") {
            plain_value(keyword)?;
        } else if let Some(library) = part.strip_prefix("-l") {
            out.native_libs.push(NativeLib::parse_linker(library));
        } else if let Some(dir) = part.strip_prefix("-L") {
            out.search_dirs.push(PathBuf::from(dir));
        } else if let Some(script) = part.strip_prefix("-T").filter(|rest| !rest.is_empty()) {
            out.files.push(PathBuf::from(script));
        } else if !part.is_empty() && !part.starts_with(['-', '@']) {
            out.files.push(PathBuf::from(part));
        } else {
            return None;
        }
    }
    Some(())
}

/// A value that names a file of further instructions (`@FILE`) is none.
fn plain_value(value: &str) -> Option<()> {
    (!value.is_empty() && !value.contains('@')).then_some(())
}
