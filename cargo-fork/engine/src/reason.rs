//! [`Reason`]: why a unit was not offered, not restored, or not stored.

use std::fmt;

/// Why no hook was asked for a unit, or why its result was not used or not kept.
///
/// What is not understood is not offered: an unknown thing may miss, it never hits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The user forces the unit to be rebuilt, or `cargo fix` runs it with another compiler.
    Forced,
    /// The program that compiles is neither rustc nor a driver or wrapper that is known.
    UnknownDriver(String),
    /// An argument that is not in the table of understood ones.
    UnknownArgument(String),
    /// The arguments ask for outputs that Cargo does not list.
    UnlistedOutput(String),
    /// It is not known which linker would be used for the platform.
    UnknownLinker(String),
    /// A macro that the unit can reach may use the network.
    MacroMayUseNetwork,
    /// Two dependencies have one name.
    AmbiguousDependency,
    /// An argument, variable or path is not UTF-8.
    NotUtf8(String),
    /// The unit uses an unstable feature of Cargo that the hooks do not know.
    Unstable(&'static str),
    /// The package has more files or bytes than are hashed for one unit.
    PackageTooLarge(String),
    /// A file that goes into the key cannot be read.
    Unreadable(String),
    /// The hook has no result.
    Missing(Option<String>),
    /// Results are there, but each has an input that differs; the first of them.
    InputDiffers(String),
    /// `hooks.mode` is `refresh`.
    Refresh,
    /// No hook is configured for this side, or it lacks the capability.
    NoHook,
    /// The hook failed, now or three times before.
    HookFailed,
    /// An input changed, or may have changed, while the unit was built.
    InputChanged(String),
    /// A file of an unpacked registry or git package was edited.
    EditedSource(String),
    /// The compiler wrote to its standard output.
    WroteToStdout,
    /// The compiler's messages are more than an entry holds.
    MessagesTooLarge,
    /// An output that Cargo expects was not written.
    OutputMissing(String),
}

impl Reason {
    /// Returns the name by which scripts and statistics know the reason: kebab-case, without details.
    pub fn name(&self) -> &'static str {
        match self {
            Reason::Forced => "forced",
            Reason::UnknownDriver(_) => "unknown-driver",
            Reason::UnknownArgument(_) => "unknown-argument",
            Reason::UnlistedOutput(_) => "unlisted-output",
            Reason::UnknownLinker(_) => "unknown-linker",
            Reason::MacroMayUseNetwork => "macro-may-use-network",
            Reason::AmbiguousDependency => "ambiguous-dependency",
            Reason::NotUtf8(_) => "not-utf8",
            Reason::Unstable(_) => "unstable-feature",
            Reason::PackageTooLarge(_) => "package-too-large",
            Reason::Unreadable(_) => "unreadable",
            Reason::Missing(_) => "missing",
            Reason::InputDiffers(_) => "input-differs",
            Reason::Refresh => "refresh",
            Reason::NoHook => "no-hook",
            Reason::HookFailed => "hook-failed",
            Reason::InputChanged(_) => "input-changed",
            Reason::EditedSource(_) => "edited-source",
            Reason::WroteToStdout => "wrote-to-stdout",
            Reason::MessagesTooLarge => "messages-too-large",
            Reason::OutputMissing(_) => "output-missing",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Reason::UnknownDriver(what)
            | Reason::UnknownArgument(what)
            | Reason::UnknownLinker(what)
            | Reason::UnlistedOutput(what)
            | Reason::NotUtf8(what)
            | Reason::PackageTooLarge(what)
            | Reason::Unreadable(what)
            | Reason::InputDiffers(what)
            | Reason::InputChanged(what)
            | Reason::EditedSource(what)
            | Reason::OutputMissing(what)
            | Reason::Missing(Some(what)) => write!(f, " ({what})"),
            Reason::Unstable(what) => write!(f, " ({what})"),
            _ => Ok(()),
        }
    }
}
