//! What a workload has measured: names and numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::samples::Samples;

/// Figures by name, as JSON when displayed. One that could not be measured is left out.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Notes one figure.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        if value.is_finite() {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// A figure, if it could be measured.
    #[cfg(test)]
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Notes how many there were of something a second.
    pub(crate) fn rate(&mut self, name: &str, count: u64, elapsed: Duration) {
        self.set(name, real(count) / elapsed.as_secs_f64());
    }

    /// Notes the CPU time, in microseconds, of each of `count`.
    pub(crate) fn cpu(&mut self, name: &str, cpu: Option<Duration>, count: u64) {
        if let Some(cpu) = cpu {
            self.set(name, cpu.as_secs_f64() * 1e6 / real(count));
        }
    }

    /// Notes the median, the 99th percentile and the maximum of some times, in milliseconds.
    pub(crate) fn latency(&mut self, prefix: &str, samples: &Samples) {
        for (name, value) in [
            ("p50_ms", samples.percentile(50)),
            ("p99_ms", samples.percentile(99)),
            ("max_ms", samples.percentile(100)),
        ] {
            if let Some(value) = value {
                self.set(&format!("{prefix}{name}"), value.as_secs_f64() * 1e3);
            }
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// A count as a number to reckon with: exact below 2^53.
pub(crate) fn real(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no workload counts that far")]
    let real = count as f64;
    real
}
