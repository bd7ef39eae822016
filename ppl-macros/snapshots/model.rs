//! What #[model] makes of the model in the test of expand.rs.
#[doc = "Typed names of the sites of [`schools`](schools())."]
#[allow(
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    clippy::all,
    clippy::pedantic
)]
pub mod schools {
    #[doc(hidden)]
    pub mod sites {
        pub struct mu {}
    }
    #[doc(hidden)]
    pub struct Latents {
        pub mu: ::posterior::__private::Covered<sites::mu>,
    }
    #[doc = "Values for sites, by name."]
    #[derive(Clone, Debug, Default)]
    pub struct Values(::posterior::__private::SiteValues);
    impl Values {
        #[doc = "Gives the site `mu` a value."]
        pub fn mu(self, value: impl ::core::convert::Into<::posterior::__private::SiteValue>) -> Self {
            Values(self.0.with("mu", value))
        }
    }
    impl ::core::convert::From<::posterior::__private::SiteValues> for Values {
        fn from(inner: ::posterior::__private::SiteValues) -> Self {
            Values(inner)
        }
    }
    impl ::core::convert::From<Values> for ::posterior::__private::SiteValues {
        fn from(outer: Values) -> Self {
            outer.0
        }
    }
    #[doc = "A choice of sites, by name."]
    #[derive(Clone, Debug, Default)]
    pub struct Names(::posterior::__private::SiteNames);
    impl Names {
        #[doc = "Chooses the site `mu`."]
        pub fn mu(self) -> Self {
            Names(self.0.with("mu"))
        }
        #[doc = "Chooses the site `y`."]
        pub fn y(self) -> Self {
            Names(self.0.with("y"))
        }
    }
    impl ::core::convert::From<::posterior::__private::SiteNames> for Names {
        fn from(inner: ::posterior::__private::SiteNames) -> Self {
            Names(inner)
        }
    }
    impl ::core::convert::From<Names> for ::posterior::__private::SiteNames {
        fn from(outer: Names) -> Self {
            outer.0
        }
    }
    #[doc = "Draws of the sites, by name."]
    #[derive(Clone)]
    pub struct Accessors(::std::sync::Arc<dyn ::posterior::__private::DrawsBySite>);
    impl Accessors {
        #[doc = "Returns the draws of `mu`: `[chain, draw, event…]`, or `[chain, draw, 0]` if no draw has met it.\n\n# Panics\n\nIf `mu` is a submodel, a module or a loop whose sites differ in shape: their sites are read from `draws()`. In the result of SVI also if its sites are fixed and `mu` is no latent among them."]
        pub fn mu(&self) -> ::posterior::__private::ArrayViewD<'_, f64> {
            self.0.draws_of_latent("mu")
        }
        #[doc = "Returns the draws of `y` in place of missing data: `[chain, draw, event…]`.\n\n# Panics\n\nIf there are none, as where `y` has data."]
        pub fn y(&self) -> ::posterior::__private::ArrayViewD<'_, f64> {
            self.0.draws_of("y")
        }
    }
    impl ::core::convert::From<::std::sync::Arc<dyn ::posterior::__private::DrawsBySite>> for Accessors {
        fn from(draws: ::std::sync::Arc<dyn ::posterior::__private::DrawsBySite>) -> Self {
            Accessors(draws)
        }
    }
    impl ::posterior::__private::SiteAccessors for Accessors {
        type Names = Names;
    }
}
impl ::posterior::__private::SiteSupport for schools::sites::mu {
    type Support = <Normal<'static> as ::posterior::__private::Family>::Support;
}
pub fn schools<'__data>(
    sigma: impl ::posterior::__private::LendData<'__data, Array1<f64>>,
    k: usize,
    y: impl ::posterior::__private::LendObs<'__data, Array1<f64>>,
) -> impl ::posterior::__private::Model<Values = schools::Values, Names = schools::Names, Accessors = schools::Accessors>
+ ::posterior::__private::Sample<'__data, Out = <fn(::posterior::__private::Ctx) -> Var as ::posterior::__private::Returned<'__data>>::Out> {
    struct __Model<'__data> {
        sigma: ::posterior::__private::DataArg<'__data, Array1<f64>>,
        k: usize,
        y: ::posterior::__private::ObsArg<'__data, Array1<f64>>,
        __types: ::core::marker::PhantomData<fn() -> (&'__data (),)>,
    }
    impl<'__data> __Model<'__data> {
        #[allow(clippy::let_unit_value)]
        fn body<'__tape>(&self, __ctx: ::posterior::__private::Ctx<'__tape>) -> ::posterior::__private::Res<<fn(::posterior::__private::Ctx) -> Var as ::posterior::__private::Returned<'__tape>>::Out>
        where
            '__data: '__tape,
        {
            let sigma = __ctx.data::<Array1<f64>>(&self.sigma);
            let k = <usize as ::core::clone::Clone>::clone(&self.k);
            ::posterior::__private::is_data::<Array1<f64>>();
            let y = __ctx.observed(&self.y);
            ::core::result::Result::Ok({
                let mut mu = __ctx.sample(
                    ::posterior::__private::Site {
                        name: "mu",
                        file: ::core::file!(),
                        line: ::core::line!(),
                    },
                    Normal(0, k),
                )?;
                let _ = &mu;
                {
                    let __plate = __ctx.plate(
                        ::posterior::__private::Site {
                            name: "j",
                            file: ::core::file!(),
                            line: ::core::line!(),
                        },
                        ::posterior::__private::PlateRange::plate_size(&(sigma)),
                        ::posterior::__private::PlateOptions {
                            batch: ::core::option::Option::None,
                            total: ::core::option::Option::None,
                            is_named: false,
                        },
                    )?;
                    let j = __plate.index();
                    let _ = &j;
                    let __out = {
                        __ctx.observe_as::<Array1<f64>, _>(
                            ::posterior::__private::Site {
                                name: "y",
                                file: ::core::file!(),
                                line: ::core::line!(),
                            },
                            y[j],
                            Normal(mu, sigma[j]),
                        )?;
                    };
                    __plate.exit(__out)?
                };
                {
                    let mut __loop = __ctx.loop_enter();
                    while {
                        __loop.next();
                        mu.is_true()
                    } {
                        mu = __ctx.sample(
                            ::posterior::__private::Site {
                                name: "mu",
                                file: ::core::file!(),
                                line: ::core::line!(),
                            },
                            Normal(mu, 1),
                        )?;
                    }
                }
                mu
            })
        }
    }
    impl<'__data> ::posterior::__private::Model for __Model<'__data> {
        type Out<'__tape>
            = <fn(::posterior::__private::Ctx) -> Var as ::posterior::__private::Returned<'__tape>>::Out
        where
            Self: '__tape;
        type Values = schools::Values;
        type Names = schools::Names;
        type Accessors = schools::Accessors;
        fn run<'__tape>(&'__tape self, ctx: ::posterior::__private::Ctx<'__tape>) -> ::posterior::__private::Res<<fn(::posterior::__private::Ctx) -> Var as ::posterior::__private::Returned<'__tape>>::Out> {
            self.body(ctx)
        }
        fn visit_data(&self, visitor: &mut dyn ::posterior::__private::DataVisitor) {
            let _ = &visitor;
            self.sigma.visit("sigma", visitor);
            visitor.visit("y", self.y.source().data());
        }
        #[allow(unused_imports, clippy::needless_borrow)]
        fn hash_arguments(&self, key: &mut ::posterior::__private::ArgumentsKey) {
            use ::posterior::__private::{ByBits as _, ByHash as _, ByNothing as _};
            let _ = &key;
            self.sigma.hash_into(key);
            (&&&::posterior::__private::Owned(&self.k)).hash_into(key);
            key.source(self.y.source());
        }
        fn name(&self) -> &'static str {
            "schools"
        }
    }
    impl<'__data> ::posterior::__private::Sample<'__data> for __Model<'__data> {
        type Out = <fn(::posterior::__private::Ctx) -> Var as ::posterior::__private::Returned<'__data>>::Out;
        fn draw(
            self,
            ctx: ::posterior::__private::Ctx<'__data>,
            site: ::posterior::__private::Site,
        ) -> ::posterior::__private::Res<<fn(::posterior::__private::Ctx) -> Var as ::posterior::__private::Returned<'__data>>::Out> {
            ctx.submodel(site, |ctx| self.body(ctx))
        }
    }
    __Model::<'__data> {
        sigma: ::posterior::__private::LendData::lend_data(sigma),
        k,
        y: ::posterior::__private::LendObs::lend_observed(y),
        __types: ::core::marker::PhantomData,
    }
}
