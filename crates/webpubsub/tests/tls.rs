//! What becomes of `wss:` URLs without a provider, and with a service that speaks no TLS.
#![cfg(all(feature = "rustls", not(target_arch = "wasm32")))]

#[path = "support/server.rs"]
mod server;

use std::error::Error as _;

use server::{Server, within};
use tokio::io::AsyncWriteExt as _;
use webpubsub::{ConnectError, StartError, TlsError, WebPubSubClient};

#[tokio::test]
async fn tls_needs_a_provider_and_a_service_that_speaks_it() {
    let server = Server::bind().await;
    let client = WebPubSubClient::builder(server.url().replace("ws:", "wss:")).build().unwrap();
    let error = within(client.start()).await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), TlsError::NoProvider.to_string());
    assert!(matches!(error, StartError::Connect { error: ConnectError::Unreachable, .. }));

    // The next start finds the provider that was installed meanwhile.
    rustls_graviola::default_provider().install_default().unwrap();
    let (started, ()) = tokio::join!(client.start(), async {
        let mut stream = server.accept_tcp().await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = started.unwrap_err();
    assert!(matches!(error, StartError::Connect { error: ConnectError::Unreachable, .. }), "{error:?}");
    assert!(error.source().unwrap().to_string().contains("InvalidContentType"), "{error:?}");
}
