//! Tests of what libraries may do, by their symbols.

use super::*;

/// Symbols that an empty macro has, as rustc 1.95 mangles them.
const EMPTY: &[&str] = &[
    "_ZN3std3env11current_dir17h0123456789abcdefE",
    "_ZN3std3env11current_exe17h0123456789abcdefE",
    "_ZN3std7process5abort17h0123456789abcdefE",
    "_RNvNtCs1_3std2fs24buffer_capacity_required",
    "_RNvXs3_NtCs1_3std2fsRNtB5_4FileNtNtB7_2io4Read11read_to_end",
];

fn with(symbol: &str) -> Powers {
    judge(EMPTY.iter().copied().chain([symbol]))
}

#[test]
fn powers_are_told_by_symbols() {
    assert_eq!(with("_RNvCs2_5macro3run"), Powers::default());
    for symbol in [
        "_ZN3std3env3var17hE",
        "_RNvNtCs1_3std3env7__var_os",
        "_ZN3std3env6var_os17hE",
    ] {
        assert!(with(symbol).reads_env, "{symbol}");
        assert!(
            !with(symbol).reads_files && !with(symbol).lists_env,
            "{symbol}"
        );
    }
    assert!(with("_RNvNtCs1_3std3env7vars_os").lists_env);
    for symbol in [
        "_ZN3std2fs8metadata17hE",
        "_RINvNtCs1_3std2fs14read_to_stringReE",
        "_RNvMNtCs1_3std4pathNtB2_4Path6exists",
        "_ZN3std4path4Path8read_dir17hE",
    ] {
        assert!(
            with(symbol).reads_files && !with(symbol).reads_env,
            "{symbol}"
        );
    }
    let program = with("_ZN3std7process7Command3new17hE");
    assert!(program.reads_files && program.reads_env && !program.lists_env);
    assert!(with("_ZN3std3net3tcp9TcpStream7connect17hE").uses_network);
}

#[test]
fn without_symbols_anything_is_possible() {
    assert_eq!(judge(std::iter::empty()), Powers::ALL_LOCAL);
    assert_eq!(powers_of(b"not a library"), Powers::ALL_LOCAL);
}

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
    let judged = Judged {
        powers: Powers {
            lists_env: false,
            ..Powers::ALL_LOCAL
        },
        content: Some(std::fs::read(&library).unwrap()),
    };
    macros
        .known
        .lock()
        .unwrap()
        .insert(library.clone(), Arc::new(judged));
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
