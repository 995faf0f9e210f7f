//! Names for places: what is replaced, and that nothing is lost.

use super::*;

fn roots() -> Roots {
    let mut roots = Roots::default();
    roots.add("workspace", Path::new("/nowhere/ws"));
    roots.add("build-dir", Path::new("/nowhere/ws/target"));
    roots.add("home", Path::new("/nowhere"));
    roots
}

#[test]
fn the_innermost_root_wins() {
    let roots = roots();
    for (text, normalised) in [
        ("/nowhere/ws/src/lib.rs", "{workspace}/src/lib.rs"),
        ("/nowhere/ws/target/debug", "{build-dir}/debug"),
        ("/nowhere/ws", "{workspace}"),
        ("native=/nowhere/ws/target", "native={build-dir}"),
        ("/nowhere/ws-2/a", "{home}/ws-2/a"),
        ("/nowhere/ws.old", "{home}/ws.old"),
        ("x/nowhere/ws", "x/nowhere/ws"),
        ("a=\"/nowhere/ws\":/nowhere/x", "a=\"{workspace}\":{home}/x"),
        ("plain", "plain"),
        ("-I/nowhere/ws/a -L/nowhere/x", "-I{workspace}/a -L{home}/x"),
        ("x-I/nowhere/ws", "x-I/nowhere/ws"),
    ] {
        assert_eq!(roots.normalise(text), normalised, "`{text}`");
        assert_eq!(
            roots.localise(normalised).as_deref(),
            Some(text),
            "`{normalised}`"
        );
    }
}

#[test]
fn a_literal_placeholder_is_not_a_root() {
    let roots = roots();
    let literal = roots.normalise("{workspace}/a");
    assert_ne!(literal, roots.normalise("/nowhere/ws/a"));
    assert_eq!(roots.localise(&literal).as_deref(), Some("{workspace}/a"));
}

/// Places of two machines, which overlap in other ways, and parts of texts: these of a machine.
fn machines() -> [(Roots, Vec<&'static str>); 2] {
    let machine = |places: [(&str, &'static str); 4]| {
        let mut roots = Roots::default();
        let mut parts: Vec<&str> = places.iter().map(|(_, path)| *path).collect();
        for (name, path) in places {
            roots.add(name, Path::new(path));
        }
        parts.extend(["/", "/a", "-", "=", " ", "-I", "\\n", "w", "ä"]);
        parts.extend(["{", "}", "{workspace}", "{{home}}", "{build-dir"]);
        (roots, parts)
    };
    let one = machine([
        ("workspace", "/nowhere/ws"),
        ("build-dir", "/nowhere/ws/target"),
        ("home", "/nowhere"),
        ("tmp", "/x"),
    ]);
    let two = machine([
        ("workspace", "/x/{home}"),
        ("build-dir", "/nowhere/b"),
        ("home", "/x"),
        ("tmp", "/x/{home}/tmp"),
    ]);
    [one, two]
}

/// Every text of up to four parts, by what it is normalised to.
fn normalised(roots: &Roots, parts: &[&str]) -> BTreeMap<String, String> {
    let mut texts = vec![String::new()];
    let mut longest = texts.clone();
    for _ in 0..4 {
        let longer = longest.iter().flat_map(|text| {
            let append = move |part| format!("{text}{part}");
            parts.iter().map(append)
        });
        longest = longer.collect();
        texts.extend_from_slice(&longest);
    }
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for text in texts {
        let normalised = roots.normalise(&text);
        let localised = roots.localise(&normalised);
        assert_eq!(localised.as_ref(), Some(&text), "`{normalised}`");
        let other = out.insert(normalised.clone(), text.clone());
        let is_same = other.as_ref().is_none_or(|other| *other == text);
        assert!(is_same, "`{text}` and {other:?} become `{normalised}`");
    }
    out
}

#[test]
fn equal_keys_of_two_machines_denote_the_same_places() {
    let [(one, of_one), (two, of_two)] = machines();
    let of_two = normalised(&two, &of_two);
    let mut equal = 0;
    for (normalised, text) in normalised(&one, &of_one) {
        let Some(other) = of_two.get(&normalised) else {
            continue;
        };
        equal += 1;
        // Each is what the other machine would write for the same places.
        assert_eq!(two.localise(&normalised).as_ref(), Some(other));
        assert_eq!(one.localise(&normalised).as_ref(), Some(&text));
        let has_place = one.occurs_in(&text) || two.occurs_in(other);
        assert!(has_place || text == *other, "`{text}` and `{other}`");
    }
    assert!(equal > 10_000, "{equal} texts were compared");
}

#[test]
fn what_is_not_normalised_is_not_localised() {
    for text in ["{nobody}/a", "{workspace", "a{"] {
        assert_eq!(roots().localise(text), None, "`{text}`");
    }
}

#[test]
fn a_path_may_follow_a_colour_or_a_line_end() {
    let roots = roots();
    for (text, normalised) in [
        (r"\u001b[0m/nowhere/ws/a", r"\u001b[0m{workspace}/a"),
        (
            r"\u001b[1;38;5;12m/nowhere/ws/a",
            r"\u001b[1;38;5;12m{workspace}/a",
        ),
        ("\x1b[0m/nowhere/ws/a", "\x1b[0m{workspace}/a"),
        (r"x\n/nowhere/ws/a\n", r"x\n{workspace}/a\n"),
        (r"x\\n/nowhere/ws/a", r"x\\n/nowhere/ws/a"),
        ("0m/nowhere/ws/a", "0m/nowhere/ws/a"),
    ] {
        assert_eq!(roots.normalise(text), normalised, "`{text}`");
    }
}

#[test]
fn only_whole_paths_are_replaced() {
    let pairs = [(
        "/cargo/registry".to_owned(),
        "/home/u/.cargo/registry/src".to_owned(),
    )];
    for (text, replaced) in [
        (
            "\"/cargo/registry/a-1/b.rs\"",
            Some("\"/home/u/.cargo/registry/src/a-1/b.rs\""),
        ),
        (
            "--> /cargo/registry/a: /cargo/registry",
            Some("--> /home/u/.cargo/registry/src/a: /home/u/.cargo/registry/src"),
        ),
        ("/usr/local/cargo/registry/a-1/b.rs", None),
        ("/cargo/registry-2/a", None),
        ("nothing", None),
    ] {
        assert_eq!(replace_paths(text, &pairs).as_deref(), replaced, "`{text}`");
    }
}

#[test]
fn the_own_root_of_a_unit_is_preferred() {
    let roots = roots().with("package", Path::new("/nowhere/ws"));
    assert_eq!(roots.normalise("/nowhere/ws/a"), "{package}/a");
    assert_eq!(roots.localise("{workspace}"), None, "one path, one name");
}
