//! Edits of real sources: another body for a function, and what a commit changes.

use anyhow::{Context, Result, bail};

use crate::tree::Tree;

/// A function whose body is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The file, relative to the workspace.
    pub(crate) path: &'static str,
    /// The line with which the function begins; the file has it once.
    pub(crate) function: &'static str,
}

impl Edit {
    /// Returns the file with a body that computes something else for each number.
    pub(crate) fn body(&self, files: &Tree, number: usize) -> Result<Vec<u8>> {
        let text = files.get(self.path);
        let text = text.with_context(|| format!("there is no file `{}`", self.path))?;
        let text =
            std::str::from_utf8(text).with_context(|| format!("failed to read `{}`", self.path))?;
        let Some((before, after)) = text.split_once(self.function) else {
            bail!("`{}` has no function `{}`", self.path, self.function.trim());
        };
        if after.contains(self.function) {
            bail!(
                "`{}` has two functions `{}`",
                self.path,
                self.function.trim()
            );
        }
        let function = self.function;
        Ok(
            format!("{before}{function}\n    std::hint::black_box({number}_usize);{after}")
                .into_bytes(),
        )
    }

    /// Returns the workspace after the next commit: another body, and a new function that others may use.
    pub(crate) fn commit(&self, files: &Tree, number: usize) -> Result<Tree> {
        let mut text = self.body(files, number)?;
        let function = format!(
            "\n/// Tells which commit this is.\npub fn number_of_commit() -> usize {{\n    {number}\n}}\n"
        );
        text.extend(function.into_bytes());
        let mut files = files.clone();
        files.insert(self.path.to_string(), text);
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: Edit = Edit {
        path: "src/lib.rs",
        function: "\nfn f() {",
    };

    fn files(text: &str) -> Tree {
        Tree::from([("src/lib.rs".to_string(), text.as_bytes().to_vec())])
    }

    #[test]
    fn each_body_is_another_one() {
        let files = files("\nfn f() {\n    g();\n}\n");
        let text = |number| String::from_utf8(EDIT.body(&files, number).unwrap()).unwrap();
        let expected = "\nfn f() {\n    std::hint::black_box(7_usize);\n    g();\n}\n";
        assert_eq!(text(7), expected);
        assert_ne!(text(7), text(8));
    }

    #[test]
    fn a_commit_changes_the_interface() {
        let files = files("\nfn f() {\n}\n");
        let commit = EDIT.commit(&files, 3).unwrap();
        let text = String::from_utf8(commit["src/lib.rs"].clone()).unwrap();
        assert!(text.contains("black_box(3_usize)") && text.contains("pub fn number_of_commit()"));
        assert_eq!(files["src/lib.rs"], b"\nfn f() {\n}\n");
    }

    #[test]
    fn what_is_not_there_or_twice_is_an_error() {
        assert!(EDIT.body(&files("fn g() {}"), 1).is_err());
        assert!(
            EDIT.body(&files("\nfn f() {\n}\n\nfn f() {\n}\n"), 1)
                .is_err()
        );
        assert!(EDIT.body(&Tree::new(), 1).is_err());
    }
}
