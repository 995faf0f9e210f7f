//! The part of the argument table that goes to the linker: `-C link-arg` and `-C link-args`.

use std::path::PathBuf;

use super::{Arguments, unknown};
use crate::reason::Reason;
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

/// Prefixes of such instructions that carry a value which is no file.
const KEPT_PREFIXES: &[&str] = &[
    "-rpath=",
    "-soname=",
    "-soname,",
    "-z,",
    "--hash-style=",
    "--icf=",
    "--threads=",
    "-march=",
    "-mtune=",
    "-dynamic-linker=",
    "--defsym=",
    "--entry=",
];

/// Reads one instruction to the linker.
///
/// # Errors
///
/// The [`Reason`] for which the unit cannot be offered.
pub(super) fn understand(arg: &str, roots: &Roots, out: &mut Arguments) -> Result<(), Reason> {
    let inner = arg.strip_prefix("-Wl,").unwrap_or(arg);
    let known =
        |token: &str| KEPT.contains(&token) || KEPT_PREFIXES.iter().any(|p| token.starts_with(p));
    let two_dashes = |token: &str| token.strip_prefix("--").map(|rest| format!("-{rest}"));
    if let Some(linker) = arg.strip_prefix("-fuse-ld=") {
        out.fuse_ld = Some(linker.to_owned());
    } else if let Some(name) = arg.strip_prefix("-l") {
        out.native_libs.push(name.to_owned());
    } else if let Some(dir) = arg.strip_prefix("-L") {
        out.search_dirs.push(PathBuf::from(dir));
    } else if let Some(script) = inner.strip_prefix("-T").filter(|rest| !rest.is_empty()) {
        out.files
            .push(PathBuf::from(script.trim_start_matches([',', '='])));
    } else if let Some(script) = inner
        .strip_prefix("--version-script=")
        .or_else(|| inner.strip_prefix("--dynamic-list="))
    {
        out.files.push(PathBuf::from(script));
    } else if !arg.starts_with(['-', '@']) {
        out.files.push(PathBuf::from(arg));
    } else if !(known(inner)
        || two_dashes(inner).is_some_and(|token| known(&token))
        || inner.split(',').all(known)
        || is_rpath(inner)
        || is_z_option(inner))
    {
        return Err(unknown(&format!("-C link-arg={arg}")));
    }
    out.kept
        .push(format!("-Clink-arg={}", roots.normalise(arg)));
    Ok(())
}

fn is_rpath(inner: &str) -> bool {
    inner.starts_with("-rpath,") || inner.starts_with("--rpath,")
}

fn is_z_option(inner: &str) -> bool {
    inner
        .strip_prefix("-z")
        .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
}
