//! The command line.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::thread::available_parallelism;

use crate::storage::Durability;
use crate::tls::CertificateFiles;

/// What `--help` says.
pub const HELP: &str = "\
Runs the service: one process that keeps its state in SQLite. Prints `listening on http://HOST:PORT`, and one
for https where it is served, when it accepts.

  webpubsub-server [options]

  --port N            Where it listens for http; 0 is any free port. (8080)
  --host H            The name or address to listen at. (127.0.0.1)
  --https-port N      Where it listens for https, with --cert and --key; 0 is any free port. (8443)
  --cert FILE         Serve https with this certificate, PEM. It is read again after SIGHUP.
  --key FILE          The certificate's key, PEM.
  --state DIR         Where it keeps its state. (.state)
  --durability WHAT   full: what was acknowledged survives a power failure; normal: the end of the process, and
                      perhaps not the last moments before a power failure; memory: nothing is written. (full)
  --threads N         How many threads serve. (one for each core)
  --shards N          How many shards a hub is spread over. (1)
  --settings FILE     Hubs' settings, JSON: see docs/configuration.md.
  --var NAME=VALUE    Sets a variable: see docs/configuration.md. May be given several times.
  --pages DIR         Serve these files at the paths that the service does not have, in place of the page.
  --version           Says which version this is.
  --help              Says this.

The access key is WEBPUBSUB_ACCESS_KEY in the environment. WEBPUBSUB_ACCESS_KEY_SECONDARY, PORTAL_SECRET and
HANDLER_SECRET_… come from there, too.
";

/// The port for https, where none is given.
const HTTPS_PORT: u16 = 8443;
/// The most threads.
const MAX_THREADS: usize = 256;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub(crate) port: u16,
    pub(crate) host: String,
    pub(crate) https: Option<(u16, CertificateFiles)>,
    pub(crate) state: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) threads: usize,
    pub(crate) variables: Vec<(String, String)>,
    /// What on the command line has set a variable by an option of its own, by the variable's name.
    pub(crate) given_by: BTreeMap<&'static str, String>,
    pub(crate) pages: Option<PathBuf>,
}

/// Why the command line asks for nothing that can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// It asks for help.
    #[error("{HELP}")]
    Help,
    /// It asks for the version.
    #[error("{}\n", env!("CARGO_PKG_VERSION"))]
    Version,
    /// An option that there is not.
    #[error("there is no option {0}: see --help")]
    Unknown(String),
    /// An option without its value.
    #[error("{0} needs a value")]
    NoValue(String),
    /// A value that is not what it should be.
    #[error("{option} must be {expected}, not \"{value}\"")]
    Value {
        /// The option.
        option: String,
        /// What its value should be.
        expected: &'static str,
        /// What it is.
        value: String,
    },
    /// A file that cannot be read.
    #[error("{option}: {value} cannot be read ({error})")]
    File {
        /// The option.
        option: String,
        /// The file.
        value: String,
        /// Why.
        error: String,
    },
    /// An option that is nothing without another one.
    #[error("{given} needs {missing}: https is served with a certificate and its key, PEM")]
    NoCertificate {
        /// The option.
        given: &'static str,
        /// What is missing.
        missing: &'static str,
    },
}

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, OptionsError> {
        let mut options = Self {
            port: 8080,
            host: Ipv4Addr::LOCALHOST.to_string(),
            https: None,
            state: ".state".into(),
            durability: Durability::Full,
            threads: available_parallelism().map_or(1, usize::from).min(MAX_THREADS),
            variables: Vec::new(),
            given_by: BTreeMap::new(),
            pages: None,
        };
        let (mut https_port, mut cert, mut key) = (None, None, None);
        let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next() {
            let (option, given) = match argument.split_once('=') {
                Some((option, value)) if option.starts_with("--") => {
                    (option.to_owned(), Some(value.to_owned()))
                }
                _ => (argument, None),
            };
            let wrong = |expected, value: &str| OptionsError::Value {
                option: option.clone(),
                expected,
                value: value.to_owned(),
            };
            let mut value = || {
                given
                    .clone()
                    .or_else(|| arguments.next())
                    .filter(|value| !value.is_empty())
                    .ok_or_else(|| OptionsError::NoValue(option.clone()))
            };
            match &*option {
                "--help" | "-h" => return Err(OptionsError::Help),
                "--version" | "-v" => return Err(OptionsError::Version),
                "--port" => options.port = number(&value()?, wrong)?,
                "--https-port" => https_port = Some(number(&value()?, wrong)?),
                "--host" => value()?.trim_matches(['[', ']']).clone_into(&mut options.host),
                "--cert" => cert = Some(value()?.into()),
                "--key" => key = Some(value()?.into()),
                "--state" => options.state = value()?.into(),
                "--pages" => options.pages = Some(value()?.into()),
                "--durability" => {
                    let value = value()?;
                    options.durability =
                        value.parse().map_err(|()| wrong("full, normal or memory", &value))?;
                }
                "--threads" => {
                    let value = value()?;
                    let threads = value.parse().ok().filter(|threads| (1..=MAX_THREADS).contains(threads));
                    options.threads = threads.ok_or_else(|| wrong("a whole number from 1 to 256", &value))?;
                }
                "--shards" => {
                    let shards = value()?;
                    options.given_by.insert("SHARDS", format!("--shards {shards}"));
                    options.variables.push(("SHARDS".to_owned(), shards));
                }
                "--settings" => {
                    let file = value()?;
                    let settings = fs::read_to_string(&file).map_err(|error| OptionsError::File {
                        option: option.clone(),
                        value: file.clone(),
                        error: error.to_string(),
                    })?;
                    options.given_by.insert("HUB_SETTINGS", format!("--settings {file}"));
                    options.variables.push(("HUB_SETTINGS".to_owned(), settings));
                }
                "--var" => {
                    let value = value()?;
                    let given = value.split_once('=').filter(|(name, _)| !name.is_empty());
                    let (name, set) = given.ok_or_else(|| wrong("NAME=VALUE", &value))?;
                    options.given_by.remove(name);
                    options.variables.push((name.to_owned(), set.to_owned()));
                }
                _ => return Err(OptionsError::Unknown(option)),
            }
        }
        let without = |given, missing| Err(OptionsError::NoCertificate { given, missing });
        options.https = match (cert, key, https_port) {
            (Some(cert), Some(key), port) => {
                Some((port.unwrap_or(HTTPS_PORT), CertificateFiles { cert, key }))
            }
            (Some(_), None, _) => return without("--cert", "--key FILE"),
            (None, Some(_), _) => return without("--key", "--cert FILE"),
            (None, None, Some(_)) => return without("--https-port", "--cert FILE and --key FILE"),
            (None, None, None) => None,
        };
        Ok(options)
    }

    /// The hosts that clients of the service ask, as they stand in URLs, with commas between.
    pub(crate) fn service_hosts(&self, http: u16, https: Option<u16>) -> String {
        const LOCAL: [&str; 5] = ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"];
        let mut names = if LOCAL.contains(&&*self.host) {
            vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
        } else {
            vec![bracketed(&self.host)]
        };
        if self.host == "::1" {
            names.push("[::1]".to_owned());
        }
        let at = |port: u16, usual: u16| {
            let port = if port == usual { String::new() } else { format!(":{port}") };
            names.iter().map(move |name| format!("{name}{port}")).collect::<Vec<_>>()
        };
        let https = https.map(|port| at(port, 443)).unwrap_or_default();
        [at(http, 80), https].concat().join(",")
    }
}

