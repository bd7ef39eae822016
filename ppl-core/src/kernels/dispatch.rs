//! Compiles a loop once for each instruction set and picks the best one at run time.

use std::sync::atomic::{AtomicU8, Ordering};

/// A loop over slices: a struct of its operands whose `run` is inlined into a function that may use wider registers.
///
/// Implementations mark `run` and all it calls `#[inline(always)]`; no fused multiply-add is used, so
/// every instruction set gives the same bits.
pub trait Loop {
    /// What the loop returns.
    type Out;

    /// Runs the loop.
    fn run(self) -> Self::Out;
}

/// Runs `body` with the widest vector registers of this machine.
///
/// `POSTERIOR_SIMD=base|avx2|avx512` in the environment lowers the choice (valgrind knows no AVX-512).
#[inline(always)]
pub fn dispatch<L: Loop>(body: L) -> L::Out {
    #[cfg(target_arch = "x86_64")]
    {
        match level() {
            // SAFETY: `level` answers AVX512 only where the processor has the four features.
            AVX512 => return unsafe { with_avx512(body) },
            // SAFETY: `level` answers AVX2 only where the processor has it.
            AVX2 => return unsafe { with_avx2(body) },
            _ => {}
        }
    }
    body.run()
}

/// Runs `body` on each instruction set of this machine, from base upwards.
#[cfg(test)]
pub fn on_every_level<L: Loop>(body: impl Fn() -> L) -> Vec<(&'static str, L::Out)> {
    #[allow(unused_mut)]
    let mut results = vec![("base", body().run())];
    #[cfg(target_arch = "x86_64")]
    {
        let best = best();
        if best >= AVX2 {
            // SAFETY: the processor has AVX2.
            results.push(("avx2", unsafe { with_avx2(body()) }));
        }
        if best >= AVX512 {
            // SAFETY: the processor has the four features.
            results.push(("avx512", unsafe { with_avx512(body()) }));
        }
    }
    results
}

const UNKNOWN: u8 = 0;
pub(super) const BASE: u8 = 1;
pub(super) const AVX2: u8 = 2;
pub(super) const AVX512: u8 = 3;

static LEVEL: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Returns the level at which loops run.
#[inline(always)]
pub(super) fn level() -> u8 {
    match LEVEL.load(Ordering::Relaxed) {
        UNKNOWN => detect(),
        known => known,
    }
}

/// Returns the widest level of this machine.
pub(super) fn best() -> u8 {
    #[allow(unused_mut)]
    let mut best = BASE;
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") {
            best = AVX2;
        }
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
        {
            best = AVX512;
        }
    }
    best
}

#[cold]
fn detect() -> u8 {
    let wanted = match std::env::var("POSTERIOR_SIMD").as_deref() {
        Ok("base") => BASE,
        Ok("avx2") => AVX2,
        _ => AVX512,
    };
    let chosen = best().min(wanted);
    LEVEL.store(chosen, Ordering::Relaxed);
    chosen
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn with_avx2<L: Loop>(body: L) -> L::Out {
    body.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
unsafe fn with_avx512<L: Loop>(body: L) -> L::Out {
    body.run()
}
