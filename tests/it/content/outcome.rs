//! What a verbose build did, read from what it printed, and what a test expects of it.

use cargo_test_support::{Execs, paths};

use crate::support::Text;

/// What a build should do.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    units: Option<Vec<String>>,
    reasons: Vec<(String, String)>,
    unstable: Vec<(String, String)>,
    kept: Vec<String>,
    says: Vec<String>,
    fails: bool,
    pub(super) prints: Option<String>,
    pub(super) settles: bool,
}

/// Expects that nothing is run.
pub(super) fn fresh() -> Outcome {
    runs(&[])
}

/// Expects that these units are run, and no others: `foo lib`, `foo test`, `foo custom-build` for a build
/// script that is compiled, `foo run-custom-build` for one that is executed, `foo doc`.
pub(super) fn runs(units: &[&str]) -> Outcome {
    let mut units: Vec<String> = units.iter().map(|unit| (*unit).to_owned()).collect();
    units.sort();
    Outcome {
        units: Some(units),
        reasons: Vec::new(),
        unstable: Vec::new(),
        kept: Vec::new(),
        says: Vec::new(),
        fails: false,
        prints: None,
        settles: true,
    }
}

/// Expects that the build succeeds, whatever is run, and stable or not.
pub(super) fn succeeds() -> Outcome {
    Outcome {
        units: None,
        ..fresh()
    }
}

/// Expects that the build fails, and says so.
pub(super) fn fails(error: &str) -> Outcome {
    Outcome {
        units: None,
        fails: true,
        settles: false,
        ..fresh()
    }
    .saying(error)
}

impl Outcome {
    /// Expects that a package is dirty for this reason. At the end of a reason `[..]` stands for the rest.
    pub(super) fn because(mut self, package: &str, reason: &str) -> Outcome {
        self.reasons.push((package.to_owned(), reason.to_owned()));
        self
    }

    /// Expects that a package is called unstable since this happened to it.
    pub(super) fn unstable(mut self, package: &str, what: &str) -> Outcome {
        self.unstable.push((package.to_owned(), what.to_owned()));
        self
    }

    /// Expects that these packages are shown as fresh.
    pub(super) fn keeping(mut self, packages: &[&str]) -> Outcome {
        self.kept.extend(packages.iter().map(|it| (*it).to_owned()));
        self
    }

    /// Expects that this is part of what is said.
    pub(super) fn saying(mut self, text: &str) -> Outcome {
        self.says.push(text.to_owned());
        self
    }

    /// Expects that the program prints this afterwards.
    pub(super) fn printing(mut self, text: &str) -> Outcome {
        self.prints = Some(text.to_owned());
        self
    }

    /// Expects nothing of the build after this one.
    pub(super) fn restless(mut self) -> Outcome {
        self.settles = false;
        self
    }
}

/// What a build did.
pub(super) struct Built {
    succeeded: bool,
    /// What it said, with names in place of paths and hashes.
    said: String,
    units: Vec<String>,
}

impl Built {
    /// Runs Cargo with `-v`, whatever its exit status.
    pub(super) fn by(mut execs: Execs) -> Built {
        let output = execs.arg("-v").without_status().run();
        let said = output.errors();
        let mut units: Vec<String> = said.lines().filter_map(unit).collect();
        units.sort();
        Built {
            succeeded: output.code == Some(0),
            said: without_places(&said),
            units,
        }
    }

    /// Returns what was said.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    /// Returns the units that were run.
    pub(super) fn units(&self) -> &[String] {
        &self.units
    }

    /// Expects that it succeeded, and that nothing changed meanwhile.
    #[track_caller]
    pub(super) fn assert_succeeds(&self, what: &str) {
        assert!(self.succeeded, "{what}\n\n{}", self.said);
        assert_eq!(
            self.packages("Unstable"),
            [("", ""); 0],
            "{what}\n\n{}",
            self.said
        );
    }

    /// Expects that it succeeded and ran these units. What else it did does not matter.
    #[track_caller]
    pub(super) fn assert_ran(&self, what: &str, units: &[&str]) {
        self.assert_succeeds(what);
        assert_eq!(
            Some(&self.units),
            runs(units).units.as_ref(),
            "{what}\n\n{}",
            self.said
        );
    }

