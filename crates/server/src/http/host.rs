//! Under which names operators ask. A name server of others may lead a page in somebody's browser to the operator's port (DNS rebinding), and
//! the page would read what it answers; but the browser then sends that server's name.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{ctx::Ctx, origin::is_own_host};

/// Lets a request pass that names an address, this machine or a name of `listen.operator_hosts`; or nothing, as no browser does.
pub async fn check(State(cx): State<Arc<Ctx>>, request: Request, next: Next) -> Response {
    let names = &cx.config.listen.operator_hosts;
    let mut hosts = request.headers().get_all(header::HOST).iter();
    if hosts.all(|host| host.to_str().is_ok_and(|host| is_own_host(host, names))) {
        return next.run(request).await;
    }
    let told = "this server is not asked under that name: ask an address or localhost, or add the name to listen.operator_hosts\n";
    (StatusCode::MISDIRECTED_REQUEST, told).into_response()
}
