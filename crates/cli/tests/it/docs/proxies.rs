//! The blocks of docs/operations.md for nginx and HAProxy in the real programs, before a server with the settings of the page: both
//! ports serve behind TLS, and whoever comes keeps their address.

use std::{fs, net::SocketAddr};

use anser_proto::{
    Format, VERSION,
    v1::{self, hello::Credential},
};
use anser_rude::{Peer, secure};
use anser_services::{Process, free_port, program};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

use super::{Block, blocks};
use crate::process::Machine;

/// From where users come: nobody there is trusted.
const WEB_CLIENT: [u8; 4] = [127, 0, 0, 5];
const TCP_CLIENT: [u8; 4] = [127, 0, 0, 6];

#[tokio::test]
async fn nginx_passes_users_on_with_their_addresses() {
    let site = Site::found();
    let module = program("ngx_stream_module.so").expect("its package is installed").display().to_string();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {0}/{kind};", site.folder()));
    let head =
        format!("load_module {module};\ndaemon off;\nmaster_process off;\npid {}/pid;\nevents {{}}\n", site.folder());
    let stands_for = [
        ("127.0.0.1:7400", site.machine.http().to_string()),
        ("127.0.0.1:7401", site.machine.tcp().to_string()),
        ("listen 443 ", format!("listen {WEB} ")),
        ("listen 7443 ", format!("listen {TCP} ")),
        ("/etc/nginx/fullchain.pem", secure::CERT_FILE.to_owned()),
        ("/etc/nginx/privkey.pem", secure::KEY_FILE.to_owned()),
        ("http {", format!("http {{ access_log off; {}", temporary.join(" "))),
    ];
    let text = head + &written(&block("nginx"), &stands_for);
    site.check(&["-e", "stderr", "-c"], "nginx", text).await;
}

#[tokio::test]
async fn haproxy_passes_users_on_with_their_addresses() {
    let site = Site::found();
    let both = [secure::CERT_FILE, secure::KEY_FILE].map(|file| fs::read_to_string(file).expect("it is there"));
    let certificate = format!("{}/chat.pem", site.folder());
    fs::write(&certificate, both.concat()).expect("a file for the test");
    let [http, tcp] = [site.machine.http(), site.machine.tcp()].map(|address| address.to_string());
    // Two nodes are as good as one twice.
    let stands_for = [
        ("10.0.0.11:7400", http.clone()),
        ("10.0.0.12:7400", http),
        ("10.0.0.11:7401", tcp.clone()),
        ("10.0.0.12:7401", tcp),
        ("bind :443 ", format!("bind {WEB} ")),
        ("bind :7443 ", format!("bind {TCP} ")),
        ("/etc/haproxy/chat.pem", certificate),
    ];
    let text = written(&block("haproxy"), &stands_for);
    site.check(&["-db", "-f"], "haproxy", text).await;
}

/// Where the proxy listens, known when it starts.
const WEB: &str = "{web}";
const TCP: &str = "{tcp}";

fn block(fence: &str) -> Block {
    blocks("docs/operations.md").into_iter().find(|block| block.fence == fence).expect("the page shows one")
}

/// The block with what a test's machine has in place of what the page names.
fn written(block: &Block, stands_for: &[(&str, String)]) -> String {
    stands_for.iter().fold(block.text.clone(), |text, (named, here)| {
        assert!(text.contains(named), "{}: no `{named}`", block.place);
        text.replace(named, here)
    })
}

struct Site {
    folder: TempDir,
    machine: Machine,
}

impl Site {
    /// A server with the settings that stand beside the blocks.
    fn found() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let settings = folder.path().join("anser.toml");
        let of_proxies = |block: &Block| block.fence == "toml" && block.text.contains("proxy_protocol");
        let text = blocks("docs/operations.md").into_iter().find(of_proxies).expect("the page shows them").text;
        fs::write(&settings, text).expect("a file for the test");
        let mut machine = Machine::empty();
        machine.start_as(&["--config", settings.to_str().expect("text")]);
        Self { folder, machine }
    }

    fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Users come through the proxy to both ports.
    async fn check(&self, words: &'static [&'static str], proxy: &str, text: String) {
        let tcp = SocketAddr::from(([127, 0, 0, 1], free_port().expect("a port is free")));
        let file = self.folder.path().join("proxy.conf");
        let arguments = move |port: u16| {
            let text = text.replace(WEB, &format!("127.0.0.1:{port}")).replace(TCP, &tcp.to_string());
            fs::write(&file, text).expect("a file for the test");
            words.iter().copied().chain(file.to_str()).map(str::to_owned).collect()
        };
        let program = program(proxy).expect("its package is installed");
        let proxy = Process::start(program, self.folder.path(), arguments, |_| Ok(true)).expect("it starts");
        for account in [None, Some("alice")] {
            // Its page came from there too.
            let (stream, own) = (connected(proxy.address(), WEB_CLIENT).await, "origin: https://localhost\r\n");
            let web = Peer::web_socket_with(stream, Format::Json, own).await.expect("a WebSocket");
            for mut peer in [web, Peer::tcp(connected(tcp, TCP_CLIENT).await, Format::Protobuf)] {
                let welcome = peer.hello(self.hello(account)).await;
                assert_eq!(welcome.is_ok(), account.is_some(), "{welcome:?}");
            }
        }
        // The log has one line a second of each.
        self.machine.awaits_log("not let in", 2);
        let log = self.machine.log();
        let refused: Vec<_> = log.lines().filter(|line| line.contains("not let in")).collect();
        for (line, [.., last]) in refused.iter().zip([WEB_CLIENT, TCP_CLIENT]) {
            assert!(line.contains(&format!("\"127.0.0.{last}\"")) && line.contains("BAD_TOKEN"), "{refused:#?}");
        }
        let page = "origin: https://evil.example\r\n";
        let foreign = Peer::web_socket_with(connected(proxy.address(), WEB_CLIENT).await, Format::Json, page).await;
        assert!(foreign.is_err_and(|error| error.to_string().contains(" 403 ")));
    }

    fn hello(&self, account: Option<&str>) -> v1::Hello {
        let token = account.map_or_else(
            || "wrong".to_owned(),
            |account| String::from_utf8(self.machine.run(&["token", "make", account], "").stdout).expect("a token"),
        );
        v1::Hello {
            version: VERSION,
            credential: Some(Credential::Token(token.trim().to_owned())),
            device: Some(v1::Device { device_id: "phone".into(), ..Default::default() }),
            ..Default::default()
        }
    }
}

async fn connected(proxy: SocketAddr, from: [u8; 4]) -> TlsStream<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an address of this machine");
    let stream = socket.connect(proxy).await.expect("the proxy listens");
    secure::connector().expect("a client").connect(secure::name(), stream).await.expect("its certificate is good")
}
