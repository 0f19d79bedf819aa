//! How a sandbox is to run.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::limit::LimitWindow;

#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder that keeps records and credits over a restart; none: they live in memory only.
    pub journal: Option<PathBuf>,
    /// For the draws of faults and for invented people. The catalogue of standards does not hang on it.
    pub seed: u64,
    /// The most calls that one ACE360 organisation may make in a minute; none: no limit.
    pub ace360_calls_per_minute: Option<u32>,
    /// The most calls that one OneFile customer may make in a minute; none: no limit.
    pub onefile_calls_per_minute: Option<u32>,
    /// What a minute is.
    pub limit_window: LimitWindow,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8090).into(),
            journal: None,
            seed: 1,
            ace360_calls_per_minute: None,
            // The documented limit; of ACE360 none is known.
            onefile_calls_per_minute: Some(300),
            limit_window: LimitWindow::Sliding,
        }
    }
}
