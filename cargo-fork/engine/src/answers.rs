//! Where the answers of a compiler about itself are kept, such as its version and what it defines for a target.
//!
//! Cargo keeps them in each build directory, and asks again in each new one. They are the same in all of them, as
//! long as the compiler is: a program in a toolchain. What stands for a compiler elsewhere, as `rustup`, `asdf` and
//! scripts do, may be another compiler in each folder.
//!
//! ```text
//! MEMORY/compilers/START/DIGEST.json    START: of the machine, since answers may tell its processor; DIGEST: of the
//!                                       compiler's path, and of variables that compilers read
//! ```

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;
use serde::Deserialize;

use crate::env;
use crate::verified;

/// Returns the file for the answers of the compiler at `rustc`, an absolute path; `None` if it may be another
/// compiler in another folder, or if that cannot be told. The folder of the file is there.
///
/// `memory` is the folder in which Cargo keeps what it remembers for all build directories.
pub fn place<'a>(
    memory: &Path,
    rustc: &Path,
    variables: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<PathBuf> {
    if !is_of_toolchain(rustc) {
        return None;
    }
    let start = verified::machine_start()?;
    let compilers = memory.join("compilers");
    let folder = compilers.join(&start);
    if !folder.exists() {
        // What is of earlier starts is never looked at again.
        let _ = fs::remove_dir_all(&compilers);
        fs::create_dir_all(&folder).ok()?;
    }
    let mut lines: Vec<String> = variables
        .filter(|(name, _)| env::is_read_by_tools(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    lines.sort();
    lines.push(rustc.to_str()?.to_owned());
    let digest = Digest::of(lines.join("\0").as_bytes());
    let place = folder.join(format!("{}.json", digest.to_hex()));
    forget_failures(&place);
    Some(place)
}

/// Removes answers of a compiler that failed, which Cargo keeps, too: in one build directory people get rid of them
/// by cleaning it, and here nobody would.
fn forget_failures(place: &Path) {
    let Ok(text) = fs::read_to_string(place) else {
        return;
    };
    let answers: Option<Answers> = serde_json::from_str(&text).ok();
    let is_good = answers.is_some_and(|it| it.outputs.values().all(|it| it.success));
    if !is_good {
        let _ = fs::remove_file(place);
    }
}

/// What is looked at of Cargo's file.
#[derive(Deserialize)]
struct Answers {
    outputs: HashMap<String, Answer>,
}

#[derive(Deserialize)]
struct Answer {
    success: bool,
}

/// Returns whether a compiler is a program, no script, with its library in the place where toolchains have it.
fn is_of_toolchain(rustc: &Path) -> bool {
    let libraries = rustc
        .parent()
        .and_then(Path::parent)
        .map(|it| it.join("lib"));
    let Some(Ok(mut libraries)) = libraries.map(fs::read_dir) else {
        return false;
    };
    let is_driver = |name: &str| name.starts_with("librustc_driver-");
    let has_driver =
        libraries.any(|it| it.is_ok_and(|it| it.file_name().to_str().is_some_and(is_driver)));
    let mut magic = [0; 2];
    let begins = fs::File::open(rustc).and_then(|mut it| it.read_exact(&mut magic));
    has_driver && begins.is_ok() && magic != *b"#!"
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn compilers_of_toolchains_have_a_place() {
        let dir = tempfile::tempdir().unwrap();
        let memory = dir.path().join("memory");
        let rustc = dir.path().join("toolchain/bin/rustc");
        fs::create_dir_all(rustc.parent().unwrap()).unwrap();
        fs::create_dir_all(dir.path().join("toolchain/lib")).unwrap();
        let place = |variables: &[(&str, &str)]| place(&memory, &rustc, variables.iter().copied());
        fs::write(&rustc, "\x7fELF").unwrap();
        assert_eq!(place(&[]), None, "a shim has no library");
        fs::write(dir.path().join("toolchain/lib/librustc_driver-1.so"), "").unwrap();
        let plain = place(&[("HOME", "/x")]).unwrap();
        assert_eq!(place(&[]), Some(plain.clone()));
        assert_ne!(place(&[("RUSTC_BOOTSTRAP", "1")]), Some(plain.clone()));
        assert!(plain.parent().unwrap().is_dir());
        fs::write(&rustc, "#!/bin/sh\n").unwrap();
        assert_eq!(place(&[]), None, "a script may ask where it is");
    }

    #[test]
    fn failures_are_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("x.json");
        for (text, is_kept) in [
            (
                r#"{"rustc_fingerprint":1,"outputs":{"1":{"success":true,"stdout":""}}}"#,
                true,
            ),
            (
                r#"{"outputs":{"1":{"success":true},"2":{"success":false,"stderr":"killed"}}}"#,
                false,
            ),
            (r#"{"outputs":{"1":"#, false),
            ("{}", false),
        ] {
            fs::write(&place, text).unwrap();
            forget_failures(&place);
            assert_eq!(place.exists(), is_kept, "{text}");
        }
    }

    #[test]
    fn what_is_of_another_start_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let earlier = dir.path().join("compilers/earlier/x.json");
        fs::create_dir_all(earlier.parent().unwrap()).unwrap();
        fs::write(&earlier, "{}").unwrap();
        let toolchain = dir.path().join("toolchain");
        for folder in ["bin", "lib"] {
            fs::create_dir_all(toolchain.join(folder)).unwrap();
        }
        fs::write(toolchain.join("bin/rustc"), "\x7fELF").unwrap();
        fs::write(toolchain.join("lib/librustc_driver-1.so"), "").unwrap();
        let place = place(dir.path(), &toolchain.join("bin/rustc"), std::iter::empty());
        assert!(place.is_some() && !earlier.exists());
    }
}
