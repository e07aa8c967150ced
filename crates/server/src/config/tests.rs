//! How settings are read, and what is refused.

use super::*;

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let file = dir.path().join("anser.toml");
    std::fs::write(&file, text).expect("a file for the test");
    Config::load(Some(&file), env.iter().map(|(name, value)| (name.to_string(), value.to_string())))
}

#[test]
fn the_environment_lies_over_the_file_and_the_file_over_the_defaults() {
    let config = load(
        "[store]\nshards = 8\nreaders = 3\n[auth]\naudience = \"mine\"",
        &[
            ("ANSER_STORE__SHARDS", "16"),
            ("ANSER_STORE__DIR", "/srv/anser"),
            ("ANSER_AUTH__ISSUERS", "[\"a\", \"b\"]"),
            ("OTHER_STORE__SHARDS", "2"),
        ],
    )
    .expect("good settings");
    assert_eq!((config.store.shards, config.store.readers, config.store.cache_mb), (16, 3, 256));
    assert_eq!(config.store.dir, Path::new("/srv/anser"));
    assert_eq!(config.auth.issuers, ["a", "b"]);
    assert_eq!(config.auth.audience, "mine");
}

#[test]
fn a_slip_is_refused_by_name() {
    for (text, named) in [
        ("[store]\nshard = 8", "shard"),
        ("[stor]\nshards = 8", "stor"),
        ("[store]\nshards = \"eight\"", "line 2"),
        ("[store]\nshards = 0", "store.shards"),
        ("[tls]\ncert_file = \"cert.pem\"", "tls.key_file"),
        ("[cluster]\ndatabase = \"mysql://root@localhost/anser\"", "auth.hs256_secret_file"),
        ("[cluster]\nsequencer = \"uuid\"", "line 2"),
        ("[cluster]\nwriters = 0", "cluster.writers"),
        ("[listen]\nproxy_protocol = [\"http\"]", "listen.trusted_proxies"),
        ("[listen]\ntrusted_proxies = [\"10.0.0.0/33\"]", "10.0.0.0/33"),
        ("[listen]\noperator_hosts = [\"node-1:7402\"]", "listen.operator_hosts = node-1:7402"),
        ("[listen]\norigins = [\"chat.example.com\"]", "https://chat.example.com"),
        ("[limits]\nheartbeat_min_ms = 999999999", "heartbeat_min_ms"),
        ("[limits]\nstrangers = 10001", "limits.strangers = 10001"),
        ("[messages]\nrecall_s = -2", "messages.recall_s = -2"),
        ("[messages]\nedit_s = 4294967296", "messages.edit_s"),
        ("[limits]\nstrangers = 0", "limits.strangers = 0"),
        ("[limits]\nstrangers = 50", "limits.strangers_per_address = 100"),
        ("[limits]\nstrangers_per_address = 0", "limits.strangers_per_address = 0"),
        ("[limits]\nattempts_per_s = 62500001", "limits.attempts_per_s"),
        ("[limits]\nlogin_ms = 10001", "limits.login_ms"),
        ("[limits]\ndevices_per_user = 0", "limits.devices_per_user"),
        ("[limits]\npassword_attempts = 1001", "limits.password_attempts"),
    ] {
        let error = load(text, &[]).expect_err("a slip").to_string();
        assert!(error.contains(named), "{error:?} does not name {named}");
    }
    let error = load("", &[("ANSER_STORE__SHARD", "8")]).expect_err("a slip").to_string();
    assert!(error.contains("shard"), "{error}");
}
