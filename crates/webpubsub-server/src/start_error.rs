//! Why the service does not start.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use webpubsub_service::ConfigError;

use crate::tls::CertificateError;

/// Why the service does not start, or ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no access key.
    #[error(
        "WEBPUBSUB_ACCESS_KEY is not in the environment, or is empty: it is a text of 32 or more random characters, as `openssl rand -base64 36` makes one"
    )]
    NoAccessKey,
    /// A variable is wrong.
    #[error("the service is not set up: {0}")]
    Config(ConfigError),
    /// A variable is wrong that an option has set.
    #[error("{option}: {error}")]
    Option {
        /// The option, with its value.
        option: String,
        /// What is wrong.
        error: ConfigError,
    },
    /// There is no variable of this name.
    #[error("--var {name}: there is no such variable, only {known}")]
    NoVariable {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// It cannot listen there.
    #[error("cannot listen at {address}: {error}{}", advice(.error, .option))]
    Listen {
        /// Where.
        address: String,
        /// The option that says at which port.
        option: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The sockets that it was started with are of no use.
    #[error("the sockets that the service was started with cannot be used: {0}")]
    Given(io::Error),
    /// There is a socket for https, and no certificate.
    #[error("a socket for https was given, which needs --cert FILE and --key FILE")]
    NoCertificate,
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The state folder cannot be used.
    #[error(
        "the state folder {folder} cannot be used: {error}: make it one that this user may write to, or take another folder with --state DIR"
    )]
    State {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process runs on the state folder.
    #[error(
        "another process runs on the state folder {0}: end it first, or take another folder with --state DIR"
    )]
    StateInUse(PathBuf),
    /// The pages cannot be read.
    #[error("--pages: {folder} cannot be read: {error}")]
    Pages {
        /// Their folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The system gives no thread, socket or signal.
    #[error(transparent)]
    System(#[from] io::Error),
    /// TLS cannot be used.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// A thread's own task panicked, with which all hubs of the thread are gone.
    #[error("a thread has panicked, and its hubs are gone until the service starts again")]
    Panicked,
}

impl StartError {
    /// Whether it is a mistake of whoever started it.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::System(_) | Self::Tls(_) | Self::Panicked)
    }

    /// The same error, with the option that has set the variable that is wrong, if an option of its own has.
    pub(crate) fn of(self, given_by: &BTreeMap<&'static str, String>) -> Self {
        let Self::Config(error) = self else { return self };
        let variable = match &error {
            ConfigError::Number { name, .. } => *name,
            ConfigError::Settings(_) => "HUB_SETTINGS",
            ConfigError::NoAccessKey
            | ConfigError::AccessKey(_)
            | ConfigError::PortalSecret
            | ConfigError::Switch
            | ConfigError::Retries
            | ConfigError::Hosts { .. } => return Self::Config(error),
        };
        match given_by.get(variable) {
            Some(option) => Self::Option { option: option.clone(), error },
            None => Self::Config(error),
        }
    }
}

/// What to do about an address at which it is not possible to listen.
fn advice(error: &io::Error, option: &str) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::AddrInUse {
        format!(": end what listens there, or take another port with {option} N")
    } else if kind == io::ErrorKind::PermissionDenied {
        format!(": take a port above 1023 with {option} N")
    } else if kind == io::ErrorKind::AddrNotAvailable || error.raw_os_error().is_none() {
        // A name that is not found is no error of the system's.
        ": take an address of this machine with --host H".to_owned()
    } else {
        String::new()
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        if matches!(error, ConfigError::NoAccessKey | ConfigError::AccessKey(_)) {
            Self::NoAccessKey
        } else {
            Self::Config(error)
        }
    }
}
