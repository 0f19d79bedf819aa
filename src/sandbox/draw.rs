//! Repeatable randomness: SplitMix64, written out because its numbers must stay the same for ever.
//! The ids of the catalogue hang on them, and `rand` does not promise the same draws in its next version.

/// A source of draws; the same seed gives the same draws, on any machine and in any version.
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

    /// A number from 0 up to, not including, `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u32) -> u32 {
        // The high half of a product, instead of a remainder: even enough, and no division.
        let product = (self.next() >> 32) * u64::from(end);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    /// True with this chance, 0.0 never and 1.0 always.
    pub fn chance(&mut self, chance: f64) -> bool {
        f64::from(self.below(1 << 24)) < chance * f64::from(1 << 24)
    }

    /// One of the items, which must not be empty.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let end = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items[self.below(end) as usize]
    }
}
