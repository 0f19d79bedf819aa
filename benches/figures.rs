//! Percentiles, ratios and bounds.

use std::fmt;

/// A figure and its limit.
#[derive(Debug)]
pub struct Bound {
    name: String,
    measured: f64,
    limit: f64,
    at_least: bool,
}

impl Bound {
    pub fn at_least(name: impl Into<String>, measured: f64, limit: f64) -> Self {
        Self { name: name.into(), measured, limit, at_least: true }
    }

    pub fn at_most(name: impl Into<String>, measured: f64, limit: f64) -> Self {
        Self { name: name.into(), measured, limit, at_least: false }
    }

    fn holds(&self) -> bool {
        if self.at_least { self.measured >= self.limit } else { self.measured <= self.limit }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.at_least { "≥" } else { "≤" };
        let verdict = if self.holds() { "holds" } else { "MISSED" };
        write!(f, "{:<58} {:>9.2}  {sign} {:>8.2}  {verdict}", self.name, self.measured, self.limit)
    }
}

/// Sorts the values, and returns the one below which this share of them lies.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    assert!(!values.is_empty(), "nothing was measured");
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

pub fn median(values: &mut [f64]) -> f64 {
    percentile(values, 0.5)
}

pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}
