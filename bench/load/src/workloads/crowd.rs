//! Very many connections: what opening them costs, what they cost idle, a sign of life of each, and messages to all
//! or some of them.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;

use super::traffic::{Rate, Server, Traffic};
use super::{Cost, Meter};
use crate::client::{Event, open_all};
use crate::error::LoadError;
use crate::figures::{Figures, real};
use crate::plan::{Crowd, Plan};
use crate::process::ProcessTree;
use crate::tally::Groups;

/// How long connections rest before their memory is measured.
const REST: Duration = Duration::from_secs(1);

/// Connects, publishes and measures.
pub(super) async fn run(plan: &Plan, workload: &Crowd) -> Result<Figures, LoadError> {
    let kinds = workload.clients.len().max(1);
    let groups = |member: usize| {
        let audiences = workload.publish.iter().enumerate();
        Groups::of(
            audiences.filter(|(_, its)| its.clients.contains(&(member % kinds))).map(|(group, _)| group),
        )
    };
    let traffic = Traffic::new((0..workload.members).map(groups).collect());
    let on: Rc<dyn Fn(usize, Event)> = {
        let traffic = Rc::clone(&traffic);
        Rc::new(move |member, event| traffic.receive(member, event))
    };
    let client = |member: usize| workload.clients.get(member % kinds);
    let mut figures = Figures::default();
    let server = ProcessTree(plan.pid);
    let first = workload.first.min(workload.members / 2);
    let first_ones = open_all(plan, 0..first, client, Rc::clone(&on)).await?;
    sleep(REST).await;
    let (before, meter) = (server.memory(), Meter::start(plan));
    let others = open_all(plan, first..workload.members, client, on).await?;
    let Cost { elapsed, cpu } = meter.stop();
    let count = u64::try_from(others.len()).unwrap_or(u64::MAX);
    figures.set("connections", real(u64::try_from(workload.members).unwrap_or(u64::MAX)));
    figures.rate("connects_per_second", count, elapsed);
    figures.cpu("cpu_us_per_connect", cpu, count);

    sleep(REST).await;
    if let Some((before, after)) = before.zip(server.memory()) {
        figures.set("memory_kb_per_connection", real(after.saturating_sub(before)) / real(count) / 1024.0);
    }
    let meter = Meter::start(plan);
    sleep(Duration::from_secs_f64(plan.seconds)).await;
    let Cost { elapsed, cpu } = meter.stop();
    if let Some(cpu) = cpu {
        figures.set("idle_cpu_percent", 100.0 * cpu.as_secs_f64() / elapsed.as_secs_f64());
    }

    if let Some(ping) = plan.dialect.ping() {
        let meter = Meter::start(plan);
        first_ones.iter().chain(&others).for_each(|client| client.send(ping.clone()));
        // Whatever else the server does in that time was measured above, and is far less.
        sleep(REST).await;
        let members = u64::try_from(workload.members).unwrap_or(u64::MAX);
        figures.cpu("cpu_us_per_ping", meter.stop().cpu, members);
    }

    for (group, audience) in workload.publish.iter().enumerate() {
        let (targets, pace) = (vec![(group, &audience.endpoint)], Rate::new(None));
        let server = Server { plan, traffic: &traffic, targets, at_once: 1, pace, size: workload.size };
        let measured = traffic.measure(plan, |until| server.publish_until(until)).await?;
        measured.note(&mut figures, &format!("{}_", audience.name));
    }
    traffic.note(&mut figures);
    Ok(figures)
}
