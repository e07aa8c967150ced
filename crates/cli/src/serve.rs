//! `anser serve`: the server in the foreground, until it is told to stop.

use std::{net::SocketAddr, path::Path};

use anser_proto::UserId;
use anser_server::{
    Column, Server,
    config::Config,
    secrets::{hs256_path, make_data_dir},
};
use anser_store::{Error, NewUser, Store};
use anyhow::{Context as _, bail};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{lang::Lang, settings::Settings};

/// Who is there on a machine where somebody tries Anser out, under the same ids in every store.
const DEMO_USERS: [(u64, &str, &str); 2] = [(1008, "alice", "Alice"), (1009, "bob", "Bob")];

#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Address of WebSocket and HTTP [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Address of frames over TCP [default: 127.0.0.1:7401]
    #[arg(long, value_name = "ADDRESS")]
    tcp: Option<SocketAddr>,
    /// Try it out: makes two users, alice and bob, and says what to do next
    #[arg(long)]
    dev: bool,
    /// Once ready, print one line of JSON with the addresses, for programs that start a server
    #[arg(long, conflicts_with = "dev")]
    json: bool,
}

impl Serve {
    pub fn run(self) -> anyhow::Result<()> {
        let mut config = self.settings.load()?;
        config.listen.http = self.http.unwrap_or(config.listen.http);
        config.listen.tcp = self.tcp.unwrap_or(config.listen.tcp);
        config.check()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(config, self.dev, self.json))
    }
}

async fn serve(config: Config, dev: bool, json: bool) -> anyhow::Result<()> {
    // Before anything starts, so that a signal that comes early is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    make_data_dir(&config.store.dir)?;
    let column = Column::open(&config).await?;
    if dev {
        make_demo_users(&*column.store).await?;
    }
    let data = config.store.dir.clone();
    let usual = Config::default();
    let usual_folder = config.store.dir == usual.store.dir;
    let secure = config.tls.cert_file.is_some();
    let usual_address = config.listen.http == usual.listen.http && !secure;
    let mut server = Server::start(config, column).await?;
    tracing::info!(http = %server.http, tcp = %server.tcp, data = %data.display(), "ready");
    if json {
        println!("{}", serde_json::json!({ "http": server.http, "tcp": server.tcp }));
    } else if dev {
        print!("{}", welcome(Lang::of_environment(), &server, secure, &data, (usual_folder, usual_address)));
    }

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        broke = server.broke() => return Err(broke),
    }
    tracing::info!("stopping: clients are told to come back; a second signal does not wait for them");
    tokio::select! {
        stopped = server.stop() => stopped?,
        _ = terminate.recv() => bail!("stopped at once"),
        _ = interrupt.recv() => bail!("stopped at once"),
    }
    tracing::info!("stopped");
    Ok(())
}

async fn make_demo_users(store: &dyn Store) -> anyhow::Result<()> {
    for (user, account, nickname) in DEMO_USERS {
        let new = NewUser { user: UserId(user), account: account.into(), nickname: nickname.into(), password: None };
        match store.create_user(new).await {
            Ok(_) | Err(Error::Conflict("account")) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot make the demo user {account}")),
        }
    }
    Ok(())
}

/// How to log in and what to do next. Where the settings are not the usual ones, the lines name them.
fn welcome(lang: Lang, server: &Server, secure: bool, data: &Path, usual: (bool, bool)) -> String {
    let (ws, tcp) = if secure { ("wss", "tls") } else { ("ws", "tcp") };
    let (http_address, tcp_address) = (reachable(server.http, secure), reachable(server.tcp, secure));
    let this = this_program();
    let secret = hs256_path(data);
    let (data, secret) = (data.display(), secret.display());
    let (usual_folder, usual_address) = usual;
    let of_folder = if usual_folder { String::new() } else { format!(" --data {data}") };
    let of_address = if usual_address { String::new() } else { format!(" --server {ws}://{http_address}") };
    let chat = format!("{of_address}{of_folder}");
    match lang {
        Lang::En => format!(
            "\n  Anser is ready.\n\n    \
             WebSocket  {ws}://{http_address}/v1/ws\n    \
             TCP        {tcp}://{tcp_address}\n    \
             data       {data} (SQLite; look with `sqlite3`)\n    \
             secret     {secret} (whoever reads it can log in as anybody)\n\n  \
             Two users are there, Alice and Bob. Let them talk, each in a terminal of his own:\n\n    \
             {this} chat --as alice --to bob{chat}\n    \
             {this} chat --as bob --to alice{chat}\n\n  \
             Then:\n\n    \
             {this} user add carol --password{of_folder}    a user with a password\n    \
             {this} token make alice{of_folder}             a token for your own client\n    \
             {this} serve{of_folder}                        the server without demo users\n\n  \
             Ctrl-C stops the server. Nothing that was acknowledged is lost, whichever way it ends.\n\n"
        ),
        Lang::Zh => format!(
            "\n  Anser 已就绪。\n\n    \
             WebSocket  {ws}://{http_address}/v1/ws\n    \
             TCP        {tcp}://{tcp_address}\n    \
             数据目录   {data}（SQLite，可用 `sqlite3` 查看）\n    \
             密钥       {secret}（拿到它就能以任何人的身份登录）\n\n  \
             已有两个用户：Alice 和 Bob。各开一个终端，让他们聊起来：\n\n    \
             {this} chat --as alice --to bob{chat}\n    \
             {this} chat --as bob --to alice{chat}\n\n  \
             接下来：\n\n    \
             {this} user add carol --password{of_folder}    添加带密码的用户\n    \
             {this} token make alice{of_folder}             为自己的客户端签发令牌\n    \
             {this} serve{of_folder}                        不带演示用户启动\n\n  \
             Ctrl-C 停止服务。无论以何种方式结束，已确认的消息都不会丢失。\n\n"
        ),
    }
}

/// An address of this machine that a client on it can connect to. A certificate is made out to a name.
fn reachable(address: SocketAddr, secure: bool) -> String {
    match address.ip() {
        ip if secure && (ip.is_unspecified() || ip.is_loopback()) => format!("localhost:{}", address.port()),
        ip if ip.is_unspecified() => format!("127.0.0.1:{}", address.port()),
        _ => address.to_string(),
    }
}

/// How this program was called, so that the lines can be copied.
fn this_program() -> String {
    let exe = std::env::current_exe().unwrap_or_else(|_| "anser".into());
    let here = std::env::current_dir().unwrap_or_default();
    exe.strip_prefix(here).unwrap_or(&exe).display().to_string()
}
