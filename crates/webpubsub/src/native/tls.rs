//! How `wss:` URLs are opened: by rustls.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

/// Why there is no TLS.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TlsError {
    /// No provider of cryptography was chosen.
    #[error("rustls has no crypto provider: install one with CryptoProvider::install_default")]
    NoProvider,
    /// The platform has no root certificates.
    #[error("the platform has no root certificates")]
    NoRoots,
    /// The provider is not taken by rustls.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// The application's configuration of rustls, or one that is made when it is first needed.
#[derive(Clone, Default)]
pub(super) struct Tls {
    given: Option<Arc<ClientConfig>>,
    made: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Tls {
    pub(super) fn set(&mut self, config: Arc<ClientConfig>) {
        self.given = Some(config);
    }

    /// The configuration to connect with. What could not be made is tried again the next time.
    ///
    /// # Errors
    /// [`TlsError`] where none was given and none can be made.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        if let Some(config) = self.given.as_ref().or_else(|| self.made.get()) {
            return Ok(config.clone());
        }
        let config = Arc::new(make()?);
        Ok(self.made.get_or_init(|| config).clone())
    }
}

/// With the process's crypto provider and the platform's roots.
fn make() -> Result<ClientConfig, TlsError> {
    let provider = CryptoProvider::get_default().cloned().ok_or(TlsError::NoProvider)?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
