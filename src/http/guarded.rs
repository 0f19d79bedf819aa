//! Calls to addresses that strangers chose: webhooks. Only public addresses are connected to, looked at after the name was
//! resolved, and the connection goes to what was looked at; no redirects, no proxy, an answer of which only the status counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use url::{Host, Url};

use super::address::is_public;
use super::{CONNECT_TIMEOUT, text};

/// What is read of an answer, so that its connection can be used again.
const READ: usize = 16 * 1024;
/// And for how long.
const READ_FOR: Duration = Duration::from_secs(1);

/// Why an address may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error("It is not a web address.")]
    NoAddress,
    /// http is for the operator's own network only.
    #[error("Only https is called.")]
    NotHttps,
    /// Names and passwords end in logs.
    #[error("It holds a user name or a password.")]
    Credentials,
    /// It is in nobody's or in the operator's own network.
    #[error("It is not on the public internet.")]
    NotPublic,
}

/// The status of an answer, and when to come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// As sent: seconds or a date.
    pub retry_after: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The address may not be called.
    Refused(AddressFault),
    /// The name has no address.
    NoName,
    NoConnection,
    /// Nothing came in time.
    TimedOut,
    /// The connection ended before the answer.
    Broken,
}

/// The client for such calls. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guarded {
    client: reqwest::Client,
    allow_private: bool,
}

impl Guarded {
    /// `timeout` bounds each call; `allow_private`: every address may be called, and http.
    ///
    /// # Errors
    /// The TLS library could not start.
    pub fn new(timeout: Duration, allow_private: bool) -> Result<Self, reqwest::Error> {
        #[allow(clippy::disallowed_methods, reason = "this module builds the clients")]
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .user_agent(concat!("picsbridge/", env!("CARGO_PKG_VERSION")))
            .pool_idle_timeout(Duration::from_secs(20))
            .retry(reqwest::retry::never())
            .dns_resolver(Arc::new(Resolver { allow_private }))
            .build()?;
        Ok(Self { client, allow_private })
    }

    /// Whether every address may be called.
    pub fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// No answer.
    pub async fn post(
        &self,
        url: &str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Result<Reply, Unanswered> {
        // The connector asks no resolver for an address in digits: it is looked at here.
        let url = check_address(url, self.allow_private).map_err(Unanswered::Refused)?;
        let mut request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        #[allow(clippy::disallowed_methods, reason = "this module sends")]
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let reply =
            Reply { status: response.status().as_u16(), retry_after: text(response.headers(), &RETRY_AFTER) };
        let drain = async {
            let mut read = 0;
            while let Ok(Some(chunk)) = response.chunk().await {
                read += chunk.len();
                if read > READ {
                    break;
                }
            }
        };
        // What it says besides is nobody's business; how long it takes to say it is.
        let _ = tokio::time::timeout(READ_FOR, drain).await;
        Ok(reply)
    }
}

/// An address that may be called, as far as can be told without resolving its name.
///
/// # Errors
/// It may not.
pub fn check_address(text: &str, allow_private: bool) -> Result<Url, AddressFault> {
    let url = Url::parse(text).map_err(|_| AddressFault::NoAddress)?;
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        "http" => return Err(AddressFault::NotHttps),
        _ => return Err(AddressFault::NoAddress),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressFault::Credentials);
    }
    // The parser has made one address of every spelling of it.
    let public = match url.host() {
        None => return Err(AddressFault::NoAddress),
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(v4)) => is_public(v4.into()),
        Some(Host::Ipv6(v6)) => is_public(v6.into()),
    };
    if public || allow_private { Ok(url) } else { Err(AddressFault::NotPublic) }
}

/// Resolves a name to those of its addresses that may be called.
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = allowed(found.collect(), allow_private)?;
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

fn allowed(mut found: Vec<SocketAddr>, allow_private: bool) -> Result<Vec<SocketAddr>, AddressFault> {
    found.retain(|address| allow_private || is_public(address.ip()));
    if found.is_empty() { Err(AddressFault::NotPublic) } else { Ok(found) }
}

/// reqwest's error texts hold the address: only what kind it is goes on.
fn classify(error: &reqwest::Error) -> Unanswered {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if let Some(fault) = one.downcast_ref::<AddressFault>() {
            return Unanswered::Refused(*fault);
        }
        cause = one.source();
    }
    if error.is_timeout() {
        Unanswered::TimedOut
    } else if error.is_dns() {
        Unanswered::NoName
    } else if error.is_connect() {
        Unanswered::NoConnection
    } else {
        Unanswered::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_digits_is_judged_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "0",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::a00:1]",
            "169.254.169.254",
            "192.168.0.1",
            "１２７.0.0.1",
        ] {
            let url = format!("https://{host}/hook");
            assert_eq!(check_address(&url, false), Err(AddressFault::NotPublic), "{host}");
            assert!(check_address(&url, true).is_ok(), "{host}");
        }
        assert!(check_address("https://134744072/", false).is_ok(), "8.8.8.8");
    }

    #[test]
    fn only_https_without_credentials_is_called() {
        let table = [
            ("http://receiver.example/", AddressFault::NotHttps),
            ("ftp://receiver.example/", AddressFault::NoAddress),
            ("file:///etc/passwd", AddressFault::NoAddress),
            ("receiver.example/hook", AddressFault::NoAddress),
            ("", AddressFault::NoAddress),
            ("https://", AddressFault::NoAddress),
            ("https://me@receiver.example/", AddressFault::Credentials),
            ("https://me:secret@receiver.example/", AddressFault::Credentials),
        ];
        for (url, fault) in table {
            assert_eq!(check_address(url, false), Err(fault), "{url}");
        }
        assert!(check_address("https://receiver.example:8443/hook?token=1", false).is_ok());
        assert!(check_address("http://receiver.example/", true).is_ok());
    }

    #[test]
    fn of_a_name_only_the_public_addresses_are_called() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
        };
        let mixed = addresses(&["10.0.0.1", "8.8.8.8", "::1"]);
        assert_eq!(allowed(mixed.clone(), false), Ok(addresses(&["8.8.8.8"])));
        assert_eq!(allowed(mixed.clone(), true), Ok(mixed));
        assert_eq!(allowed(addresses(&["10.0.0.1", "fe80::1"]), false), Err(AddressFault::NotPublic));
        assert_eq!(allowed(Vec::new(), false), Err(AddressFault::NotPublic));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let guarded = Guarded::new(Duration::from_secs(5), false).unwrap();
        let sent = guarded.post(&format!("https://localhost:{port}/"), Vec::new(), Vec::new()).await;
        assert_eq!(sent, Err(Unanswered::Refused(AddressFault::NotPublic)));
        // Nobody knocked.
        let knocked = std::future::poll_fn(|context| match listener.poll_accept(context) {
            std::task::Poll::Ready(_) => std::task::Poll::Ready(true),
            std::task::Poll::Pending => std::task::Poll::Ready(false),
        });
        assert!(!knocked.await);
    }
}
