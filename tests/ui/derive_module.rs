//! What `#[derive(Module)]` and `random_module` refuse.

use posterior::prelude::*;

#[derive(Clone, Module)]
enum Choice<P = Parameter> {
    Small(Linear<P>),
    Large(Mlp<P>),
}

#[derive(Clone, Module)]
struct NotGeneric {
    hidden: Linear,
}

#[derive(Clone, Module)]
#[module(path = nn)]
struct UnknownOption<P = Parameter> {
    hidden: Linear<P>,
}

#[model]
fn no_network(width: usize) {
    let net = sample(random_module(width, Normal(0, 1)));
}

#[model]
fn no_prior(net: Linear) {
    let net = sample(random_module(net, 1.0));
}

fn main() {}
