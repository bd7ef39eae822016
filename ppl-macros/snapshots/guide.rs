//! What #[guide(schools, crate = ppl_core)] makes of the guide in the test of expand.rs.
#[doc = "Typed names of the sites of [`family`](family())."]
#[allow(
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    clippy::all,
    clippy::pedantic
)]
mod family {
    #[doc(hidden)]
    pub struct Latents {}
    #[doc = "Values for sites, by name."]
    #[derive(Clone, Debug, Default)]
    pub struct Values(ppl_core::__private::SiteValues);
    impl Values {
        #[doc = "Gives the site `mu` a value."]
        pub fn mu(self, value: impl ::core::convert::Into<ppl_core::__private::SiteValue>) -> Self {
            Values(self.0.with("mu", value))
        }
    }
    impl ::core::convert::From<ppl_core::__private::SiteValues> for Values {
        fn from(inner: ppl_core::__private::SiteValues) -> Self {
            Values(inner)
        }
    }
    impl ::core::convert::From<Values> for ppl_core::__private::SiteValues {
        fn from(outer: Values) -> Self {
            outer.0
        }
    }
    #[doc = "A choice of sites, by name."]
    #[derive(Clone, Debug, Default)]
    pub struct Names(ppl_core::__private::SiteNames);
    impl Names {
        #[doc = "Chooses the site `mu`."]
        pub fn mu(self) -> Self {
            Names(self.0.with("mu"))
        }
    }
    impl ::core::convert::From<ppl_core::__private::SiteNames> for Names {
        fn from(inner: ppl_core::__private::SiteNames) -> Self {
            Names(inner)
        }
    }
    impl ::core::convert::From<Names> for ppl_core::__private::SiteNames {
        fn from(outer: Names) -> Self {
            outer.0
        }
    }
    #[doc = "Draws of the sites, by name."]
    #[derive(Clone)]
    pub struct Accessors(::std::sync::Arc<dyn ppl_core::__private::DrawsBySite>);
    impl Accessors {
        #[doc = "Returns the draws of `mu`: `[chain, draw, event…]`, or `[chain, draw, 0]` if no draw has met it.\n\n# Panics\n\nIf `mu` is a submodel, a module or a loop whose sites differ in shape: their sites are read from `draws()`. In the result of SVI also if its sites are fixed and `mu` is no latent among them."]
        pub fn mu(&self) -> ppl_core::__private::ArrayViewD<'_, f64> {
            self.0.draws_of_latent("mu")
        }
    }
    impl ::core::convert::From<::std::sync::Arc<dyn ppl_core::__private::DrawsBySite>> for Accessors {
        fn from(draws: ::std::sync::Arc<dyn ppl_core::__private::DrawsBySite>) -> Self {
            Accessors(draws)
        }
    }
    impl ppl_core::__private::SiteAccessors for Accessors {
        type Names = Names;
    }
}
fn family<'__data>() -> impl ppl_core::__private::Guide<
    Values = family::Values,
    Names = family::Names,
    Accessors = family::Accessors,
    Target = schools::Names,
> + ppl_core::__private::Sample<'__data, Out = ()> {
    struct __Model<'__data> {
        __types: ::core::marker::PhantomData<fn() -> (&'__data (),)>,
    }
    impl<'__data> __Model<'__data> {
        #[allow(clippy::let_unit_value)]
        fn body<'__tape>(&self, __ctx: ppl_core::__private::Ctx<'__tape>) -> ppl_core::__private::Res<()>
        where
            '__data: '__tape,
        {
            ::core::result::Result::Ok({
                let mu = __ctx.sample(
                    ppl_core::__private::Site {
                        name: "mu",
                        file: ::core::file!(),
                        line: ::core::line!(),
                    },
                    Normal(
                        __ctx.param(
                            ppl_core::__private::Site {
                                name: "mu.0",
                                file: ::core::file!(),
                                line: ::core::line!(),
                            },
                            0.0,
                            ppl_core::__private::Real,
                        )?,
                        1,
                    ),
                )?;
                let _ = &mu;
            })
        }
    }
    impl<'__data> ppl_core::__private::Model for __Model<'__data> {
        type Out<'__tape>
            = ()
        where
            Self: '__tape;
        type Values = family::Values;
        type Names = family::Names;
        type Accessors = family::Accessors;
        fn run<'__tape>(&'__tape self, ctx: ppl_core::__private::Ctx<'__tape>) -> ppl_core::__private::Res<()> {
            self.body(ctx)
        }
        fn visit_data(&self, visitor: &mut dyn ppl_core::__private::DataVisitor) {
            let _ = &visitor;
        }
        #[allow(unused_imports, clippy::needless_borrow)]
        fn hash_arguments(&self, key: &mut ppl_core::__private::ArgumentsKey) {
            use ppl_core::__private::{ByBits as _, ByHash as _, ByNothing as _};
            let _ = &key;
        }
        fn name(&self) -> &'static str {
            "family"
        }
    }
    impl<'__data> ppl_core::__private::Sample<'__data> for __Model<'__data> {
        type Out = ();
        fn draw(
            self,
            ctx: ppl_core::__private::Ctx<'__data>,
            site: ppl_core::__private::Site,
        ) -> ppl_core::__private::Res<()> {
            ctx.submodel(site, |ctx| self.body(ctx))
        }
    }
    impl<'__data> ppl_core::__private::Guide for __Model<'__data> {
        type Target = schools::Names;
    }
    __Model::<'__data> {
        __types: ::core::marker::PhantomData,
    }
}
const _: fn() = || {
    let _ = schools::Latents {
        mu: ppl_core::__private::covers::<<Normal<'static> as ppl_core::__private::Family>::Support, _>(),
    };
};
