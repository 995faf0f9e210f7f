//! End-to-end tests of the fork. The tests are in `it/`; what they share with the hook that they
//! configure is here, and the hook itself is `src/bin/test-hook`.

use std::str::FromStr;

/// Declares [`Fault`], so that a fault and its name on a command line are written side by side.
macro_rules! faults {
    ($($(#[$doc:meta])+ $fault:ident = $name:literal,)+) => {
        /// A way in which the test hook misbehaves.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])+ $fault,)+
        }

        impl Fault {
            /// Returns the name on the hook's command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Fault::$fault => $name,)+
                }
            }
        }

        impl FromStr for Fault {
            type Err = String;

            fn from_str(name: &str) -> Result<Fault, String> {
                match name {
                    $($name => Ok(Fault::$fault),)+
                    _ => Err(format!("`{name}` is not the name of a fault")),
                }
            }
        }
    };
}

faults! {
    /// Exits before it has said anything.
    ExitsAtOnce = "exits-at-once",
    /// Says nothing, and does not exit.
    NoHello = "no-hello",
    /// Speaks only version 2 of the protocol.
    OtherVersion = "other-version",
    /// Says hello in plain English.
    PlainHello = "plain-hello",

    /// Exits instead of answering.
    Exits = "exits",
    /// Never answers that one request, and serves the others.
    Forgets = "forgets",
    /// Never answers, and does nothing else either.
    Hangs = "hangs",
    /// Prints a line that is no JSON, then answers.
    Chats = "chats",
    /// Prints a line to standard error, then answers.
    Mutters = "mutters",
    /// Says that what was built now lies where nothing is.
    Relocates = "relocates",
    /// Prints half an answer without a line end, and exits.
    HalfLine = "half-line",
    /// Prints half an answer as a line.
    Malformed = "malformed",
    /// Answers a request that nobody made.
    UnknownId = "unknown-id",
    /// Answers with an error.
    Errs = "errs",
    /// Answers with a kind that belongs to another request.
    WrongKind = "wrong-kind",

    /// Answers with a hit that has no candidate.
    NoCandidates = "no-candidates",
    /// Supplies a path where nothing is.
    MissingFile = "missing-file",
    /// Supplies the path of a folder.
    Directory = "directory",
    /// Supplies the path of a pipe to which nobody writes.
    Pipe = "pipe",
    /// Supplies a path that links to itself.
    SymlinkLoop = "symlink-loop",
    /// Supplies a path that is relative to its own folder.
    RelativePath = "relative-path",
    /// Supplies a file of the right size with one byte changed.
    WrongDigest = "wrong-digest",
    /// Supplies a file that lacks its last byte.
    Truncated = "truncated",
    /// Supplies an output that nobody expects, in the entry too.
    ExtraOutput = "extra-output",
    /// Supplies a file of which the entry knows nothing.
    ExtraFile = "extra-file",
    /// Supplies an output whose name leads out of the build directory.
    Escape = "escape",
    /// Supplies a file of a build script's folder whose name leads out of that.
    EscapeFolder = "escape-folder",
    /// Supplies a link in a build script's folder that leads out of that.
    EscapeLink = "escape-link",
    /// Supplies a link in a build script's folder, and below that another one, which so leads outside.
    DisguisedLink = "disguised-link",
    /// Leaves out an output, in the entry too.
    TooFewOutputs = "too-few-outputs",
    /// Leaves out the file of an output that the entry has.
    TooFewFiles = "too-few-files",
    /// Supplies the result of another unit.
    OtherUnit = "other-unit",
    /// Supplies the result of another unit, with the key that was asked for written over its own.
    DisguisedUnit = "disguised-unit",
    /// Supplies a result with another action.
    OtherAction = "other-action",
    /// Supplies a result with another key: for other sources of the same package, of which it read none.
    OtherKey = "other-key",
    /// Supplies a result for other sources of the same package, which it read.
    OtherSources = "other-sources",
    /// Supplies an entry of a later format.
    OtherFormat = "other-format",
    /// Supplies something that is no entry.
    NotAnEntry = "not-an-entry",
    /// Slips an error into the messages.
    ErrorMessage = "error-message",
    /// Slips a line about an artifact into the messages.
    ArtifactMessage = "artifact-message",
}
