//! TLS: certificates are checked against the name that was written.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use regulars_actions::{Client, ClientError, Fault, Outcome, Resolve, Resolved};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::client::{loopback_settings, message};
use crate::receiver::{Manner, Receiver, status};

const AUTHORITY: &[u8] = include_bytes!("../../testdata/ca.pem");

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(include_bytes!("../../testdata/receiver.pem"));
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../testdata/receiver.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// All names are this address.
#[derive(Debug)]
struct One(SocketAddr);

impl Resolve for One {
    fn resolve(&self, _: &str, _: u16) -> Resolved {
        let address = self.0;
        Box::pin(async move { io::Result::Ok(vec![address]) })
    }
}

async fn send(receiver: &Receiver, host: &str, roots: &[u8]) -> Outcome {
    let mut settings = loopback_settings(20_000);
    settings.connect_timeout_ms = 500;
    let resolver = Arc::new(One(receiver.address));
    let client = Client::with_resolver(&settings, roots, resolver).unwrap();
    client
        .send(&format!("https://{host}/").parse().unwrap(), &message())
        .await
}

#[tokio::test]
async fn a_certificate_must_be_of_a_known_authority_and_for_that_name() {
    let receiver = Receiver::start_tls(vec![status("200 OK", "")], acceptor()).await;
    let delivered = Outcome::Delivered { status: 200 };
    assert_eq!(send(&receiver, "receiver.test", AUTHORITY).await, delivered);
    let distrusted = Outcome::Unreachable {
        error: Fault::Certificate,
    };
    assert_eq!(send(&receiver, "receiver.test", b"").await, distrusted);
    assert_eq!(send(&receiver, "other.test", AUTHORITY).await, distrusted);
    assert_eq!(
        send(&receiver, "127.0.0.1:1", AUTHORITY).await,
        Outcome::Unreachable {
            error: Fault::ConnectionRefused
        }
    );
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_receiver_without_tls_gets_nothing() {
    let talks = Receiver::start(vec![Manner::Resets]).await;
    let found = send(&talks, "receiver.test", AUTHORITY).await;
    assert_eq!(found, Outcome::Unreachable { error: Fault::Tls });
    // One that waits for a request in clear keeps us no longer than a connection may take.
    let waits = Receiver::start(vec![Manner::Hangs]).await;
    let found = send(&waits, "receiver.test", AUTHORITY).await;
    assert_eq!(
        found,
        Outcome::Unreachable {
            error: Fault::ConnectTimedOut
        }
    );
    assert_eq!(waits.received().len(), 0);
}

#[test]
fn additional_authorities_must_be_certificates() {
    for wrong in [&b"x"[..], include_bytes!("../../testdata/receiver.key")] {
        let found = Client::new(&loopback_settings(1), wrong).unwrap_err();
        assert_eq!(found, ClientError::Roots);
    }
}
