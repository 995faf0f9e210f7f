//! Whether an environment variable was used only to name files.
//!
//! `include!(concat!(env!("OUT_DIR"), "/x.rs"))` reads a file that is recorded by content: where it
//! lies does not matter. `env!("OUT_DIR").len()` puts the place itself into the program. rustc reports
//! both alike, so the sources are looked at: a variable names files if *every* mention of it has the
//! first form. Anything else, and any doubt, means that its value counts.

/// Macros of well-known crates that expand to the first form without a mention in the caller's source,
/// and the variable that they use.
const EXPORTERS: &[(&str, &str)] = &[
    ("include_file_descriptor_set", "OUT_DIR"),
    ("include_modules", "SLINT_INCLUDE_GENERATED"),
    ("include_proto", "OUT_DIR"),
];

const INCLUDES: &[&str] = &["include", "include_str", "include_bytes"];

/// Returns whether the sources use the variable `name` at least once, and only to name files.
pub fn only_names_files<'a>(name: &str, sources: impl IntoIterator<Item = &'a str>) -> bool {
    let mut used = false;
    let exporters: Vec<&str> = EXPORTERS
        .iter()
        .filter(|(_, variable)| *variable == name)
        .map(|(it, _)| *it)
        .collect();
    for source in sources {
        let is_concerned = source.contains(name)
            || source.contains("env!")
            || exporters.iter().any(|exporter| source.contains(exporter));
        if !is_concerned {
            continue;
        }
        let tokens = tokens(source);
        for at in 0..tokens.len() {
            match &tokens[at] {
                Token::Str(text) if text == name => {
                    if !in_include(&tokens, at) {
                        return false;
                    }
                    used = true;
                }
                Token::Str(text) | Token::Ident(text) if text.contains(name) => return false,
                Token::Ident(text)
                    if (text == "env" || text == "option_env")
                        && hides_its_name(&tokens[at + 1..]) =>
                {
                    return false;
                }
                Token::Ident(text) if exporters.contains(&text.as_str()) => {
                    used |= tokens.get(at + 1) == Some(&Token::Punct('!'));
                }
                _ => {}
            }
        }
    }
    used
}

/// Returns the texts in a source that may be names of variables: capital letters, digits and underscores.
pub fn names(source: &str) -> Vec<String> {
    let is_name = |text: &str| {
        let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        text.len() > 1
            && text.starts_with(|c: char| !c.is_ascii_digit())
            && text.chars().all(is_part)
    };
    let mut names = Vec::new();
    for token in tokens(source) {
        if let Token::Str(text) = token {
            // `"$ASSETS/x"` names one, too.
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            names.extend(words.filter(|word| is_name(word)).map(str::to_owned));
        }
    }
    names
}

/// Returns whether the tokens after `env` are a macro call whose variable is not simply written down:
/// `env!(concat!("OUT", "_DIR"))`, `env!("OUT\x5fDIR")`. A macro's own `env!($name)` says nothing here:
/// whoever calls it writes the name.
fn hides_its_name(rest: &[Token]) -> bool {
    let [
        Token::Punct('!'),
        Token::Punct('(' | '[' | '{'),
        argument,
        ..,
    ] = rest
    else {
        return false;
    };
    match argument {
        Token::Str(text) => text.contains('\\'),
        Token::Ident(_) => true,
        Token::Punct(_) => false,
    }
}

/// Returns whether the string at `at` is the variable in `include!(env!(…))`, or comes first in
/// `include!(concat!(env!(…), …))`: whatever follows there, it is a part of a name.
fn in_include(tokens: &[Token], at: usize) -> bool {
    let call = |end: usize, names: &[&str]| {
        end >= 3
            && tokens[end - 1] == Token::Punct('(')
            && tokens[end - 2] == Token::Punct('!')
            && matches!(&tokens[end - 3], Token::Ident(name) if names.contains(&name.as_str()))
    };
    if !call(at, &["env"]) {
        return false;
    }
    let is_joined = call(at - 3, &["concat"]);
    let include = if is_joined { at - 6 } else { at - 3 };
    let is_alone = |rest: &[Token]| matches!(rest, [] | [Token::Punct(',')]);
    let is_last = |rest| split_call(rest).is_some_and(|(left, _)| is_alone(left));
    let Some(([], rest)) = split_call(&tokens[at + 1..]) else {
        return false;
    };
    let ends = match is_joined {
        true => split_call(rest).is_some_and(|(left, rest)| {
            matches!(left, [] | [Token::Punct(','), ..]) && is_last(rest)
        }),
        false => is_last(rest),
    };
    ends && call(include, INCLUDES)
}

/// Splits the tokens inside a call into what is left of it, and what comes after its parenthesis.
fn split_call(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Punct('(' | '[' | '{') => depth += 1,
            Token::Punct(')' | ']' | '}') if depth > 0 => depth -= 1,
            Token::Punct(')') => return Some((&tokens[..at], &tokens[at + 1..])),
            Token::Punct(']' | '}') => return None,
            _ => {}
        }
    }
    None
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Ident(String),
    Str(String),
    Punct(char),
}

