//! A cable between a client and the service that a test can cut.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A cable between a client and the service that a test can cut.
pub(crate) struct Cable {
    cut: Arc<Notify>,
    /// Where its near end is, as a URL's authority.
    pub(crate) authority: String,
}

impl Cable {
    /// To a service at this authority.
    pub(crate) async fn to(service: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let (cut, service) = (Arc::new(Notify::new()), service.to_owned());
        let cuts = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (cut, service) = (cuts.clone(), service.clone());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(service).await.unwrap();
                    tokio::select! {
                        () = cut.notified() => {}
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        Self { cut, authority }
    }

    /// Drops everything that is connected, without a goodbye; new connections are taken.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }
}
