//! The table of understood compiler arguments.
//!
//! Every argument is *kept* (its normalised text enters the key), *left out* (it changes what is shown
//! or where files go, not what they hold), *resolved* (what it names enters by content), or *not
//! understood*: then the unit is not offered. The table must never keep an argument whose meaning lies
//! in something that its text only names.

use std::path::PathBuf;

use crate::Reason;
use crate::roots::Roots;

mod link;
mod native_lib;

pub use native_lib::NativeLib;

/// What a rustc command line says, path-free.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The kept arguments, normalised, in their order.
    pub kept: Vec<String>,
    /// Whether the unit is compiled incrementally.
    pub incremental: bool,
    /// The linker that was asked for with `-C linker`.
    pub linker: Option<String>,
    /// Files whose content matters: a target specification, profile data, linker scripts, objects.
    pub files: Vec<PathBuf>,
    /// Files of `--extern`.
    pub externs: Vec<PathBuf>,
    /// Directories of `-L dependency=`.
    pub dependency_dirs: Vec<PathBuf>,
    /// The other directories of `-L`.
    pub search_dirs: Vec<PathBuf>,
    /// What `-l` asks for.
    pub native_libs: Vec<NativeLib>,
    /// Whether `native` stands for the features of this machine's processor.
    pub native_cpu: bool,
    /// The value of `-fuse-ld`, an instruction to the C compiler that links.
    pub fuse_ld: Option<String>,
    /// Whether the compiler is told names for this machine's places.
    pub remapped: bool,
}

/// The folder below which Cargo tells the compiler that the places outside the workspace lie.
pub const VIRTUAL: &str = "/cargo/";

/// Options that take their value in the next argument or after `=`, and are kept.
const KEPT_WITH_VALUE: &[&str] = &[
    "--crate-name",
    "--crate-type",
    "--edition",
    "--cfg",
    "--check-cfg",
];

/// Options that take a value and are left out.
const DROPPED_WITH_VALUE: &[&str] = &[
    "--cap-lints",
    "--error-format",
    "--diagnostic-width",
    "--color",
    "--out-dir",
];

const LINT_FLAGS: &[&str] = &[
    "--allow",
    "--warn",
    "--deny",
    "--forbid",
    "--force-warn",
    "-A",
    "-W",
    "-D",
    "-F",
];

/// Parts of `--json` that change what is recorded; all other known parts change what is shown.
const JSON_KEPT: &[&str] = &["future-incompat", "unused-externs", "unused-externs-silent"];
const JSON_SHOWN: &[&str] = &[
    "artifacts",
    "timings",
    "diagnostic-short",
    "diagnostic-unicode",
    "diagnostic-rendered-ansi",
];

/// Code generation options whose text is their meaning.
const CODEGEN_KEPT: &[&str] = &[
    "code-model",
    "codegen-units",
    "collapse-macro-debuginfo",
    "control-flow-guard",
    "debug-assertions",
    "debuginfo",
    "default-linker-libraries",
    "dwarf-version",
    "embed-bitcode",
    "extra-filename",
    "force-frame-pointers",
    "force-unwind-tables",
    "inline-threshold",
    "jump-tables",
    "link-dead-code",
    "link-self-contained",
    "linker-features",
    "linker-flavor",
    "lto",
    "metadata",
    "no-prepopulate-passes",
    "no-redzone",
    "no-vectorize-loops",
    "no-vectorize-slp",
    "opt-level",
    "overflow-checks",
    "panic",
    "prefer-dynamic",
    "relocation-model",
    "relro-level",
    "soft-float",
    "strip",
    "symbol-mangling-version",
    "target-feature",
];

/// Unstable options whose text is their meaning.
const UNSTABLE_KEPT: &[&str] = &[
    "allow-features",
    "crate-attr",
    "force-unstable-if-unmarked",
    "hint-mostly-unused",
    "macro-backtrace",
    "panic-abort-tests",
    "share-generics",
    "threads",
    "unstable-options",
];

