//! What a compiled build script may do, as far as the program tells.

use std::path::Path;

use hook_protocol::Digest;
use memchr::memmem;
use object::{Object as _, ObjectSection as _, SectionKind};

use crate::Reason;
use crate::key::{Common, once};
use crate::macros::{self, Powers};

/// A build script, compiled.
pub(super) struct Script {
    pub(super) digest: Digest,
    pub(super) powers: Powers,
    /// Whether it asks what the processor can do.
    pub(super) asks_processor: bool,
    /// Its constants, among them every text that it has; all of it, if they cannot be told.
    pub(super) text: Vec<u8>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// [`Reason::Unreadable`].
    pub(super) fn read(common: &Common, path: &Path) -> Result<Script, Reason> {
        let digest = once(common, path)?;
        let content = std::fs::read(path)
            .map_err(|error| Reason::Unreadable(format!("`{}`: {error}", path.display())))?;
        let is_constant = |kind: SectionKind| {
            matches!(
                kind,
                SectionKind::ReadOnlyData | SectionKind::ReadOnlyString | SectionKind::Data
            )
        };
        let text = object::File::parse(&*content).ok().map(|file| {
            let sections = file.sections().filter(|it| is_constant(it.kind()));
            let data = sections.filter_map(|section| section.data().ok());
            data.collect::<Vec<_>>().join(&b'\0')
        });
        Ok(Script {
            digest,
            powers: macros::powers_of(&content),
            asks_processor: memmem::find(&content, b"std_detect").is_some(),
            text: text.filter(|text| !text.is_empty()).unwrap_or(content),
        })
    }

    /// Returns whether the script has one of `words`.
    pub(super) fn mentions(&self, words: &[&str]) -> bool {
        words
            .iter()
            .any(|word| memmem::find(&self.text, word.as_bytes()).is_some())
    }
}