    /// Compares with what is expected.
    #[track_caller]
    pub(super) fn assert(&self, what: &str, expected: &Outcome) {
        let said = &self.said;
        let at = format!("{what}\n\n{said}");
        assert_eq!(!self.succeeded, expected.fails, "the build fails: {at}");
        assert!(!said.contains("panicked at src/"), "Cargo panics: {at}");
        if let Some(units) = &expected.units {
            assert_eq!(&self.units, units, "the units that are run: {at}");
            if units.is_empty() {
                for verb in ["Dirty", "Compiling", "Checking", "Documenting"] {
                    assert_eq!(self.packages(verb), [("", ""); 0], "`{verb}`: {at}");
                }
            }
        }
        for (package, reason) in &expected.reasons {
            let reasons: Vec<&str> = self.of("Dirty", package).collect();
            let fits = reasons.iter().any(|found| fits(found, reason));
            assert!(fits, "`{package}` is dirty: {reason}: {at}");
        }
        let unstable = self.packages("Unstable");
        let mut pairs = unstable.iter().zip(&expected.unstable);
        let has_all = unstable.len() == expected.unstable.len();
        let fit = (has_all || expected.units.is_none())
            && pairs.all(|(found, expected)| found.0 == expected.0 && fits(found.1, &expected.1));
        assert!(fit, "unstable: {unstable:?}: {at}");
        for package in &expected.kept {
            let shown = |verb| self.of(verb, package).count();
            assert_eq!(shown("Fresh"), 1, "`{package}` is shown as fresh: {at}");
            assert_eq!(shown("Compiling") + shown("Dirty"), 0, "and only so: {at}");
        }
        for text in &expected.says {
            assert!(said.contains(text), "says `{text}`: {at}");
        }
    }

    /// Returns the packages after a verb, each with what is said about it.
    fn packages(&self, verb: &str) -> Vec<(&str, &str)> {
        let mut packages = Vec::new();
        for line in self.said.lines() {
            let rest = line.trim_start().strip_prefix(verb);
            let Some(rest) = rest.and_then(|rest| rest.strip_prefix(' ')) else {
                continue;
            };
            // `foo v0.1.0 ([ROOT]/foo): content of ..`; a package of a registry has no place.
            let mut words = rest.splitn(3, ' ');
            let package = words.next().unwrap_or_default();
            let rest = words.nth(1).unwrap_or_default();
            packages.push((package, rest.split_once("): ").map_or("", |(_, it)| it)));
        }
        packages
    }

    fn of<'a>(&'a self, verb: &str, package: &'a str) -> impl Iterator<Item = &'a str> {
        let packages = self.packages(verb).into_iter();
        packages.filter_map(move |(name, about)| (name == package).then_some(about))
    }
}

/// Returns whether a reason is the expected one. At the end of that, `[..]` stands for the rest.
fn fits(found: &str, expected: &str) -> bool {
    match expected.strip_suffix("[..]") {
        Some(start) => found.starts_with(start),
        None => found == expected,
    }
}

/// Returns the unit that is run, if the line tells of one.
fn unit(line: &str) -> Option<String> {
    let command = line.trim_start().strip_prefix("Running `")?;
    let words: Vec<&str> = command.trim_end_matches('`').split(' ').collect();
    if let Some(program) = words.iter().find(|word| word.contains("/build-script-")) {
        let is_run = *program == words[0];
        return is_run.then(|| format!("{} run-custom-build", package_of(program)));
    }
    let after = |flag: &str| {
        let at = words.iter().position(|word| *word == flag)?;
        words.get(at + 1).copied()
    };
    let name = after("--crate-name")?;
    let is_test = words.contains(&"--test");
    let is_rustdoc = words[0].rsplit('/').next() == Some("rustdoc");
    match after("--crate-type") {
        // Documentation tests are no units.
        _ if is_rustdoc && is_test => None,
        _ if is_rustdoc => Some(format!("{name} doc")),
        _ if name.starts_with("build_script_") => {
            let file = format!("{}/{name}", after("--out-dir")?);
            Some(format!("{} custom-build", package_of(&file)))
        }
        _ if is_test => Some(format!("{name} test")),
        kind => Some(format!("{name} {}", kind.unwrap_or("?"))),
    }
}

/// Returns the package to whose folder of build scripts a file belongs: `build/foo-HASH/..`, or in the new
/// layout `build/foo/HASH/..`.
fn package_of(file: &str) -> &str {
    let (_, below) = file.rsplit_once("/build/").unwrap();
    let folder = below.split('/').next().unwrap();
    match folder.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 => name,
        _ => folder,
    }
}

/// Puts names in place of paths and hashes.
fn without_places(text: &str) -> String {
    let text = text.replace(paths::root().to_str().unwrap(), "[ROOT]");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('-') {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        let hash = after.bytes().take_while(u8::is_ascii_hexdigit).count();
        rest = if hash == 16 {
            out.push_str("[HASH]");
            &after[hash..]
        } else {
            after
        };
    }
    out + rest
}
