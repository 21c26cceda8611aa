//! What can be done to a server.

mod connect;
mod flood;
mod membership;
mod publish;

use std::time::Duration;

use crate::error::LoadError;
use crate::figures::Figures;
use crate::plan::{Plan, Workload};

/// How long anything may take to come.
const PATIENCE: Duration = Duration::from_secs(15);

/// Carries out the plan's workload.
pub(crate) async fn run(plan: &Plan) -> Result<Figures, LoadError> {
    match &plan.workload {
        Workload::Publish(workload) => publish::run(plan, workload).await,
        Workload::Connect(workload) => connect::run(plan, workload).await,
        Workload::Membership(workload) => membership::run(plan, workload).await,
        Workload::Flood(workload) => flood::run(plan, workload).await,
    }
}
