//! Repeatable randomness: SplitMix64, written here because its numbers must never change. The
//! catalogue's ids depend on them, and `rand` does not promise the same numbers in its next
//! version.

/// A source of random numbers. The same seed gives the same numbers on any machine and in any
/// version.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: u32) -> u32 {
        // The high half of a product instead of a remainder: uniform enough, and no division.
        let product = (self.next() >> 32) * u64::from(end);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    /// True with this probability: 0.0 never, 1.0 always.
    pub fn chance(&mut self, chance: f64) -> bool {
        f64::from(self.below(1 << 24)) < chance * f64::from(1 << 24)
    }

    /// One of the items. There must be at least one.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let end = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items[self.below(end) as usize]
    }
}
