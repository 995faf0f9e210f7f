//! [`Bound`]: which units of a build are bound to their checkout, so that whoever depends on one can say why
//! it is not restored: its key holds the digest of something that is another in every checkout.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::Reason;
use crate::unit::{Unit, shown};

/// The outputs of units that are bound, with the first that is and what binds it.
#[derive(Default)]
pub(crate) struct Bound {
    outputs: Mutex<HashMap<PathBuf, String>>,
}

impl Bound {
    /// Returns the reason why a unit must be built, given the one that asking came to: if there is no result,
    /// and it depends on a unit that is bound, that unit.
    pub(crate) fn explain(&self, unit: &Unit, reason: Reason) -> Reason {
        match reason {
            Reason::Bound(what) => {
                self.note(unit, &format!("`{}`: {what}", shown(&unit.subject.id)));
                Reason::Bound(what)
            }
            Reason::Missing(why) => match self.ancestor(unit) {
                Some(ancestor) => {
                    self.note(unit, &ancestor);
                    Reason::Bound(format!("through {ancestor}"))
                }
                None => Reason::Missing(why),
            },
            other => other,
        }
    }

    fn ancestor(&self, unit: &Unit) -> Option<String> {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        // A library is known by either of its files.
        let stem = |path: &Path| outputs.get(&path.with_extension("")).cloned();
        let mut dependencies = unit.dependencies.iter();
        dependencies.find_map(|it| stem(&it.path))
    }

    fn note(&self, unit: &Unit, what: &str) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        for output in &unit.outputs {
            outputs.insert(output.path.with_extension(""), what.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::unit::{Dependency, Output, fixture};
    use hook_protocol::wire::Role;

    fn unit(name: &str, dependency: Option<&str>) -> Unit {
        let path = |name: &str, extension: &str| PathBuf::from(format!("/t/lib{name}.{extension}"));
        let mut unit = fixture::library(Path::new("/t"));
        unit.subject.id.package = name.to_owned();
        unit.outputs = vec![Output {
            path: path(name, "rlib"),
            role: Role::Link,
        }];
        let on = |it: &str| {
            Arc::new(Dependency {
                published: None,
                crate_id: it.to_owned(),
                role: "metadata",
                path: path(it, "rmeta"),
                line: Default::default(),
            })
        };
        unit.dependencies = dependency.map(on).into_iter().collect();
        unit
    }

    #[test]
    fn the_first_bound_unit_is_named() {
        let bound = Bound::default();
        let missing = || Reason::Missing(Some("no result".to_owned()));
        let free = bound.explain(&unit("free", None), missing());
        assert_eq!(free, missing());
        let first = bound.explain(&unit("first", None), Reason::Bound("why".to_owned()));
        assert_eq!(first, Reason::Bound("why".to_owned()));
        for (name, dependency) in [("second", "first"), ("third", "second")] {
            let Reason::Bound(what) = bound.explain(&unit(name, Some(dependency)), missing())
            else {
                panic!("it is bound");
            };
            assert!(what.starts_with("through `first v"), "{what}");
            assert!(what.ends_with(": why"), "{what}");
        }
        let other = bound.explain(&unit("other", Some("first")), Reason::Refresh);
        assert_eq!(other, Reason::Refresh);
    }
}
