//! The schema that is checked in is the one of the types.

use std::path::Path;

#[test]
fn the_file_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/v1.json");
    let schema = hook_protocol::schema::text();
    if std::env::var_os("SNAPSHOTS").is_some_and(|it| it == "overwrite") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &schema).unwrap();
    }
    let present = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        present == schema,
        "`{}` is not the schema of the types: run the test with `SNAPSHOTS=overwrite`",
        file.display()
    );
}
