//! The program of the README, which `readme.rs` compares with it.

use anser_client::{Client, Config, Credential, Draft, Keep};

#[tokio::main]
pub(super) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = std::env::var("ANSER_TOKEN")?;
    let server = std::env::var("ANSER_URL").unwrap_or("ws://127.0.0.1:7400".into());
    let mut config = Config::new(server, Credential::Token(token));
    config.store = Keep::File("alice.db".into());
    let client = Client::open(config).await?;
    let sending = client.send("single_1008_1009".parse()?, Draft::text("hello")).await?;
    client.caught_up().await.map_err(|reason| format!("not let in: {reason:?}"))?;
    println!("stored as {}", sending.sent().await?.server_msg_id);
    Ok(())
}
