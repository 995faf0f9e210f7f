//! The file that describes a stack.
//!
//! ```toml
//! after-build = "all"                       # or "first": who stores it first is the only one
//!
//! [[filter]]
//! command = ["cargo:local-cache"]
//! packages = ["serde*"]                     # for these packages only; without it, for all
//! kinds = ["lib", "proc-macro"]             # the same for kinds of targets
//! profiles = ["dev"]                        # and for profiles
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use globset::{Glob, GlobSet, GlobSetBuilder};
use hook_protocol::client::Command;
use serde::Deserialize;
use serde_json::Value;

/// A stack.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Config {
    /// Who is told of what was built.
    #[serde(default)]
    pub(crate) after_build: AfterBuild,
    /// The filters, in the order in which they are asked.
    #[serde(rename = "filter")]
    pub(crate) filters: Vec<Filter>,
}

/// Who is told of what was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AfterBuild {
    /// All whom it concerns.
    #[default]
    All,
    /// One after the other, until one stores it.
    First,
}

/// A hook, and what it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Filter {
    /// Its command, as in Cargo's configuration. Relative paths begin at the folder of the file.
    pub(crate) command: Vec<String>,
    #[serde(default)]
    packages: Option<Vec<String>>,
    #[serde(default)]
    kinds: Option<Vec<String>>,
    #[serde(default)]
    profiles: Option<Vec<String>>,
}

/// Decides which units concern a filter.
#[derive(Debug)]
pub(crate) struct Matcher {
    packages: Option<GlobSet>,
    kinds: Option<Vec<String>>,
    profiles: Option<Vec<String>>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or does not describe a stack.
    pub(crate) fn read(file: &Path) -> Result<Config> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("failed to read `{}`", file.display()))?;
        let config: Config = toml::from_str(&text)
            .with_context(|| format!("failed to parse `{}`", file.display()))?;
        ensure!(
            !config.filters.is_empty(),
            "`{}` has no `[[filter]]`",
            file.display()
        );
        Ok(config)
    }
}

impl Filter {
    /// Returns the command; `folder` is that of the file.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn command(&self, folder: &Path) -> Result<Command> {
        let words = self.command.iter().map(Into::into);
        let mut command = Command::of_words(words).context("a filter has no `command`")?;
        if command.program.components().count() > 1 {
            command.program = folder.join(PathBuf::from(&command.program));
        }
        Ok(command)
    }

    /// Returns what decides which units concern it.
    ///
    /// # Errors
    ///
    /// If a pattern is none.
    pub(crate) fn matcher(&self) -> Result<Matcher> {
        let packages = self.packages.as_ref().map(|patterns| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns {
                set.add(Glob::new(pattern)?);
            }
            set.build()
        });
        Ok(Matcher {
            packages: packages.transpose()?,
            kinds: self.kinds.clone(),
            profiles: self.profiles.clone(),
        })
    }
}

impl Matcher {
    /// Returns whether a request is about a unit that concerns the filter. What is about none concerns all.
    pub(crate) fn concerns(&self, request: &Value) -> bool {
        let Some(unit) = request.get("unit") else {
            return true;
        };
        let text = |field: &str| unit[field].as_str().unwrap_or_default();
        let is_in = |list: &Option<Vec<String>>, field: &str| {
            list.as_ref()
                .is_none_or(|list| list.iter().any(|it| it == text(field)))
        };
        self.packages
            .as_ref()
            .is_none_or(|it| it.is_match(text("package")))
            && is_in(&self.kinds, "target-kind")
            && is_in(&self.profiles, "profile")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn concerned(rules: &str) -> Vec<&'static str> {
        let text = format!("[[filter]]\ncommand = ['x']\n{rules}");
        let config: Config = toml::from_str(&text).unwrap();
        let matcher = config.filters[0].matcher().unwrap();
        let units = [
            ("serde", "lib", "dev"),
            ("serde_derive", "proc-macro", "dev"),
            ("serde", "lib", "release"),
            ("anyhow", "lib", "dev"),
        ];
        let names = ["serde", "serde_derive", "serde-release", "anyhow"];
        let is_concerned = |(package, kind, profile): &(&str, &str, &str)| {
            matcher.concerns(&json!({"unit": {
                "package": package, "target-kind": kind, "profile": profile,
            }}))
        };
        let all = units.iter().zip(names);
        all.filter(|(unit, _)| is_concerned(unit))
            .map(|(_, name)| name)
            .collect()
    }

    #[test]
    fn all_conditions_hold() {
        assert_eq!(concerned("").len(), 4);
        let serde = ["serde", "serde_derive", "serde-release"];
        assert_eq!(concerned("packages = ['serde*']"), serde);
        assert_eq!(concerned("kinds = ['proc-macro']"), ["serde_derive"]);
        let rules = "packages = ['serde*', 'x']\nprofiles = ['dev']\nkinds = ['lib']";
        assert_eq!(concerned(rules), ["serde"]);
        assert!(concerned("packages = []").is_empty());
    }

    #[test]
    fn mistakes_are_told() {
        for text in [
            "after-build = 'some'\n[[filter]]\ncommand = ['x']",
            "[[filter]]\ncommand = ['x']\npackage = ['x']",
            "[[filter]]\n",
        ] {
            assert!(toml::from_str::<Config>(text).is_err(), "{text}");
        }
        let config: Config = toml::from_str("[[filter]]\ncommand = []").unwrap();
        assert!(config.filters[0].command(Path::new("/")).is_err());
        let config: Config =
            toml::from_str("[[filter]]\ncommand = ['x']\npackages = ['[']").unwrap();
        assert!(config.filters[0].matcher().is_err());
    }
}
