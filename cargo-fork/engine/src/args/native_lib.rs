//! [`NativeLib`]: what `-l` asks for.

/// A native library that is to be found in search directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NativeLib {
    /// By name: `lib{name}.a`, `lib{name}.so`, and so on.
    Named(String),
    /// By file name.
    Verbatim(String),
}

impl NativeLib {
    /// Reads the value of rustc's `-l`, or of a build script's `rustc-link-lib`:
    /// `[KIND[:MODIFIERS]=]NAME[:RENAME]`.
    pub fn parse(value: &str) -> NativeLib {
        let (kind, name) = value.split_once('=').unwrap_or(("", value));
        let name = name
            .split_once(':')
            .map_or(name, |(name, _)| name)
            .to_owned();
        if kind.contains("+verbatim") {
            NativeLib::Verbatim(name)
        } else {
            NativeLib::Named(name)
        }
    }

    /// Reads what follows `-l` in an instruction to the linker: `NAME` or `:FILE`.
    pub(super) fn parse_linker(value: &str) -> NativeLib {
        match value.strip_prefix(':') {
            Some(file) => NativeLib::Verbatim(file.to_owned()),
            None => NativeLib::Named(value.to_owned()),
        }
    }

    /// Returns the names of the files that it may be.
    pub fn file_names(&self) -> Vec<String> {
        match self {
            NativeLib::Verbatim(file) => vec![file.clone()],
            NativeLib::Named(name) => [
                "lib{}.a",
                "lib{}.so",
                "lib{}.dylib",
                "{}.lib",
                "lib{}.dll.a",
            ]
            .map(|pattern| pattern.replace("{}", name))
            .to_vec(),
        }
    }
}
