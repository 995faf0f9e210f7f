//! Tests of what programs may do, by their symbols.

use super::*;

fn judge<'a>(symbols: impl Iterator<Item = &'a str>, taken: &[&str]) -> Powers {
    let mut names = Names::default();
    symbols.for_each(|name| names.see(name));
    taken.iter().for_each(|name| names.take(name));
    names.judge()
}

/// Symbols that an empty macro has, as rustc 1.95 mangles them.
const EMPTY: &[&str] = &[
    "_ZN3std3env11current_dir17h0123456789abcdefE",
    "_ZN3std3env11current_exe17h0123456789abcdefE",
    "_ZN3std7process5abort17h0123456789abcdefE",
    "_RNvNtCs1_3std2fs24buffer_capacity_required",
    "_RNvXs3_NtCs1_3std2fsRNtB5_4FileNtNtB7_2io4Read11read_to_end",
];

fn with(symbol: &str) -> Powers {
    judge(EMPTY.iter().copied().chain([symbol]), &[])
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
    assert_eq!(judge(std::iter::empty(), &[]), Powers::ALL_LOCAL);
    let judged = Program::of(b"not a library".to_vec());
    assert_eq!(judged.powers, Powers::ALL_LOCAL);
    assert_eq!(judged.text, b"not a library");
    for taken in ["connect", "reconnect"] {
        let networking = judge(std::iter::empty(), &["read", taken]);
        assert!(networking.uses_network, "{taken}");
    }
}

/// A text that is in this program and nowhere else.
#[cfg(target_os = "linux")]
static TEXT: &str = "a text by which the constants of this program are known";

#[test]
#[cfg(target_os = "linux")]
fn parts_of_a_file_tell_what_all_of_it_does() {
    let this = std::env::current_exe().unwrap();
    let content = std::fs::read(&this).unwrap();
    let whole = Program::of(content.clone());
    let parts = Parts::of(&this).unwrap().read().unwrap();
    assert_eq!(parts.powers, whole.powers);
    assert_eq!(parts.asks_processor, whole.asks_processor);
    assert!(
        parts.powers.starts_programs && parts.powers.asks_clock,
        "the test runner does"
    );
    for program in [&parts, &whole] {
        assert!(memmem::find(&program.text, TEXT.as_bytes()).is_some());
        assert!(program.text.len() < content.len() / 2);
    }
    assert!(parts.text.len() < whole.text.len(), "tables are left out");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_was_cut_off_is_an_error_or_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("program");
    let content = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    for length in [0, 3, 64, 1000, content.len() / 2, content.len() - 1] {
        std::fs::write(&path, &content[..length]).unwrap();
        let program = Program::read(&path).unwrap();
        assert_eq!(program.powers, Powers::ALL_LOCAL, "{length}");
    }
}
