//! Closes a caller's connection without a response. Actix always responds, so the socket is stored
//! when it connects, and is shut down below the server.

use std::any::Any;
use std::net::Shutdown;

use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;
use actix_web::{Error, HttpRequest, web};
use socket2::{SockRef, Socket};

use super::world::Shared;

struct Line(Socket);

/// For `HttpServer::on_connect`: keeps a second handle of the socket for as long as the connection
/// lives.
pub fn remember(io: &dyn Any, data: &mut Extensions) {
    let socket = io.downcast_ref::<TcpStream>().map(|stream| SockRef::from(stream).try_clone());
    if let Some(Ok(socket)) = socket {
        data.insert(Line(socket));
    }
}

/// Closes both directions at once. Later writes of the server never reach the caller.
pub fn cut(request: &HttpRequest) {
    if let Some(Line(socket)) = request.conn_data::<Line>()
        && let Err(error) = socket.shutdown(Shutdown::Both)
    {
        tracing::debug!(%error, "the caller had closed this connection before the sandbox could");
    }
}

/// A stopped sandbox never responds. This is checked after the call, because its result may be too
/// late for the journal.
pub async fn cut_when_closed(
    shared: web::Data<Shared>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let answer = next.call(request).await?;
    if shared.is_closed() {
        cut(answer.request());
    }
    Ok(answer)
}
