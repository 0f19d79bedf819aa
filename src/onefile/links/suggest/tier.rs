//! The strength of a reason.

/// The reasons for a pair, strongest first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// An id: the held one, or the MIS value.
    Certain,
    Uln,
    Email,
    Name,
    Near,
}

pub const TIERS: [Tier; 5] = [Tier::Certain, Tier::Uln, Tier::Email, Tier::Name, Tier::Near];

/// A OneFile record that matches.
#[derive(Clone, Copy)]
pub struct Hit {
    pub remote: u32,
    pub score: u8,
}
