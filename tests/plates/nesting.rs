//! Plates within loops and loops within plates, over parts of a stream, with what comes after them: all are the loops.

use posterior::prelude::*;

use crate::laws::{check, row, rows};

/// Writes a model of pairs of rows four times, the outer rows by a plate or a loop and the inner rows by a plate or a loop,
/// and compares them where the rows are all there are and where they stand for more.
///
/// What stands in braces is done for each outer row, for each pair, for each outer row behind the pairs, and at the end.
/// There are numbers `a` and `b`, the number `x` of the pair, and the numbers `u` of the outer row.
macro_rules! nestings {
    (|$a:ident, $b:ident, $u:ident, $x:ident| $($name:ident
        { $($before:tt)* } { $($pair:tt)* } { $($behind:tt)* } { $($after:tt)* })*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            nestings!(@models |$a, $b, $u, $x|
                both_plates: plate(outer) plate(inner),
                outer_loop: plate(outer).each() plate(inner),
                inner_loop: plate(outer) plate(inner).each(),
                both_loops: plate(outer).each() plate(inner).each()
            { $($before)* } { $($pair)* } { $($behind)* } { $($after)* });

            #[test]
            fn plates_are_loops() {
                let (xs, columns) = (rows(), row());
                for (outer, inner) in [(3, 6), (12, 6), (3, 15), (6, 12)] {
                    let plates = both_plates(&xs, &columns, outer, inner);
                    check(&plates, &both_loops(&xs, &columns, outer, inner));
                    check(&plates, &outer_loop(&xs, &columns, outer, inner));
                    check(&plates, &inner_loop(&xs, &columns, outer, inner));
                }
            }
        }
    )*};
    (@models |$a:ident, $b:ident, $u:ident, $x:ident|
        $p:ident: plate(outer) plate(inner),
        $q:ident: plate(outer).each() plate(inner),
        $r:ident: plate(outer) plate(inner).each(),
        $s:ident: plate(outer).each() plate(inner).each()
        { $($before:tt)* } { $($pair:tt)* } { $($behind:tt)* } { $($after:tt)* }) => {
        #[model]
        fn $p(xs: &Array2<f64>, columns: &Array1<f64>, outer: usize, inner: usize) {
            let $a = sample("a", Normal(0, 1));
            let $b = sample("b", HalfNormal(1));
            for i in plate(xs, total = outer) {
                let $u = xs[i];
                $($before)*
                for j in plate(columns, total = inner) {
                    let $x = xs[i][j];
                    $($pair)*
                }
                $($behind)*
            }
            $($after)*
        }

        #[model]
        fn $q(xs: &Array2<f64>, columns: &Array1<f64>, outer: usize, inner: usize) {
            let $a = sample("a", Normal(0, 1));
            let $b = sample("b", HalfNormal(1));
            for i in plate(xs, total = outer).each() {
                let $u = xs[i];
                $($before)*
                for j in plate(columns, total = inner) {
                    let $x = xs[i][j];
                    $($pair)*
                }
                $($behind)*
            }
            $($after)*
        }

        #[model]
        fn $r(xs: &Array2<f64>, columns: &Array1<f64>, outer: usize, inner: usize) {
            let $a = sample("a", Normal(0, 1));
            let $b = sample("b", HalfNormal(1));
            for i in plate(xs, total = outer) {
                let $u = xs[i];
                $($before)*
                for j in plate(columns, total = inner).each() {
                    let $x = xs[i][j];
                    $($pair)*
                }
                $($behind)*
            }
            $($after)*
        }

        #[model]
        fn $s(xs: &Array2<f64>, columns: &Array1<f64>, outer: usize, inner: usize) {
            let $a = sample("a", Normal(0, 1));
            let $b = sample("b", HalfNormal(1));
            for i in plate(xs, total = outer).each() {
                let $u = xs[i];
                $($before)*
                for j in plate(columns, total = inner).each() {
                    let $x = xs[i][j];
                    $($pair)*
                }
                $($behind)*
            }
            $($after)*
        }
    };
}

nestings! { |a, b, u, x|
    latents
        { let v = sample("v", Normal(a, b)); }
        { let z = sample("z", Gamma(b + 1, v.exp())); observe("y", x, Normal(z * v, b)); }
        { observe("row", u.sum(), Normal(v, 2)); }
        { let w = sample("w", Normal(a, 2)); observe("last", 0.5, Normal(w, b)); }
    terms
        { factor(-a.square()); }
        { factor(-(x - a).square() * b); }
        { factor(-(u.sum() * a).square()); }
        { factor(-b.square()); }
    vectors
        { let v = sample("v", Normal(a, b).expand([2])); }
        { let z = sample("z", Normal(v[0], b).expand([2]).ordered()); observe("y", x, Normal(z.sum(), 1).scale(0.3)); }
        { observe("row", u.sum(), Normal(v[1], 2).mask(u.sum().gt(0))); }
        { let w = sample("w", Dirichlet(array![1.0, 2.0])); observe("last", 0.5, Normal(w[0], b)); }
    chains
        { let v = for t in markov(2) { sample("v", Normal(a, b)) }; }
        { for t in markov(2) { let s = sample("s", Normal(v[t], b)); observe("y", x, Normal(s, 1)); } }
        { observe("row", u.sum(), Normal(v[1], 2)); }
        { let w = for t in markov(2) { sample("w", Normal(a, b)) }; observe("last", 0.5, Normal(w.sum(), b)); }
    parameters
        { let v = param("v", 0.5); }
        { let z = param("z", 2.0, Positive); observe("y", x, Normal(v * a, z)); }
        { observe("row", u.sum(), Normal(v, 2)); }
        { let w = param("w", 0.3, UnitInterval); observe("last", 0.5, Normal(w * a, b)); }
}
