//! The `[hooks]` table of Cargo's configuration.
//!
//! Invariant: nothing in a manifest or a dependency can configure a hook. Only configuration files,
//! the environment and `--config` are read.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use cargo_hooks_engine::{Config, Hook};
use hook_protocol::client::Command;
use serde::Deserialize;
use serde_untagged::UntaggedEnumVisitor;

use crate::util::GlobalContext;
use crate::util::context::{ConfigKey, ConfigRelativePath, StringList, Value};
use crate::util::errors::CargoResult;

/// Programs that are shipped with the fork lie beside it under this prefix.
const SHIPPED_PREFIX: &str = "cargo-hook-";

/// The longest time that can be configured: a week is as good as for ever, and can be added to a clock.
const MAX_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a hook may make no progress, if the user does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Table {
    before_build: Option<Value<StringList>>,
    after_build: Option<Value<StringList>>,
    enabled: Option<bool>,
    mode: Option<Value<String>>,
    required: Option<bool>,
    timeout: Option<Value<String>>,
    remap: Option<bool>,
    salt: Option<String>,
    build_scripts: Option<BuildScripts>,
    verify: Option<Value<String>>,
}

/// `hooks.build-scripts`: of which packages the runs of build scripts are shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BuildScripts {
    /// Of all.
    #[default]
    All,
    /// Of none.
    None,
    /// Of all but these.
    Except(Vec<String>),
}

impl BuildScripts {
    /// Returns whether the script of a package is not shared.
    pub fn excludes(&self, package: &str) -> bool {
        match self {
            BuildScripts::All => false,
            BuildScripts::None => true,
            BuildScripts::Except(packages) => packages.iter().any(|it| it == package),
        }
    }
}

impl<'de> Deserialize<'de> for BuildScripts {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<BuildScripts, D::Error> {
        let named = |on: bool| match on {
            true => BuildScripts::All,
            false => BuildScripts::None,
        };
        UntaggedEnumVisitor::new()
            .expecting("a boolean or a list of packages")
            .bool(move |on| Ok(named(on)))
            .seq(|list| list.deserialize().map(BuildScripts::Except))
            .deserialize(from)
    }
}

/// What the user configured, if hooks are on.
pub struct Settings {
    /// What the engine needs to know.
    pub engine: Config,
    /// Whether the compiler is told to leave this machine's paths out of its outputs.
    pub remap: bool,
    /// Part of every key.
    pub salt: String,
    /// Of which packages the runs of build scripts are shared.
    pub build_scripts: BuildScripts,
    /// Whether supplied files are read each time, and not only when they are met first.
    pub verifies_always: bool,
}

/// Reads the table; `None` if no hook is configured, or hooks are off. `links` tells whether outputs may become
/// hard links.
pub fn load(gctx: &GlobalContext, jobs: u32, links: bool) -> CargoResult<Option<Settings>> {
    let table = gctx.get::<Option<Table>>("hooks")?.unwrap_or_default();
    if table.enabled == Some(false) {
        return Ok(None);
    }
    let before = table
        .before_build
        .as_ref()
        .map(|v| hook(gctx, v))
        .transpose()?
        .flatten();
    let after = table
        .after_build
        .as_ref()
        .map(|v| hook(gctx, v))
        .transpose()?
        .flatten();
    if before.is_none() && after.is_none() {
        return Ok(None);
    }
    let engine = Config {
        before,
        after,
        refresh: choice(table.mode.as_ref(), "hooks.mode", ["use", "refresh"])?,
        required: table.required.unwrap_or(false),
        timeout: table
            .timeout
            .as_ref()
            .map(timeout)
            .transpose()?
            .unwrap_or(DEFAULT_TIMEOUT),
        jobs: jobs as usize,
        links,
        is_same_commit: false,
    };
    let verify = ["first-use", "always"];
    let verifies_always = choice(table.verify.as_ref(), "hooks.verify", verify)?;
    let remap = table.remap.unwrap_or(true);
    let salt = table.salt.unwrap_or_default();
    Ok(Some(Settings {
        engine,
        remap,
        salt,
        build_scripts: table.build_scripts.unwrap_or_default(),
        verifies_always,
    }))
}

/// Returns whether a hook is configured, before the whole table is read, which warns of what is wrong in it.
pub(super) fn is_on(gctx: &GlobalContext) -> bool {
    let is_set = |key: &str| {
        let command = gctx.get::<Option<StringList>>(key).ok().flatten();
        command.is_some_and(|it| it.as_slice().first().is_some_and(|name| !name.is_empty()))
    };
    let is_off = matches!(gctx.get::<Option<bool>>("hooks.enabled"), Ok(Some(false)));
    !is_off && (is_set("hooks.before-build") || is_set("hooks.after-build"))
}

/// Returns the hook that is configured; `None` for an empty command, which switches the hook off.
fn hook(gctx: &GlobalContext, value: &Value<StringList>) -> CargoResult<Option<Hook>> {
    let words = value.val.as_slice();
    let Some((name, args)) = words.split_first().filter(|(name, _)| !name.is_empty()) else {
        return Ok(None);
    };
    let program = match name.strip_prefix("cargo:") {
        Some(shipped_name) => shipped(shipped_name)
            .with_context(|| format!("failed to find hook `{name}` (from {})", value.definition))?,
        None => ConfigRelativePath::new(Value {
            val: name.clone(),
            definition: value.definition.clone(),
        })
        .resolve_program(gctx),
    };
    let command = Command {
        program,
        args: args.iter().map(Into::into).collect(),
        cwd: None,
        env: Vec::new(),
    };
    Ok(Some(Hook {
        name: name.clone(),
        command,
    }))
}

/// Returns whether a value of the configuration is a hook's command: the nearest definition replaces
/// all others, whether they are strings or arrays.
pub fn is_command(key: &ConfigKey) -> bool {
    key.matches("hooks.before-build") || key.matches("hooks.after-build")
}

/// Finds a shipped hook beside the running executable: `$CARGO` may be another Cargo.
fn shipped(name: &str) -> CargoResult<PathBuf> {
    if name.is_empty() || name.contains(['/', '\\']) {
        bail!("`{name}` is not the name of a shipped hook");
    }
    let this = std::env::current_exe().context("failed to find the running executable")?;
    let file = format!("{SHIPPED_PREFIX}{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(this.with_file_name(file))
}

/// Reads a key that has two values, of which the first is the default; true for the second.
fn choice(value: Option<&Value<String>>, key: &str, [no, yes]: [&str; 2]) -> CargoResult<bool> {
    match value {
        None => Ok(false),
        Some(value) if value.val == no => Ok(false),
        Some(value) if value.val == yes => Ok(true),
        Some(Value { val, definition }) => {
            bail!(
                "invalid value `{val}` for `{key}` (from {definition}): expected `{no}` or `{yes}`"
            )
        }
    }
}

/// Reads a duration such as `500ms`, `60s` or `5m`.
fn timeout(value: &Value<String>) -> CargoResult<Duration> {
    let text = value.val.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let duration = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| match &text[digits.len()..] {
            "ms" => Some(Duration::from_millis(number)),
            "s" | "" => Some(Duration::from_secs(number)),
            "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
            _ => None,
        });
    match duration {
        Some(duration) if !duration.is_zero() => Ok(duration.min(MAX_TIMEOUT)),
        _ => bail!(
            "invalid value `{}` for `hooks.timeout` (from {}): expected a time such as `60s`",
            value.val,
            value.definition
        ),
    }
}
