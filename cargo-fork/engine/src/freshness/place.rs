//! [`Places`]: names for the folders below which recorded paths lie, so that a workspace can move.
//!
//! ```text
//! recorded = ("b" / "t" / "p" / "w") ":" relative     build directory, target directory, package, workspace
//!          / "a:" absolute
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folders of a unit.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Letter and path, in the order in which they are tried: innermost first.
    entries: Vec<(char, PathBuf)>,
}

/// What is not below any place.
const ABSOLUTE: char = 'a';

/// A folder, in the form that Cargo uses and in canonical form.
#[derive(Debug, Clone)]
pub struct Folder {
    forms: Vec<PathBuf>,
}

impl Folder {
    /// Finds the canonical form of a folder.
    pub fn new(path: &Path) -> Folder {
        let mut forms = vec![path.to_path_buf()];
        forms.extend(path.canonicalize().ok().filter(|form| form != path));
        Folder { forms }
    }

    /// Takes a folder in one form only, below which nothing is recorded.
    pub fn as_given(path: &Path) -> Folder {
        let forms = vec![path.to_path_buf()];
        Folder { forms }
    }
}

impl Places {
    /// Names the folders of a unit.
    pub fn new(
        build_dir: &Folder,
        target_dir: &Folder,
        package: &Folder,
        workspace: &Folder,
    ) -> Places {
        let mut entries: Vec<(char, PathBuf)> = Vec::new();
        let folders = [
            ('b', build_dir),
            ('t', target_dir),
            ('p', package),
            ('w', workspace),
        ];
        for (letter, folder) in folders {
            for form in &folder.forms {
                if !entries.iter().any(|(_, known)| known == form) {
                    entries.push((letter, form.clone()));
                }
            }
        }
        Places { entries }
    }

    /// Names a path; `None` if it is not UTF-8.
    pub fn name(&self, path: &Path) -> Option<String> {
        for (letter, folder) in &self.entries {
            if let Ok(relative) = path.strip_prefix(folder) {
                return Some(format!("{letter}:{}", relative.to_str()?));
            }
        }
        Some(format!("{ABSOLUTE}:{}", path.to_str()?))
    }

    /// Returns the path that goes by a name. What is not a name is a path where nothing is.
    pub fn path(&self, name: &str) -> PathBuf {
        let (letter, relative) = name.split_once(':').unwrap_or_default();
        let folder = self
            .entries
            .iter()
            .find(|(known, _)| letter.starts_with(*known));
        match folder {
            // Joining an empty path would add a separator.
            Some((_, folder)) if relative.is_empty() => folder.clone(),
            Some((_, folder)) => folder.join(relative),
            None => PathBuf::from(relative),
        }
    }

    /// Returns the places whose paths `text` mentions, each with its path.
    pub fn mentioned(&self, text: &str) -> BTreeMap<String, String> {
        let mentioned = self.entries.iter().filter_map(|(letter, folder)| {
            let folder = folder.to_str()?;
            text.contains(folder)
                .then(|| (letter.to_string(), folder.to_owned()))
        });
        mentioned.collect()
    }

    /// Returns every place with its path.
    pub fn all(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for (letter, folder) in &self.entries {
            let folder = folder.to_string_lossy().into_owned();
            all.entry(letter.to_string()).or_insert(folder);
        }
        all
    }

    /// Returns whether a path is below a folder that belongs to nobody's sources.
    pub(super) fn is_built(&self, path: &Path) -> bool {
        self.excluded()
            .iter()
            .any(|folder| path.starts_with(folder))
    }

    /// Returns the folders that belong to nobody's sources.
    pub(super) fn excluded(&self) -> Vec<PathBuf> {
        let entries = self.entries.iter();
        entries
            .filter(|(letter, _)| matches!(letter, 'b' | 't'))
            .map(|(_, folder)| folder.clone())
            .collect()
    }

    /// Returns whether a place still has the path that was recorded, in one of its forms.
    pub fn is(&self, letter: &str, path: &str) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|(known, folder)| letter.starts_with(*known) && folder.as_os_str() == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(root: &str) -> Places {
        let at = |path: &str| Folder::new(&Path::new(root).join(path));
        Places::new(
            &at("target"),
            &at("target"),
            &at("a"),
            &Folder::new(Path::new(root)),
        )
    }

    #[test]
    fn a_name_means_the_same_after_a_move() {
        let (here, there) = (places("/nowhere/ws"), places("/elsewhere/ws-2"));
        for (path, name, moved) in [
            (
                "/nowhere/ws/a/src/lib.rs",
                "p:src/lib.rs",
                "/elsewhere/ws-2/a/src/lib.rs",
            ),
            ("/nowhere/ws/a/../x", "p:../x", "/elsewhere/ws-2/a/../x"),
            ("/nowhere/ws/x", "w:x", "/elsewhere/ws-2/x"),
            (
                "/nowhere/ws/target/d/o",
                "b:d/o",
                "/elsewhere/ws-2/target/d/o",
            ),
            ("/nowhere/ws/a", "p:", "/elsewhere/ws-2/a"),
            ("/nowhere/ws-2/x", "a:/nowhere/ws-2/x", "/nowhere/ws-2/x"),
        ] {
            assert_eq!(here.name(Path::new(path)).as_deref(), Some(name));
            assert_eq!(here.path(name), Path::new(path));
            assert_eq!(there.path(name), Path::new(moved));
        }
    }

    #[test]
    fn mentioned_places_are_found() {
        let places = places("/nowhere/ws");
        let names = |text| places.mentioned(text).into_keys().collect::<String>();
        assert_eq!(names("x=/nowhere/ws/target/o"), "bw");
        assert_eq!(names("/nowhere/other"), "");
        assert!(places.is("w", "/nowhere/ws"));
        assert!(!places.is("w", "/elsewhere"));
        assert!(!places.is("?", "/nowhere/ws"));
    }
}
