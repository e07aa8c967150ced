//! docs/settings.md: a file of settings, and the way of a backup.

use std::fs;

use super::{blocks, page, reader::Reader};

#[test]
fn the_settings_are_read_and_a_backup_is_restored() {
    let mut reader = Reader::new();
    let checkout = reader.checkout();
    let (mut backups, mut restored) = (0, 0);
    for block in blocks("docs/settings.md") {
        match block.fence.as_str() {
            "toml" => {
                fs::write(checkout.join("anser.toml"), block.text).expect("a file for the test");
                assert!(page("docs/settings.md").contains("--config anser.toml"));
                reader.serve("target/release/anser serve --dev --config anser.toml");
            }
            "sh" if block.text.starts_with("sqlite3 ") => {
                // As the page says of a server that is written to all the time.
                let other = block.text.replace(".backup copy.db", "VACUUM INTO 'copy.db'");
                assert_ne!(other, block.text);
                assert!(page("docs/settings.md").contains("`\"VACUUM INTO 'copy.db'\"`"));
                for line in [block.text, other] {
                    reader.run("rm -f copy.db");
                    reader.run(&line);
                    backups += 1;
                }
            }
            "sh" => {
                let files =
                    "mkdir FOLDER; cp copy.db FOLDER/anser.db; cp anser-data/hs256.secret FOLDER; chmod 600 FOLDER/*";
                reader.run(files);
                assert!(reader.run(&block.text).contains("log_id"), "{}", block.place);
                restored += 1;
            }
            _ => block.is_unknown(),
        }
    }
    assert_eq!((backups, restored), (2, 1));
    let users = reader.run("anser user list --data FOLDER");
    assert!(users.contains("alice") && users.contains("bob"), "{users}");
}