/// Reads the arguments of rustc, without the program and without the wrappers before it.
///
/// # Errors
///
/// The [`Reason`] for which the unit cannot be offered.
pub fn understand(args: &[String], roots: &Roots) -> Result<Arguments, Reason> {
    let mut out = Arguments::default();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let mut value_of = |flag: &str| -> Option<Result<String, Reason>> {
            let rest = arg.strip_prefix(flag)?;
            if rest.is_empty() {
                let next = args.next().map(str::to_owned);
                return Some(next.ok_or_else(|| unknown(arg)));
            }
            let short = !flag.starts_with("--");
            match rest.strip_prefix('=') {
                Some(value) if !short => Some(Ok(value.to_owned())),
                _ if short => Some(Ok(rest.to_owned())),
                _ => None,
            }
        };
        if arg == "--test" || arg == "-O" || arg == "-g" {
            out.kept.push(arg.to_owned());
        } else if let Some((flag, value)) = find_value(KEPT_WITH_VALUE, &mut value_of) {
            out.kept
                .push(format!("{flag}={}", roots.normalise(&value?)));
        } else if let Some((_, value)) = find_value(DROPPED_WITH_VALUE, &mut value_of) {
            value?;
        } else if let Some((flag, value)) = find_value(LINT_FLAGS, &mut value_of) {
            out.kept.push(format!("{flag}={}", value?));
        } else if let Some(value) = value_of("--json") {
            json(&value?, &mut out)?;
        } else if let Some(value) = value_of("--remap-path-prefix") {
            remap(&value?, roots, &mut out);
        } else if let Some(value) = value_of("--emit") {
            emit(&value?, &mut out)?;
        } else if let Some(value) = value_of("--target") {
            target(value?, &mut out);
        } else if let Some(value) = value_of("--extern") {
            extern_crate(&value?, &mut out);
        } else if let Some(value) = value_of("-L") {
            search_dir(&value?, roots, &mut out);
        } else if let Some(value) = value_of("-l") {
            native_lib(&value?, &mut out);
        } else if let Some(value) = value_of("--codegen").or_else(|| value_of("-C")) {
            codegen(&value?, roots, &mut out)?;
        } else if let Some(value) = value_of("-Z") {
            unstable(&value?, &mut out)?;
        } else if !arg.starts_with(['-', '@']) {
            out.kept.push(roots.normalise(arg));
        } else {
            return Err(unknown(arg));
        }
    }
    Ok(out)
}

type Value = Result<String, Reason>;

fn find_value<'a>(
    flags: &[&'a str],
    value_of: &mut impl FnMut(&str) -> Option<Value>,
) -> Option<(&'a str, Value)> {
    flags.iter().find_map(|&flag| Some((flag, value_of(flag)?)))
}

fn unknown(arg: &str) -> Reason {
    Reason::UnknownArgument(arg.to_owned())
}

fn json(value: &str, out: &mut Arguments) -> Result<(), Reason> {
    for part in value.split(',') {
        if JSON_KEPT.contains(&part) {
            out.kept.push(format!("--json={part}"));
        } else if !JSON_SHOWN.contains(&part) {
            return Err(unknown(&format!("--json={part}")));
        }
    }
    Ok(())
}

/// Cargo's own flags give a root its name. Their order follows the lengths of this machine's paths, and
/// how many there are which roots coincide: only that there are any says something about the result.
fn remap(value: &str, roots: &Roots, out: &mut Arguments) {
    let normalised = roots.normalise(value);
    let is_own = normalised.split_once('=').is_some_and(|(from, to)| {
        let name = from
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match (name, to.strip_prefix(VIRTUAL)) {
            // A package outside the workspace goes by its own root here.
            (Some("package"), given) => {
                to == "." || given.is_some_and(|it| it.starts_with("path/"))
            }
            (Some("workspace"), _) => to == ".",
            (Some(name), Some(given)) => name == given,
            _ => false,
        }
    });
    if is_own {
        out.remapped = true;
    } else {
        out.kept.push(format!("--remap-path-prefix={normalised}"));
    }
}

