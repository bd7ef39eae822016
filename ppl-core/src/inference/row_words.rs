//! Words about rows: whether the rows of a plate are those of the fit, others, or those and more.

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::runtime::handlers::{Choose, Chosen, SiteChoice};
use crate::runtime::sites::{SiteAccessors, SiteNames};

/// What a word says of the rows of a plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// All of them are drawn anew.
    New,
    /// Those of the fit keep their draws, later ones are drawn anew.
    More,
}

impl Word {
    /// Returns the word as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Word::New => "new_rows",
            Word::More => "more_rows",
        }
    }
}

/// The words of a prediction, in the order in which they were said.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowWords {
    said: Vec<(Word, Chosen)>,
}

impl RowWords {
    /// Returns whether nothing was said: all rows are those of the fit.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Returns what was said of a site.
    ///
    /// # Errors
    ///
    /// If both words name it.
    pub fn of(&self, site: &str) -> Result<Option<Word>> {
        let mut words = self
            .said
            .iter()
            .filter(|(_, chosen)| chosen.contains(site))
            .map(|(word, _)| *word);
        let first = words.next();
        match words.find(|&word| Some(word) != first) {
            Some(_) => Err(Error::Invalid(format!(
                "`new_rows` and `more_rows` both name site {site}: its rows are either others or the same and more"
            ))),
            None => Ok(first),
        }
    }

    /// Returns each name with its word.
    pub fn names(&self) -> impl Iterator<Item = (Word, &str)> {
        self.said
            .iter()
            .flat_map(|(word, chosen)| chosen.names().map(move |name| (*word, name)))
    }
}

/// Returns how a site is named in a word: `|s| s.theta()`, or by its text where its accessor has another name.
pub(crate) fn choice(site: &str) -> String {
    let family = family_of(site);
    match family.contains('.') {
        true => format!("|_| \"{family}\""),
        false => format!("|s| s.{family}()"),
    }
}

/// Returns the name of a site without the numbers of loops.
pub(crate) fn family_of(site: &str) -> String {
    let mut parts = site.split('[');
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |name, part| {
        name + part.split_once(']').map_or("", |(_, rest)| rest)
    })
}

/// A fit with words about the rows that predictions mean: [`Fit::new_rows`](super::fit::Fit::new_rows) and its like make one.
///
/// Words may follow each other, and each may name several sites.
#[must_use = "it predicts nothing until `predict` is called"]
pub struct ForRows<'f, F, A> {
    pub(crate) fit: &'f F,
    pub(crate) words: RowWords,
    accessors: PhantomData<fn() -> A>,
}

impl<'f, F, A: SiteAccessors> ForRows<'f, F, A> {
    pub(crate) fn of(fit: &'f F) -> Self {
        ForRows {
            fit,
            words: RowWords::default(),
            accessors: PhantomData,
        }
    }

    fn say<S: SiteChoice>(mut self, word: Word, sites: impl Choose<A::Names, S>) -> Self {
        let chosen = sites(A::Names::from(SiteNames::default())).chosen();
        self.words.said.push((word, chosen));
        self
    }

    /// Says that the rows of these sites' plates are not those of the fit: all their latents are drawn anew.
    ///
    /// The plate is the innermost one around the site. What else lies in it, plates within it too, is drawn anew with it.
    /// Of a loop over steps, all steps are drawn anew.
    pub fn new_rows<S: SiteChoice>(self, sites: impl Choose<A::Names, S>) -> Self {
        self.say(Word::New, sites)
    }

    /// Says that these sites' plates may have more rows than in the fit: the rows of the fit come first and keep their
    /// draws, the later ones are drawn anew.
    ///
    /// A site that is named may be longer along each of its plates; other sites along the innermost plate of that site.
    pub fn more_rows<S: SiteChoice>(self, sites: impl Choose<A::Names, S>) -> Self {
        self.say(Word::More, sites)
    }
}
