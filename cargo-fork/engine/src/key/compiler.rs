//! The ingredients `rustc` and `linker`: what compiles and what links, by content.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use hook_protocol::Digest;

use super::{Common, once};
use crate::Reason;
use crate::args::Arguments;
use crate::tools::resolve;
use crate::unit::{Command, Subject, Unit, is_clippy};

/// The identity of the compiler, and of what is wrapped around it.
pub(super) fn compiler(
    common: &Common,
    subject: &Subject,
    command: &Command,
) -> Result<String, Reason> {
    let mut out = toolchain(common, subject)?.to_string();
    let (program, wrappers) = command
        .programs
        .split_last()
        .expect("a command has a program");
    // A script that stands in for rustc may start any other.
    if is_script(program) {
        return Err(Reason::UnknownDriver(program.display().to_string()));
    }
    // What else does may add to its arguments.
    let program = common.tools.program(program).map_err(Reason::Unreadable)?;
    out.push_str(&format!(" {program}"));
    for wrapper in wrappers {
        let stem = wrapper.file_stem().unwrap_or_default().to_string_lossy();
        if !matches!(&*stem, "clippy-driver" | "sccache") {
            return Err(Reason::UnknownDriver(wrapper.display().to_string()));
        }
        let digest = common.tools.program(wrapper).map_err(Reason::Unreadable)?;
        out.push_str(&format!(" {stem} {digest}"));
        if is_clippy(wrapper) {
            out.push_str(&clippy_configuration(common, subject)?);
            // With `--no-deps` clippy is silent about every other package.
            if command.env.get("CARGO_PRIMARY_PACKAGE").is_some() {
                out.push_str(" primary");
            }
        }
    }
    Ok(out)
}

/// Returns whether a program is a script, which starts others.
fn is_script(program: &Path) -> bool {
    let begins = |path: PathBuf| {
        let mut begin = [0; 2];
        let file = std::fs::File::open(path);
        file.and_then(|mut file| file.read_exact(&mut begin))
            .is_ok()
            && &begin == b"#!"
    };
    resolve(program).is_some_and(begins)
}

/// The identity of the compiler as it was installed: for this machine, and for the unit's platform.
pub(crate) fn toolchain(common: &Common, subject: &Subject) -> Result<Digest, Reason> {
    let mut targets = vec![common.host.as_str()];
    if subject.id.platform != "host" {
        targets.push(&subject.id.platform);
    }
    targets.retain(|triple| {
        let libraries = common.sysroot.join("lib/rustlib").join(triple).join("lib");
        libraries.is_dir()
    });
    common
        .tools
        .compiler(&common.rustc_version, &common.sysroot, &targets)
        .map_err(Reason::Unreadable)
}

/// Clippy reads the nearest configuration file above the package; one that is added later counts too.
fn clippy_configuration(common: &Common, subject: &Subject) -> Result<String, Reason> {
    for dir in subject.source.root().ancestors() {
        for name in [".clippy.toml", "clippy.toml"] {
            let path = dir.join(name);
            if path.is_file() {
                let hashed = once(common, &path)?;
                return Ok(format!(" configured {hashed}"));
            }
        }
    }
    Ok(" not configured".to_owned())
}

pub(super) fn linker(
    common: &Common,
    unit: &Unit,
    arguments: &Arguments,
) -> Result<String, Reason> {
    let is_host = unit.subject.id.platform == "host" || unit.subject.id.platform == common.host;
    // The linker that rustc chooses for a foreign target is not known here.
    let linker = match arguments.linker.as_deref() {
        Some(linker) => linker,
        None if is_host => "cc",
        None => return Err(Reason::UnknownLinker(unit.subject.id.platform.clone())),
    };
    let linker = if linker.contains('/') {
        unit.subject.cwd.join(linker).to_string_lossy().into_owned()
    } else {
        linker.to_owned()
    };
    let digest = common
        .tools
        .linker(&linker, arguments.fuse_ld.as_deref())
        .map_err(Reason::Unreadable)?;
    Ok(digest.to_string())
}
