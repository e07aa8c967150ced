//! WebSocket libraries that others wrote play on the server; see `tests/foreign`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::Machine;

/// In the versions that the tests were written for.
const WEBSOCKETS: &str = "websockets==15.0.1";
const WS: &str = "ws@8.18.3";

#[test]
fn websockets_for_python_plays_by_the_standard() {
    let library = installed(WEBSOCKETS, |folder| {
        let mut pip = Command::new("pip3");
        pip.args(["install", "--quiet", "--no-deps", "--target"]).arg(folder).arg(WEBSOCKETS);
        pip
    });
    let mut python = Command::new("python3");
    python.arg(script("play.py")).env("PYTHONPATH", library);
    play(python);
}

#[test]
fn ws_for_node_plays_by_the_standard() {
    let library = installed(WS, |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(folder).arg(WS);
        npm
    });
    let mut node = Command::new("node");
    node.arg(script("play.mjs")).env("FOREIGN_MODULES", library);
    play(node);
}

fn play(mut client: Command) {
    let machine = Machine::with_users(&["alice"]);
    let token = machine.run(&["token", "make", "alice"], "").stdout;
    let token = String::from_utf8(token).expect("a token is ASCII");
    let output = client.arg(machine.url()).arg(token.trim()).output().expect("the interpreter is installed");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{client:?}: {}\n{}", output.status, String::from_utf8_lossy(&said));
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(name)
}

/// The folder in which the library lies, in the build folder; installed if it is not there yet.
fn installed(library: &str, install: impl FnOnce(&Path) -> Command) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign");
    let folder = home.join(library);
    if !folder.exists() {
        fs::create_dir_all(&home).expect("the build folder can be written");
        // Whole or not at all, also when it is broken off or done twice at once.
        let half = tempfile::tempdir_in(&home).expect("a folder beside it");
        let output = install(half.path()).output().expect("its installer is installed");
        assert!(output.status.success(), "{library}: {}", String::from_utf8_lossy(&output.stderr));
        let _ = fs::rename(half.keep(), &folder);
    }
    folder
}
