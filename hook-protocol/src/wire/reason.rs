//! [`Reason`]: why a unit was not offered to a hook, not restored, or not stored.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What goes with the name of a reason.
trait Detail: Sized {
    fn detail(&self) -> Option<&str>;

    fn new(detail: Option<String>) -> Self;
}

impl Detail for String {
    fn detail(&self) -> Option<&str> {
        Some(self)
    }

    fn new(detail: Option<String>) -> String {
        detail.unwrap_or_default()
    }
}

impl Detail for Option<String> {
    fn detail(&self) -> Option<&str> {
        self.as_deref()
    }

    fn new(detail: Option<String>) -> Option<String> {
        detail
    }
}

/// Makes the enum and what follows from its table of variants and names.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $(($detail:ty))? = $name:literal,)*) => {
        /// Why no hook was asked for a unit, or why its result was not used or not kept.
        ///
        /// What is not understood is not offered: an unknown thing may miss, it never hits. On the wire a
        /// reason is its `name`, and a `detail` for people where there is one.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $variant $(($detail))?,)*
            /// A reason of a later version.
            Unknown,
        }

        impl Reason {
            /// The names of all reasons.
            pub const NAMES: &[&str] = &[$($name),*];

            /// Returns the name by which scripts and statistics know the reason: kebab-case, as on the wire.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Reason::$variant { .. } => $name,)*
                    Reason::Unknown => "unknown",
                }
            }

            /// Returns what else there is to say, for people.
            pub fn detail(&self) -> Option<&str> {
                match self {
                    $($(Reason::$variant(detail) => <$detail as Detail>::detail(detail),)?)*
                    _ => None,
                }
            }

            fn from_wire(name: &str, detail: Option<String>) -> Reason {
                let _ = &detail;
                match name {
                    $($name => Reason::$variant $((<$detail as Detail>::new(detail)))?,)*
                    _ => Reason::Unknown,
                }
            }
        }
    };
}

reasons! {
    /// The user forces the unit to be rebuilt, or `cargo fix` runs it with another compiler.
    Forced = "forced",
    /// The configuration excludes the unit: `hooks.build-scripts`.
    Excluded = "excluded",
    /// The program that compiles is neither rustc nor a driver or wrapper that is known.
    UnknownDriver(String) = "unknown-driver",
    /// An argument that is not in the table of understood ones.
    UnknownArgument(String) = "unknown-argument",
    /// The arguments ask for outputs that Cargo does not list.
    UnlistedOutput(String) = "unlisted-output",
    /// It is not known which linker would be used for the platform.
    UnknownLinker(String) = "unknown-linker",
    /// A macro that the unit can reach may use the network.
    MacroMayUseNetwork = "macro-may-use-network",
    /// Two dependencies have one name.
    AmbiguousDependency = "ambiguous-dependency",
    /// An argument, variable, path or output is not UTF-8.
    NotUtf8(String) = "not-utf8",
    /// The unit uses an unstable feature of Cargo that the hooks do not know.
    UnstableFeature(String) = "unstable-feature",
    /// The package has more files or bytes than are hashed for one unit.
    PackageTooLarge(String) = "package-too-large",
    /// A file that goes into the key cannot be read.
    Unreadable(String) = "unreadable",
    /// The hook has no result.
    Missing(Option<String>) = "missing",
    /// Results are there, but each has an input that differs; the first of them.
    InputDiffers(String) = "input-differs",
    /// A result for this unit is bound to the place where it was built, and there is none for this one.
    Bound(String) = "bound",
    /// `hooks.mode` is `refresh`, or the package was cleaned and not built since.
    Refresh = "refresh",
    /// No hook is configured for this side, or it lacks the capability.
    NoHook = "no-hook",
    /// The hook failed, now or three times before.
    HookFailed = "hook-failed",
    /// An input changed, or may have changed, while the unit was built.
    InputChanged(String) = "input-changed",
    /// A file of an unpacked registry or git package was edited.
    EditedSource(String) = "edited-source",
    /// The compiler wrote to its standard output.
    WroteToStdout = "wrote-to-stdout",
    /// The compiler's messages are more than an entry holds.
    MessagesTooLarge = "messages-too-large",
    /// An output that Cargo expects was not written.
    OutputMissing(String) = "output-missing",
    /// Documentation: the units of a build write to the same files.
    SharedOutput = "shared-output",
    /// One of many results while somebody edits: the unit was built here before, incrementally.
    Edited = "edited",
    /// A build script that may read version control, which differs between checkouts of equal files.
    ReadsVcs(String) = "reads-vcs",
    /// A build script that asks for the time: what it writes down is that of its checkout.
    ReadsClock = "reads-clock",
    /// A build script declares an input that does not exist.
    InputMissing(String) = "input-missing",
    /// A build script ran in a folder where an earlier run had left files.
    OutDirNotEmpty = "out-dir-not-empty",
    /// A build script wrote outside of its own folder.
    WritesOutsideOutDir(String) = "writes-outside-out-dir",
    /// A build script left something that cannot be put in another place: a link that leads outside, a
    /// file that is no ordinary one.
    UnmovableOutput(String) = "unmovable-output",
    /// A hook declined to keep the result.
    Declined(Option<String>) = "declined",
}

/// A reason as it is written.
#[derive(Serialize, Deserialize)]
struct Wire<S> {
    name: S,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    detail: Option<S>,
}

fn none<S>() -> Option<S> {
    None
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, detail) = (self.name(), self.detail());
        Wire { name, detail }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reason, D::Error> {
        let Wire { name, detail } = Wire::<String>::deserialize(deserializer)?;
        Ok(Reason::from_wire(&name, detail))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.detail() {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_name_and_a_detail() {
        let json = |reason: &Reason| serde_json::to_value(reason).unwrap();
        for (reason, detail) in [
            (Reason::Forced, None),
            (Reason::Missing(None), None),
            (Reason::Missing(Some("y".to_owned())), Some("y".into())),
            (Reason::NotUtf8("x".to_owned()), Some("x".into())),
        ] {
            let value = json(&reason);
            assert_eq!(value["name"], reason.name());
            assert_eq!(value.get("detail"), detail.as_ref());
            assert_eq!(
                serde_json::from_value::<Reason>(value).unwrap(),
                reason,
                "{reason}"
            );
        }
        let later = serde_json::json!({"name": "on-strike", "detail": "until Monday"});
        let later: Reason = serde_json::from_value(later).unwrap();
        assert_eq!(later, Reason::Unknown);
        assert_eq!(Reason::Forced.to_string(), "forced");
        let differs = Reason::InputDiffers("`a` differs".to_owned());
        assert_eq!(differs.to_string(), "input-differs (`a` differs)");
    }
}
