//! Child processes: the service, its workers and the floor. A dropped process is killed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// A running server or worker.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The address that it listens on. A worker has none.
    pub address: Option<SocketAddr>,
}

impl Process {
    /// Starts a program and waits for a line of its standard output that contains `ready`. Reads
    /// the address from this line, if there is one.
    pub fn start(mut command: Command, ready: &str) -> Self {
        // The program still writes its log, so the figures include that cost.
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.by_ref().map_while(Result::ok).find(|line| line.contains(ready));
        let line = line.unwrap_or_else(|| panic!("{command:?} ended before it said `{ready}`"));
        // Read further output, so that the pipe does not fill up.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let address = line.split("http://").nth(1).and_then(|text| text.trim().parse().ok());
        Self { child, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address.expect("it listens")
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// Peak resident memory in bytes, since the start or since [`Process::forget_peak`].
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    pub fn forget_peak(&self) {
        // On Linux, 5 sets the peak to the current size.
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// CPU time of all threads so far, in clock ticks.
    pub fn ticks(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let rest = text.rsplit(')').next().unwrap_or_default();
        let fields: Vec<_> = rest.split_whitespace().collect();
        [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
    }

    fn status(&self, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
