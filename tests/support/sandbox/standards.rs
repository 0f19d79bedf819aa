//! Standards of the sandbox's catalogue.

/// ST0384, LARS 105: one version, no options.
pub const TEAM_LEADER: u32 = 800;

/// ST0070, LARS 196: the first version.
pub const BUSINESS_OLD: u32 = 242;

/// The second version of ST0070.
pub const BUSINESS_MIDDLE: u32 = 243;

/// The third version of ST0070, by option.
pub const BUSINESS_OPTIONS: [u32; 2] = [244, 245];