/// A host as a part of a URL.
pub(crate) fn bracketed(host: &str) -> String {
    if matches!(host.parse(), Ok(IpAddr::V6(_))) { format!("[{host}]") } else { host.to_owned() }
}

fn number(value: &str, wrong: impl Fn(&'static str, &str) -> OptionsError) -> Result<u16, OptionsError> {
    value.parse().map_err(|_| wrong("a whole number from 0 to 65535", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, OptionsError> {
        Options::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn options_have_their_values_behind_them_or_behind_a_sign() {
        let options = parse(&["--port", "0", "--state=s", "--var", "A=b=c", "--shards", "2"]).unwrap();
        assert_eq!((options.port, options.state), (0, PathBuf::from("s")));
        let variables =
            [("A", "b=c"), ("SHARDS", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(options.variables, variables);
        assert_eq!(parse(&["--durability", "memory"]).unwrap().durability, Durability::Memory);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |arguments: &[&str]| parse(arguments).unwrap_err().to_string();
        assert_eq!(error(&["--prot"]), "there is no option --prot: see --help");
        assert_eq!(error(&["--port"]), "--port needs a value");
        assert_eq!(error(&["--port", "x"]), "--port must be a whole number from 0 to 65535, not \"x\"");
        assert!(error(&["--threads", "0"]).contains("from 1 to 256"));
        assert!(error(&["--cert", "c"]).starts_with("--cert needs --key FILE: "));
        assert!(error(&["--key", "k"]).starts_with("--key needs --cert FILE: "));
        assert!(error(&["--https-port", "0"]).starts_with("--https-port needs --cert FILE and --key FILE: "));
        assert_eq!(error(&["--state", ""]), "--state needs a value");
        assert_eq!(error(&["--var", "=1"]), "--var must be NAME=VALUE, not \"=1\"");
        assert_eq!(parse(&["--help"]), Err(OptionsError::Help));
        assert_eq!(error(&["--version"]), concat!(env!("CARGO_PKG_VERSION"), "\n"));
    }

    #[test]
    fn hosts_of_a_local_service_are_its_local_names() {
        let hosts = |host: &str| {
            let options = parse(&["--host", host]).unwrap();
            options.service_hosts(80, Some(8443))
        };
        assert_eq!(hosts("0.0.0.0"), "localhost,127.0.0.1,localhost:8443,127.0.0.1:8443");
        assert_eq!(hosts("[2001:db8::1]"), "[2001:db8::1],[2001:db8::1]:8443");
    }
}
