//! Which of the needed programs are there.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::bail;

/// Of a cluster: program -> Debian's package that brings it.
const OF_SERVICES: [(&str, &str); 8] = [
    ("mariadbd", "mariadb-server"),
    ("mariadb-install-db", "mariadb-server"),
    ("mariadb", "mariadb-client"),
    ("mariadb-dump", "mariadb-client"),
    ("redis-server", "redis-server"),
    ("redis-cli", "redis-tools"),
    ("nats-server", "nats-server"),
    ("setpriv", "util-linux"),
];

/// Of the tests beside it.
const OF_TESTS: [(&str, &str); 14] = [
    ("unshare", "util-linux"),
    ("prlimit", "util-linux"),
    ("mount", "mount"),
    ("strace", "strace"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("openssl", "openssl"),
    ("sqlite3", "sqlite3"),
    ("systemd-analyze", "systemd"),
    ("nginx", "nginx"),
    ("ngx_stream_module.so", "libnginx-mod-stream"),
    ("haproxy", "haproxy"),
];

/// Servers lie there, which is not in every user's path, and a part of one.
const BESIDE_PATH: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/lib/nginx/modules"];

/// Debian's packages that the tests need and that are not installed, each once.
pub fn missing() -> Vec<&'static str> {
    missing_of(OF_SERVICES.iter().chain(&OF_TESTS))
}

fn missing_of(programs: impl Iterator<Item = &'static (&'static str, &'static str)>) -> Vec<&'static str> {
    let mut packages: Vec<_> = programs.filter(|(name, _)| find(name).is_none()).map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

/// Fails with the command that fixes it when something is missing that the tests need.
pub fn require() -> anyhow::Result<()> {
    told(&missing())
}

/// The same of what a cluster needs.
pub fn require_services() -> anyhow::Result<()> {
    told(&missing_of(OF_SERVICES.iter()))
}

fn told(packages: &[&str]) -> anyhow::Result<()> {
    if !packages.is_empty() {
        bail!("not installed: {0}; on Debian `apt-get install {1}` fixes it", packages.join(", "), packages.join(" "));
    }
    Ok(())
}

/// Where it lies.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = find(name) {
        return Ok(path);
    }
    let package =
        OF_SERVICES.iter().chain(&OF_TESTS).find(|(program, _)| *program == name).map_or(name, |(_, package)| *package);
    bail!("`{name}` is not installed: `apt-get install {package}` brings it");
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(BESIDE_PATH.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|program| Path::is_file(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told_with_what_brings_it() {
        let error = program("anser-no-such-program").expect_err("there is no such program").to_string();
        assert!(error.contains("apt-get install"), "{error}");
    }

    #[test]
    fn what_is_missing_is_what_the_error_names() {
        assert_eq!(missing().is_empty(), require().is_ok());
    }
}