fn emit(value: &str, out: &mut Arguments) -> Result<(), Reason> {
    for kind in value.split(',') {
        if !matches!(kind, "dep-info" | "metadata" | "link") {
            return Err(Reason::UnlistedOutput(format!("--emit={kind}")));
        }
    }
    out.kept.push(format!("--emit={value}"));
    Ok(())
}

fn target(value: String, out: &mut Arguments) {
    if value.ends_with(".json") {
        out.kept.push("--target=<specification>".to_owned());
        out.files.push(PathBuf::from(value));
    } else {
        out.kept.push(format!("--target={value}"));
    }
}

/// Keeps the name and options of `--extern`, and the file's name but not its folder. Its content is
/// among the dependencies.
fn extern_crate(value: &str, out: &mut Arguments) {
    let kept = match value.split_once('=') {
        Some((name, path)) => {
            let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
            out.externs.push(PathBuf::from(path));
            format!("--extern={name}={file}")
        }
        None => format!("--extern={value}"),
    };
    out.kept.push(kept);
}

fn search_dir(value: &str, roots: &Roots, out: &mut Arguments) {
    let (kind, path) = match value.split_once('=') {
        Some((kind @ ("dependency" | "crate" | "native" | "framework" | "all"), path)) => {
            (kind, path)
        }
        _ => ("all", value),
    };
    if kind == "dependency" {
        out.dependency_dirs.push(PathBuf::from(path));
        return;
    }
    out.kept.push(format!("-L{kind}={}", roots.normalise(path)));
    out.search_dirs.push(PathBuf::from(path));
}

fn native_lib(value: &str, out: &mut Arguments) {
    out.kept.push(format!("-l{value}"));
    out.native_libs.push(NativeLib::parse(value));
}

fn codegen(option: &str, roots: &Roots, out: &mut Arguments) -> Result<(), Reason> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let name = name.replace('_', "-");
    match name.as_str() {
        "incremental" => out.incremental = true,
        "linker" => out.linker = Some(value.to_owned()),
        "target-cpu" | "tune-cpu" => {
            out.native_cpu |= value == "native";
            out.kept.push(format!("-C{option}"));
        }
        "profile-use" => {
            out.files.push(PathBuf::from(value));
            out.kept.push("-Cprofile-use".to_owned());
        }
        "linker-plugin-lto" => {
            let names_a_file = !matches!(value, "" | "y" | "yes" | "on" | "n" | "no" | "off");
            if names_a_file {
                out.files.push(PathBuf::from(value));
            }
            let kept = if names_a_file { "plugin" } else { value };
            out.kept.push(format!("-Clinker-plugin-lto={kept}"));
        }
        "split-debuginfo" if value == "unpacked" => {
            return Err(Reason::UnlistedOutput(format!("-C {option}")));
        }
        "split-debuginfo" => out.kept.push(format!("-C{option}")),
        "link-arg" => link::understand(value, roots, out)?,
        "link-args" => {
            value
                .split_ascii_whitespace()
                .try_for_each(|arg| link::understand(arg, roots, out))?;
        }
        "save-temps" | "profile-generate" | "instrument-coverage" | "remark" => {
            return Err(Reason::UnlistedOutput(format!("-C {option}")));
        }
        known if CODEGEN_KEPT.contains(&known) => out.kept.push(format!("-C{option}")),
        _ => return Err(unknown(&format!("-C {option}"))),
    }
    Ok(())
}

fn unstable(option: &str, out: &mut Arguments) -> Result<(), Reason> {
    let name = option
        .split_once('=')
        .map_or(option, |(name, _)| name)
        .replace('_', "-");
    if !UNSTABLE_KEPT.contains(&name.as_str()) {
        return Err(unknown(&format!("-Z {option}")));
    }
    out.kept.push(format!("-Z{option}"));
    Ok(())
}

#[cfg(test)]
mod tests;
