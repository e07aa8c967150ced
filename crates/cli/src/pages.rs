//! The commands that pages and the files of deploy/ name in running text are commands of this program, with these flags. Those in
//! blocks are run, by `tests/it/docs`.

use std::{fs, path::Path};

use clap::{Parser as _, error::ErrorKind};

use crate::Arguments;

const FOLDERS: [&str; 3] = [".", "docs", "deploy"];
const CALLS: [&str; 2] = ["anser ", "sudo -u anser anser "];

#[test]
fn every_command_of_the_pages_is_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = FOLDERS.iter().flat_map(|folder| fs::read_dir(root.join(folder)).expect("a folder"));
    let mut tried = 0;
    for path in files.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()) {
        let text = fs::read_to_string(&path).expect("text");
        for (number, line) in text.lines().enumerate() {
            for command in commands(line) {
                tried += 1;
                if let Err(error) = understand(command) {
                    panic!("{}:{}: `anser {command}`: {error}", path.display(), number + 1);
                }
            }
        }
    }
    assert!(tried > 40, "only {tried} commands were found");
}

/// What stands behind the name of the program in code spans.
fn commands(line: &str) -> impl Iterator<Item = &str> {
    let spans = line.split('`').skip(1).step_by(2);
    spans.filter_map(|span| CALLS.iter().find_map(|call| span.strip_prefix(call)))
}

/// Text may name a command without all that it needs: `anser user`.
fn understand(command: &str) -> Result<(), clap::Error> {
    match Arguments::try_parse_from(["anser"].into_iter().chain(command.split_whitespace())) {
        Err(error) if UNFINISHED.contains(&error.kind()) => Ok(()),
        other => other.map(drop),
    }
}

const UNFINISHED: [ErrorKind; 3] = [
    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ErrorKind::MissingSubcommand,
    ErrorKind::MissingRequiredArgument,
];

#[test]
fn a_flag_that_there_is_not_is_found() {
    let line = "Run `anser bench idle --aftr-history --json`, or `anser user` as `anser`.";
    let commands: Vec<_> = commands(line).collect();
    assert_eq!(commands, ["bench idle --aftr-history --json", "user"]);
    assert!(understand(commands[0]).is_err() && understand(commands[1]).is_ok());
}
