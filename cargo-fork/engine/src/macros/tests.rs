//! Tests of what macros may read.

use super::*;

#[test]
fn variables_that_are_mentioned_count() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("libm.so");
    // Not a library that can be read, so that anything is possible; but nothing is listed.
    std::fs::write(
        &library,
        "\0CARGO_PKG_NAMEDATABASE_URL\0NUMBER PATH OUT_DIR\0",
    )
    .unwrap();
    let macros = Macros::default();
    let mut read = Library::new(&library).unwrap();
    read.powers.lists_env = false;
    macros
        .known
        .lock()
        .unwrap()
        .insert(library.clone(), Arc::new(read));
    let mut roots = Roots::default();
    roots.add("workspace", Path::new("/nowhere/ws"));
    let inherited = [
        ("DATABASE_URL", "sqlite:/nowhere/ws/db"),
        ("NUMBER", "1"),
        ("PATH", "/bin"),
        ("UNHEARD", "of"),
    ];
    let env = Environment {
        command: [
            ("CARGO_PKG_NAME", "a"),
            ("CARGO_MANIFEST_DIR", "/nowhere/ws/a"),
            ("OUT_DIR", "/nowhere/ws/out"),
        ]
        .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
        .into(),
        inherited: Arc::new(
            inherited
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        ),
    };
    let variables = macros
        .variables([library.as_path()].into_iter(), &env, &roots)
        .unwrap();
    let expected = [
        ("DATABASE_URL", "sqlite:{workspace}/db"),
        ("NUMBER", "1"),
        ("OUT_DIR", "/nowhere/ws/out"),
    ];
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    assert_eq!(variables.values, expected);
    let by = "the macros of `libm.so` may use `OUT_DIR`";
    assert_eq!(variables.bound_by.as_deref(), Some(by));
}
