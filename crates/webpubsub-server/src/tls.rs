//! TLS by certificates in files, which are read again when the operator says so.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(20);

/// The options that name the files.
const CERT: &str = "--cert";
const KEY: &str = "--key";

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{option}: {file} cannot be read: {error}")]
    File {
        /// The option that names it.
        option: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{option}: {file} is not a PEM {what}: {error}")]
    Pem {
        /// The option that names it.
        option: &'static str,
        /// The file.
        file: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        error: rustls::pki_types::pem::Error,
    },
    /// There is none in its file.
    #[error("--cert: {0} has no certificate in it, as PEM")]
    Empty(PathBuf),
    /// Key and certificate do not belong together, or are of no use.
    #[error("--cert and --key: the certificate and its key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificate of the moment, which all threads share.
#[derive(Clone)]
pub(crate) struct Certificates(watch::Receiver<Arc<ServerConfig>>);

impl CertificateFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn read(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let (cert, key) = (content(CERT, &self.cert)?, content(KEY, &self.key)?);
        let pem = |option, file: &Path, what| {
            let file = file.to_owned();
            move |error| CertificateError::Pem { option, file, what, error }
        };
        let chain = CertificateDer::pem_slice_iter(&cert).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(pem(CERT, &self.cert, "certificate"))?;
        if chain.is_empty() {
            return Err(CertificateError::Empty(self.cert.clone()));
        }
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(pem(KEY, &self.key, "key"))?;
        let provider = Arc::new(rustls_graviola::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_no_client_auth().with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl Certificates {
    /// The certificates that `current` has from time to time.
    pub(crate) const fn new(current: watch::Receiver<Arc<ServerConfig>>) -> Self {
        Self(current)
    }

    /// Makes the handshake of a connection.
    ///
    /// # Errors
    /// The handshake fails, or takes too long.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.0.borrow());
        timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await?
    }
}

fn content(option: &'static str, file: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(file).map_err(|error| CertificateError::File { option, file: file.to_owned(), error })
}
