//! What can be done to a server.

mod connect;
mod crowd;
mod events;
mod flood;
mod membership;
mod publish;
mod replay;
mod traffic;

use std::time::Duration;

use tokio::time::Instant;

use crate::error::LoadError;
use crate::figures::Figures;
use crate::plan::{Plan, Workload};
use crate::process::ProcessTree;

/// How long anything may take to come.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long to wait for what should not come.
const AFTERWARDS: Duration = Duration::from_millis(50);

/// Carries out the plan's workload.
pub(crate) async fn run(plan: &Plan) -> Result<Figures, LoadError> {
    match &plan.workload {
        Workload::Publish(workload) => publish::run(plan, workload).await,
        Workload::Crowd(workload) => crowd::run(plan, workload).await,
        Workload::Connect(workload) => connect::run(plan, workload).await,
        Workload::Membership(workload) => membership::run(plan, workload).await,
        Workload::Flood(workload) => flood::run(plan, workload).await,
        Workload::Events(workload) => events::run(plan, workload).await,
        Workload::Replay(workload) => replay::run(plan, workload).await,
    }
}

/// What a phase took: time, and the server's CPU time where it is known.
#[derive(Debug, Clone, Copy)]
struct Cost {
    elapsed: Duration,
    cpu: Option<Duration>,
}

/// Measures from its making on.
struct Meter {
    server: ProcessTree,
    cpu: Option<Duration>,
    started: Instant,
}

impl Meter {
    fn start(plan: &Plan) -> Self {
        let server = ProcessTree(plan.pid);
        Self { server, cpu: server.cpu(), started: Instant::now() }
    }

    fn stop(self) -> Cost {
        let elapsed = self.started.elapsed();
        let cpu = self.server.cpu().zip(self.cpu).map(|(after, before)| after.saturating_sub(before));
        Cost { elapsed, cpu }
    }
}
