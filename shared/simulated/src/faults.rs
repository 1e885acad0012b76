/// Chances in 10,000 that a call meets a fault.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Faults {
    /// Refused as `Throttled`; nothing happened.
    pub throttled: u32,
    /// Takes up to 20 seconds.
    pub slow: u32,
    /// A write, send or delete is answered `Unknown`; half of them were carried out.
    pub lost: u32,
    /// A job that was done is handed out once more.
    pub redelivered: u32,
    /// Another group's turn comes first.
    pub reordered: u32,
    /// A wake gets lost.
    pub deaf: u32,
}

impl Faults {
    pub const NONE: Self = Self { throttled: 0, slow: 0, lost: 0, redelivered: 0, reordered: 0, deaf: 0 };

    /// Everything now and then: for simulations.
    pub const STORMY: Self = Self { throttled: 150, slow: 50, lost: 150, redelivered: 500, reordered: 3_000, deaf: 1_000 };
}
