//! From floating-point numbers to integers and back.

use crate::encoding::word::Word;

/// An exponent and a factor.
pub(crate) type Scale = (usize, usize);

/// The bits of a floating-point number, FLOAT or DOUBLE.
pub(crate) trait Float: Word {
    /// What a scale means in the type's own precision.
    type Powers: Copy;
    /// The largest exponent.
    const MOST: usize;

    /// The powers of ten of a scale.
    fn scale(scale: Scale) -> Self::Powers;
    /// The integer that comes nearest to a value, if one does at all.
    fn encode(self, powers: Self::Powers) -> Self;
    /// The value of an integer.
    fn decode(self, powers: Self::Powers) -> Self;
}

/// 10^e, 10^-e, 10^f and 10^-f.
#[derive(Clone, Copy)]
pub(crate) struct Powers<F> {
    exponent: F,
    minus_exponent: F,
    factor: F,
    minus_factor: F,
}

impl Float for u32 {
    type Powers = Powers<f32>;
    const MOST: usize = 10;

    fn scale((exponent, factor): Scale) -> Powers<f32> {
        let power = |powers: &[f32], of: usize| powers.get(of).copied().unwrap_or(f32::NAN);
        Powers {
            exponent: power(&TENS_32, exponent),
            minus_exponent: power(&TENTHS_32, exponent),
            factor: power(&TENS_32, factor),
            minus_factor: power(&TENTHS_32, factor),
        }
    }

    #[inline(always)]
    fn encode(self, powers: Powers<f32>) -> Self {
        /// Adding it pushes the fraction out; half as much again as the power of two serves negative numbers as well.
        const MAGIC: f32 = 12_582_912.0;
        let scaled = f32::from_bits(self) * powers.exponent * powers.minus_factor;
        let rounded = if scaled.abs() < 4_194_304.0 { (scaled + MAGIC) - MAGIC } else { scaled };
        (rounded as i32).cast_unsigned()
    }

    #[inline(always)]
    fn decode(self, powers: Powers<f32>) -> Self {
        (self.cast_signed() as f32 * powers.factor * powers.minus_exponent).to_bits()
    }
}

impl Float for u64 {
    type Powers = Powers<f64>;
    const MOST: usize = 18;

    fn scale((exponent, factor): Scale) -> Powers<f64> {
        let power = |powers: &[f64], of: usize| powers.get(of).copied().unwrap_or(f64::NAN);
        Powers {
            exponent: power(&TENS_64, exponent),
            minus_exponent: power(&TENTHS_64, exponent),
            factor: power(&TENS_64, factor),
            minus_factor: power(&TENTHS_64, factor),
        }
    }

    #[inline(always)]
    fn encode(self, powers: Powers<f64>) -> Self {
        /// Adding it pushes the fraction out; half as much again as the power of two serves negative numbers as well.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let scaled = f64::from_bits(self) * powers.exponent * powers.minus_factor;
        let rounded = if scaled.abs() < 2_251_799_813_685_248.0 { (scaled + MAGIC) - MAGIC } else { scaled };
        (rounded as i64).cast_unsigned()
    }

    #[inline(always)]
    fn decode(self, powers: Powers<f64>) -> Self {
        (self.cast_signed() as f64 * powers.factor * powers.minus_exponent).to_bits()
    }
}

/// Powers of ten as the specification wants them: the literals, correctly rounded, never computed.
const TENS_32: [f32; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
const TENTHS_32: [f32; 11] = [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10];
const TENS_64: [f64; 19] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];
const TENTHS_64: [f64; 19] =
    [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_powers_are_the_literals() {
        for i in 0..=18usize {
            let (up, down) = (format!("1e{i}"), format!("1e-{i}"));
            assert_eq!(TENS_64[i], up.parse::<f64>().unwrap());
            assert_eq!(TENTHS_64[i], down.parse::<f64>().unwrap());
            if i <= 10 {
                assert_eq!(TENS_32[i], up.parse::<f32>().unwrap());
                assert_eq!(TENTHS_32[i], down.parse::<f32>().unwrap());
            }
        }
    }

    #[test]
    fn integers_round_to_the_nearest() {
        for (value, integer) in
            [(2.5, 2), (3.5, 4), (-2.5, -2), (0.49, 0), (-0.51, -1), (4e15, 4_000_000_000_000_000), (1e300, i64::MAX), (f64::NAN, 0)]
        {
            assert_eq!(value.to_bits().encode(u64::scale((0, 0))).to_i64(), integer, "{value}");
        }
        for (value, integer) in [(2.5f32, 2), (-1.5, -2), (8e6, 8_000_000), (-1e30, i64::from(i32::MIN))] {
            assert_eq!(value.to_bits().encode(u32::scale((0, 0))).to_i64(), integer, "{value}");
        }
    }
}
