//! `GET /v1/ws`: from an HTTP request to a WebSocket (RFC 6455).

use std::sync::Arc;

use anser_proto::{Format, codec::SUBPROTOCOLS};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::{Gateway, arrival::Arrival, io::Io, requests, socket::Socket};
use crate::origin::may_connect;

/// Answers the handshake; the connection then leaves HTTP and is served by a task of its own.
pub async fn upgrade(State(gateway): State<Arc<Gateway>>, mut request: Request) -> Response {
    let (key, format) = match check(request.headers()) {
        Ok(checked) => checked,
        Err(refused) => return refused.into_response(),
    };
    let arrival = request.extensions_mut().remove::<Arrival>().expect("each request on the port has one");
    if !is_of_allowed_page(&gateway, request.headers()) {
        arrival.turn_away("origins");
        let message =
            "pages of this origin may not connect: name it in listen.origins, or the server in cluster.client_url\n"
                .into();
        return requests::refusal(StatusCode::FORBIDDEN, message);
    }
    gateway.proxies.expect_somebody(arrival.address, request.headers());
    // Now, and not when the stream below was accepted: a proxy may have had that for a while.
    let arrival = Arrival { accepted: gateway.cx.hub.accept((gateway.cx.clock)()), ..arrival };
    let upgraded = hyper::upgrade::on(&mut request);
    let greeting = Arc::clone(&gateway);
    gateway.tasks.spawn(async move {
        if let Some(socket) = leave_http(upgraded, format).await {
            greeting.greet(arrival, socket).await;
        }
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, key)
        .header(header::SEC_WEBSOCKET_PROTOCOL, format.subprotocol())
        .body(Body::empty())
        .expect("headers of plain text")
}

/// Takes the stream below HTTP out again, so that nothing of HTTP stays with an idle connection.
async fn leave_http(upgraded: OnUpgrade, format: Format) -> Option<Socket> {
    let parts = upgraded.await.ok()?.downcast::<TokioIo<Io>>().ok()?;
    Some(Socket::web_socket(parts.io.into_inner(), &parts.read_buf, format))
}

/// A browser sends the page's origin, and whoever is none need not. Which page it is matters to the user of the browser, whose address
/// and tokens a foreign page would use.
fn is_of_allowed_page(gateway: &Gateway, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => {
            let (allowed, origin) = (&gateway.cx.config.listen.origins, origin.to_str().unwrap_or_default());
            may_connect(allowed, origin, host, |name| gateway.has_name(name))
        }
        (Some(_), Some(_)) => false,
    }
}

/// The accept key and the format of frames, or what is wrong with the request.
fn check(headers: &HeaderMap) -> Result<(String, Format), (StatusCode, String)> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A list may be spread over lines.
    let lists = |name: HeaderName, wanted: &str| {
        let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|entry| entry.trim().eq_ignore_ascii_case(wanted))
    };
    let bad = |message: &str| (StatusCode::BAD_REQUEST, format!("{message}\n"));
    if !lists(header::CONNECTION, "upgrade") || !lists(header::UPGRADE, "websocket") {
        return Err((StatusCode::UPGRADE_REQUIRED, "connect with a WebSocket\n".into()));
    }
    if text(header::SEC_WEBSOCKET_VERSION) != "13" {
        return Err(bad("Sec-WebSocket-Version must be 13"));
    }
    let key = text(header::SEC_WEBSOCKET_KEY);
    if !BASE64_STANDARD.decode(key).is_ok_and(|key| key.len() == 16) {
        return Err(bad("Sec-WebSocket-Key must be 16 bytes in Base64"));
    }
    let format = SUBPROTOCOLS
        .into_iter()
        .find(|(name, _)| lists(header::SEC_WEBSOCKET_PROTOCOL, name))
        .map(|(_, format)| format)
        .ok_or_else(|| bad("Sec-WebSocket-Protocol must offer anser.v1.protobuf or anser.v1.json"))?;
    Ok((accept_key(key), format))
}

/// RFC 6455, 4.2.2: shows that it was read as a WebSocket's handshake.
fn accept_key(key: &str) -> String {
    const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    BASE64_STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_standards_example() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