/// Splits Rust source into the tokens that matter here. Comments and white space are dropped, but for
/// doc comments, which cannot hold a macro call either.
fn tokens(source: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let c = rest
            .chars()
            .next()
            .expect("`at` is at a character boundary");
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += block_comment(rest);
        } else if let Some((text, len)) = string(rest) {
            out.push(Token::Str(text));
            at += len;
        } else if c.is_alphabetic() || c == '_' {
            let len = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            out.push(Token::Ident(rest[..len].to_owned()));
            at += len;
        } else if c == '\'' {
            at += character(rest);
        } else {
            if !c.is_whitespace() {
                out.push(Token::Punct(c));
            }
            at += c.len_utf8();
        }
    }
    out
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Reads a string literal: its content with escapes as they are written, and the length of the literal.
fn string(rest: &str) -> Option<(String, usize)> {
    let prefix = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    let raw = prefix > 0 && rest[..prefix].contains('r');
    if prefix > 2 {
        return None;
    }
    let body = &rest[prefix..];
    if raw {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let body = body[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let len = body.find(&end).unwrap_or(body.len());
        let total = (prefix + hashes + 1 + len + end.len()).min(rest.len());
        return Some((body[..len].to_owned(), total));
    }
    let body = body.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((body[..at].to_owned(), prefix + at + 2)),
            _ => {}
        }
    }
    Some((body.to_owned(), rest.len()))
}

/// Returns the length of a character literal, or 1 for the quote of a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            // The character after the backslash may be a quote.
            chars.next();
            chars
                .find(|&(_, c)| c == '\'')
                .map_or(rest.len(), |(at, _)| at + 1)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_files(source: &str) -> bool {
        only_names_files("OUT_DIR", [source])
    }

    #[test]
    fn including_files_only_names_them() {
        for source in [
            r#"include!(concat!(env!("OUT_DIR"), "/a.rs"));"#,
            r#"const A: &str = include_str!(concat!(env!("OUT_DIR"), "/a", "/b.txt"),);"#,
            "mod a {\n include!(concat!(\n env!( \"OUT_DIR\" ), // OUT_DIR!\n \"/a.rs\",\n ));\n}",
            r##"#[doc = include_str!(concat!(env!("OUT_DIR"), r"/a.md"))] struct A;"##,
            r#"/* OUT_DIR */ static B: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/b"));"#,
            r#"macro_rules! m { () => { include!(concat!(env!("OUT_DIR"), "/a.rs")); } }"#,
            r#"fn f<'a>(_: &'a str) -> char { '"' } include!(concat!(env!("OUT_DIR"), "/a"));"#,
            r#"pub mod pb { tonic::include_proto!("a.b"); }"#,
            r#"include!(env!("OUT_DIR"));"#,
            r#"include!(concat!(env!("OUT_DIR")));"#,
            r#"include_str!(concat!(env!("OUT_DIR"), stringify!(a)));"#,
            r#"macro_rules! m { ($p:tt) => { include!(concat!(env!("OUT_DIR"), concat!("/", $p, ".rs"))); } }"#,
        ] {
            assert!(names_files(source), "`{source}`");
        }
    }

    #[test]
    fn every_other_use_counts_by_value() {
        let include = r#"include!(concat!(env!("OUT_DIR"), "/a.rs"));"#;
        for source in [
            "",
            "fn f() {}",
            r#"const N: usize = env!("OUT_DIR").len();"#,
            r#"const A: &str = env!("OUT_DIR");"#,
            r#"const A: &str = concat!(env!("OUT_DIR"), "/a.rs");"#,
            r#"const A: Option<&str> = option_env!("OUT_DIR");"#,
            r#"include!(concat!("/", env!("OUT_DIR"), "/a.rs"));"#,
            r#"include!(concat!(env!("OUT_DIR"), env!("OUT_DIR")));"#,
            r#"include!(f!(env!("OUT_DIR")));"#,
            r#"include!(f!(concat!(env!("OUT_DIR"), "/a.rs")));"#,
            r#"f!(concat!(env!("OUT_DIR"), "/a.rs"));"#,
            r#"include!(concat!(env!("OUT_DIR", "/a.rs"), "b"));"#,
            r#"include!(concat!(env!("OUT_DIR"), "/a.rs"); f!(env!("OUT_DIR"));"#,
            r#"const A: usize = include_str!(concat!(env!("OUT_DIR"), "/a")).len() + m!(OUT_DIR);"#,
            r#"my_macro!("OUT_DIR");"#,
            r#"const A: u8 = env!(r"OUT_DIR").as_bytes()[3];"#,
            r#"macro_rules! m { ($a:expr) => { $a } } const A: &str = m!(env!("OUT_DIR"));"#,
            r#"const A: &str = "the OUT_DIR of it";"#,
            r#"#[path = env!("OUT_DIR")] mod a;"#,
            r#"const A: &str = env!(concat!("OUT", "_DIR"));"#,
            r#"const A: &str = env!("OUT\x5fDIR");"#,
        ] {
            assert!(!names_files(source), "`{source}`");
            if !source.is_empty() && source != "fn f() {}" {
                let both = format!("{include}\n{source}");
                assert!(!names_files(&both), "`{both}`");
            }
        }
    }

    #[test]
    fn an_exporter_speaks_for_its_own_variable() {
        let source = r#"pub mod pb { tonic::include_proto!("a.b"); }"#;
        assert!(only_names_files("OUT_DIR", [source]));
        assert!(!only_names_files("CARGO_MANIFEST_DIR", [source]));
    }

    #[test]
    fn a_use_in_any_source_counts() {
        let include = r#"include!(concat!(env!("OUT_DIR"), "/a.rs"));"#;
        assert!(only_names_files("OUT_DIR", [include, "fn f() {}"]));
        assert!(!only_names_files(
            "OUT_DIR",
            [include, r#"const A: &str = env!("OUT_DIR");"#]
        ));
    }

    #[test]
    fn unfinished_sources_do_not_panic() {
        for source in [
            "\"OUT_DIR",
            "/* OUT_DIR",
            "r#\"OUT_DIR",
            "'",
            "'\\",
            "b",
            "OUT_DIR'",
        ] {
            assert!(!names_files(source), "`{source}`");
        }
    }
}
