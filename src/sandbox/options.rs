//! The options of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::limit::LimitWindow;

#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// The address to listen on. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// The folder that keeps records and credits over a restart. `None`: they exist in memory only.
    pub journal: Option<PathBuf>,
    /// The seed for faults and invented people. The catalogue of standards does not depend on it.
    pub seed: u64,
    /// The most calls of one ACE360 organisation in a minute. `None`: no limit.
    pub ace360_calls_per_minute: Option<u32>,
    /// The most calls of one OneFile customer in a minute. `None`: no limit.
    pub onefile_calls_per_minute: Option<u32>,
    /// How a minute is counted.
    pub limit_window: LimitWindow,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8090).into(),
            journal: None,
            seed: 1,
            ace360_calls_per_minute: None,
            // The documented limit. For ACE360 none is known.
            onefile_calls_per_minute: Some(300),
            limit_window: LimitWindow::Sliding,
        }
    }
}
