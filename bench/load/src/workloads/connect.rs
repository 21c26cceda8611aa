//! New connections, some at once, each ready before the next takes its place.

use std::cell::RefCell;
use std::iter;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use super::{Cost, Meter};
use crate::client::Client;
use crate::error::LoadError;
use crate::figures::{Figures, real};
use crate::plan::{Connect, Plan};
use crate::samples::Samples;

/// Connects and measures. All connections stay open until the end.
pub(super) async fn run(plan: &Plan, workload: &Connect) -> Result<Figures, LoadError> {
    let clients = RefCell::new(Vec::new());
    let times = RefCell::new(Samples::default());
    let connect_until = async |until: Instant| {
        while Instant::now() < until {
            let since = Instant::now();
            let client = Client::open(plan, &workload.client, |_| {}).await?;
            times.borrow_mut().add(since.elapsed());
            clients.borrow_mut().push(client);
        }
        Ok::<(), LoadError>(())
    };
    let connect_for = async |seconds: f64| {
        let until = Instant::now() + Duration::from_secs_f64(seconds);
        try_join_all(iter::repeat_with(|| connect_until(until)).take(workload.at_once)).await
    };

    connect_for(plan.warm_up).await?;
    times.take();
    let meter = Meter::start(plan);
    connect_for(plan.seconds).await?;
    let Cost { elapsed, cpu } = meter.stop();

    let times = times.borrow();
    let count = u64::try_from(times.len()).unwrap_or(u64::MAX);
    let mut figures = Figures::default();
    figures.set("connections", real(count));
    figures.rate("connects_per_second", count, elapsed);
    figures.cpu("cpu_us_per_connect", cpu, count);
    figures.latency("", &times);
    Ok(figures)
}
