//! Closing a caller's connection without a word. Actix always answers, so the socket is kept at hand from the
//! moment it connects, and is shut down under the server.

use std::any::Any;
use std::net::Shutdown;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

struct Line(Socket);

/// For `HttpServer::on_connect`: keeps a second handle of the socket for as long as the connection lives.
pub fn remember(io: &dyn Any, data: &mut Extensions) {
    let socket = io.downcast_ref::<TcpStream>().map(|stream| SockRef::from(stream).try_clone());
    if let Some(Ok(socket)) = socket {
        data.insert(Line(socket));
    }
}

/// Closes both ways at once. Whatever the server writes after this never reaches the caller.
pub fn cut(request: &HttpRequest) {
    if let Some(Line(socket)) = request.conn_data::<Line>()
        && let Err(error) = socket.shutdown(Shutdown::Both)
    {
        tracing::debug!(%error, "the caller had closed this connection before the sandbox could");
    }
}
