//! A unit for tests, with nothing special about it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hook_protocol::wire;

use super::{Subject, Unit};
use crate::package::Source;
use crate::roots::Roots;
use crate::salt::Salt;

/// Returns the library of a package in `dir`, which is also the workspace and the build directory.
pub(crate) fn library(dir: &Path) -> Unit {
    Unit {
        subject: Subject {
            id: wire::Unit {
                package: "a".to_owned(),
                version: "1.0.0".to_owned(),
                target: "a".to_owned(),
                target_kind: "lib".to_owned(),
                mode: "build".to_owned(),
                profile: "dev".to_owned(),
                platform: "host".to_owned(),
                features: Vec::new(),
            },
            facts: BTreeMap::new(),
            roots: Roots::default(),
            source: Source::Mutable {
                root: dir.to_path_buf(),
            },
            excluded: Arc::from([]),
            cwd: dir.to_path_buf(),
            workspace: dir.to_path_buf(),
            members: Arc::from([]),
            build_dir: dir.to_path_buf(),
            may_be_old: true,
            salt: Salt::default(),
            is_cleaned: false,
        },
        output_dir: dir.to_path_buf(),
        outputs: Vec::new(),
        dependencies: Vec::new(),
        dep_info: dir.join("a.d"),
        was_built: false,
        message_cache: dir.join("messages"),
        links: false,
        native_libs: Vec::new(),
    }
}
