//! Chains from JSON: nested lists of one shape, read with the place of what is wrong.

use posterior::core::draws::Draws;

/// How deep the lists of one draw may be nested.
const MAX_DEPTH: usize = 32;

/// The draws of one variable.
#[derive(Debug)]
pub struct Variable {
    pub name: String,
    /// The variable alone.
    pub draws: Draws,
}

/// Returns the variables of a file in their order.
pub fn read(text: &str) -> Result<Vec<Variable>, String> {
    let mut reader = Reader { text, at: 0 };
    let mut variables: Vec<Variable> = Vec::new();
    reader.expect(
        '{',
        "an object of variables, {\"name\": [[draws of chain 1], [draws of chain 2]]}",
    )?;
    while !reader.is_closed('}', variables.is_empty())? {
        let name = reader.name()?;
        if variables.iter().any(|variable| variable.name == name) {
            return Err(format!("`{name}` is there twice"));
        }
        reader.expect(':', "a colon after the name of a variable")?;
        let draws = Lists::new(&name).read(&mut reader)?;
        variables.push(Variable { name, draws });
    }
    match (reader.peek(), variables.is_empty()) {
        (Some(_), _) => Err(reader.wrong("the end of the file")),
        (None, true) => Err("there are no variables".to_string()),
        (None, false) => Ok(variables),
    }
}

/// The text, and how far it is read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text[self.at..].trim_start()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Returns the error of something else than what was wanted, with its line.
    fn wrong(&self, wanted: &str) -> String {
        let at = self.text.len() - self.rest().len();
        let line = 1 + self.text[..at].matches('\n').count();
        let got: String = self.rest().chars().take(20).collect();
        match got.is_empty() {
            true => format!("the file ends where {wanted} is needed"),
            false => format!("line {line}: {wanted} is needed, got {got:?}"),
        }
    }

    fn expect(&mut self, sign: char, wanted: &str) -> Result<(), String> {
        let rest = self.rest().strip_prefix(sign).ok_or_else(|| self.wrong(wanted))?;
        self.at = self.text.len() - rest.len();
        Ok(())
    }

    /// Returns whether a list or an object ends here; what is not the first has a comma before it.
    fn is_closed(&mut self, end: char, is_first: bool) -> Result<bool, String> {
        let is_closed = self.peek() == Some(end);
        if is_closed {
            self.expect(end, "")?;
        } else if !is_first {
            self.expect(',', if end == ']' { "a comma or `]`" } else { "a comma or `}`" })?;
        }
        Ok(is_closed)
    }

    fn name(&mut self) -> Result<String, String> {
        let wrong = || self.wrong("the name of a variable in quotes");
        let rest = self.rest();
        let inner = rest.strip_prefix('"').ok_or_else(wrong)?;
        let mut is_escaped = false;
        let end = inner.find(|c| {
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        let quoted = &rest[..end.ok_or_else(wrong)? + 2];
        self.at = self.text.len() - rest.len() + quoted.len();
        serde_json::from_str(quoted).map_err(|e| format!("{quoted}: {e}"))
    }

    /// Returns what stands before the next comma or bracket.
    fn token(&mut self) -> &'a str {
        let rest = self.rest();
        let end = match rest.strip_prefix('"') {
            // A text may hold such signs.
            Some(inner) => inner.find('"').map_or(rest.len(), |end| end + 2),
            None => rest
                .find(|c: char| c.is_whitespace() || ",[]{}:".contains(c))
                .unwrap_or(rest.len()),
        };
        self.at = self.text.len() - rest.len() + end;
        &rest[..end]
    }
}

/// The nested lists of one variable: chains, draws, events.
struct Lists<'a> {
    name: &'a str,
    /// The length of the lists of each level, once one has been read.
    lengths: Vec<Option<usize>>,
    /// The level of the numbers, once one has been read.
    depth: Option<usize>,
    values: Vec<f64>,
}

impl<'a> Lists<'a> {
    fn new(name: &'a str) -> Self {
        Lists {
            name,
            lengths: Vec::new(),
            depth: None,
            values: Vec::new(),
        }
    }

    fn read(mut self, reader: &mut Reader) -> Result<Draws, String> {
        self.value(reader, &mut Vec::new())?;
        let shape: Vec<usize> = self.lengths.into_iter().flatten().collect();
        let mut draws = Draws::new(shape[0], shape[1]);
        draws
            .insert(self.name, &shape[2..], self.values)
            .map_err(|e| e.to_string())?;
        Ok(draws)
    }

    /// Reads a list or a number; `place` is its index at each level.
    fn value(&mut self, reader: &mut Reader, place: &mut Vec<usize>) -> Result<(), String> {
        if reader.peek() != Some('[') {
            return match reader.token() {
                "" => Err(format!(
                    "`{}`, {}: {}",
                    self.name,
                    at(place),
                    reader.wrong("a list or a number")
                )),
                token => self.number(token, place),
            };
        }
        if place.len() >= MAX_DEPTH || self.depth.is_some_and(|depth| place.len() >= depth) {
            return Err(format!(
                "`{}` is ragged: {} is a list where others are numbers",
                self.name,
                at(place)
            ));
        }
        reader.expect('[', "a list")?;
        let level = place.len();
        if self.lengths.len() == level {
            self.lengths.push(None);
        }
        let mut n = 0;
        while !reader.is_closed(']', n == 0)? {
            place.push(n);
            self.value(reader, place)?;
            place.pop();
            n += 1;
        }
        if n == 0 {
            return Err(format!("`{}` has no {} in {}", self.name, kind(level), at(place)));
        }
        let expected = *self.lengths[level].get_or_insert(n);
        if n != expected {
            let (name, kind, at) = (self.name, kind(level), at(place));
            return Err(format!(
                "`{name}` is ragged: {at} has {n} {kind}, where the first has {expected}"
            ));
        }
        Ok(())
    }

    fn number(&mut self, token: &str, place: &[usize]) -> Result<(), String> {
        let (name, at) = (self.name, || at(place));
        if place.len() < 2 {
            return Err(format!(
                "`{name}`: {} is {token}, where a list of draws is needed: a variable is a list of chains, and each of them a \
                 list of draws, so that [[1, 2, 3]] is one chain",
                at()
            ));
        }
        if *self.depth.get_or_insert(place.len()) != place.len() || self.lengths.len() > place.len() {
            return Err(format!(
                "`{name}` is ragged: {} is a number where others are lists",
                at()
            ));
        }
        let is_number = token.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        let x = match token {
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            "NaN" | "null" => Err(": a draw is a number; look at the model there, or leave the chain out"),
            _ => match token.parse::<f64>().ok().filter(|_| is_number) {
                Some(x) if x.is_finite() => Ok(x),
                Some(_) => Err(", beyond the largest number of 64 bits"),
                None => Err(", which is no number"),
            },
        };
        self.values
            .push(x.map_err(|why| format!("`{name}` is {token} in {}{why}", at()))?);
        Ok(())
    }
}

/// Returns what the lists of a level hold.
fn kind(level: usize) -> &'static str {
    ["chains", "draws"].get(level).unwrap_or(&"elements")
}

/// Returns where something stands.
fn at(place: &[usize]) -> String {
    match place {
        [] => "the whole".to_string(),
        [chain] => format!("chain {chain}"),
        [chain, draw] => format!("chain {chain} at draw {draw}"),
        [chain, draw, event @ ..] => format!("chain {chain} at draw {draw}, element {event:?}"),
    }
}
