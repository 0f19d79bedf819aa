//! Standards of the sandbox's catalogue.

/// ST0384, LARS 105: one version, no options.
pub const TEAM_LEADER: u32 = 800;

/// ST0070, LARS 196: the first version.
pub const BUSINESS_OLD: u32 = 242;

/// Its second, which follows.
pub const BUSINESS_MIDDLE: u32 = 243;

/// Its third, by option.
pub const BUSINESS_OPTIONS: [u32; 2] = [244, 245];
