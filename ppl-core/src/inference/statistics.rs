//! The statistics of the steps of one chain, a row for each draw, and those of all chains as draws.

use crate::draws::Draws;
use crate::inference::persist::Fields;
use crate::inference::transition::{ACCEPTANCE_RATE, Column, Combine, STEP_SIZE};

/// The log density of a draw, up to a constant.
pub(crate) const LP: &str = "lp";

/// The statistics of one chain: its log density first, then what its transition tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    columns: Vec<Column>,
    /// `[draw, column]`.
    rows: Vec<f64>,
    /// The steps since the last draw, combined.
    pending: Vec<f64>,
    n_pending: f64,
    /// The sum over all steps of each column.
    sums: Vec<f64>,
    n_steps: f64,
}

impl Statistics {
    /// Returns an empty table of these columns behind that of the log density.
    pub(crate) fn new(of_transition: Vec<Column>) -> Self {
        let mut columns = vec![Column::real(LP, Combine::Last)];
        columns.extend(of_transition);
        Statistics {
            pending: vec![0.0; columns.len()],
            sums: vec![0.0; columns.len()],
            columns,
            ..Statistics::default()
        }
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// Takes the statistics of a step.
    pub(crate) fn add(&mut self, row: &[f64]) {
        let is_first = self.n_pending == 0.0;
        self.n_pending += 1.0;
        self.n_steps += 1.0;
        self.sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        for ((column, pending), &x) in self.columns.iter().zip(&mut self.pending).zip(row) {
            *pending = match column.combine {
                _ if is_first => x,
                Combine::Last => x,
                Combine::Mean => *pending + (x - *pending) / self.n_pending,
                Combine::Sum => *pending + x,
                Combine::Max => pending.max(x),
            };
        }
    }

    /// Makes the steps since the last draw a row.
    pub(crate) fn keep(&mut self) {
        self.rows.extend_from_slice(&self.pending);
        self.n_pending = 0.0;
    }

    /// Shows the rows and what is summed; the columns are those of the transition.
    pub(crate) fn visit(&mut self, fields: &mut dyn Fields) {
        fields.list("rows", &mut self.rows);
        fields.numbers("pending", &mut self.pending);
        fields.number("n_pending", &mut self.n_pending);
        fields.numbers("sums", &mut self.sums);
        fields.number("n_steps", &mut self.n_steps);
    }

    /// Returns the numbers of a column, draw by draw.
    fn values(&self, column: usize) -> impl Iterator<Item = f64> {
        self.rows
            .iter()
            .copied()
            .skip(column)
            .step_by(self.columns.len().max(1))
    }

    /// Returns, for each part that accepts or not, its name, its mean acceptance over all steps and its last step size.
    pub(crate) fn acceptances(&self) -> impl Iterator<Item = (Option<&str>, f64, Option<f64>)> {
        let accepting = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, c)| c.name == ACCEPTANCE_RATE);
        accepting.map(|(i, column)| {
            let is_step = |c: &Column| c.name == STEP_SIZE && c.of == column.of;
            let step_size = self
                .columns
                .iter()
                .position(is_step)
                .and_then(|i| self.values(i).last());
            (column.of.as_deref(), self.sums[i] / self.n_steps, step_size)
        })
    }
}

/// Returns the first `n_draws` statistics of all chains, each a scalar by its label; chains of another kind have none.
pub(crate) fn merge(chains: &[Statistics], n_draws: usize) -> Draws {
    let mut draws = Draws::new(chains.len(), n_draws);
    let Some(first) = chains.first() else {
        return draws;
    };
    for (i, column) in first.columns.iter().enumerate() {
        let values = chains.iter().flat_map(|chain| chain.values(i).take(n_draws)).collect();
        let inserted = draws.insert_axes(&column.label(), column.kind, &[], values);
        inserted.expect("each chain has a row for each draw");
    }
    draws
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Kind;

    #[test]
    fn the_steps_of_a_draw_are_combined_as_its_columns_say() {
        let mut statistics = Statistics::new(vec![
            Column::acceptance_rate(),
            Column::integer("n_steps", Combine::Sum),
            Column::boolean("diverging"),
        ]);
        for row in [[-1.0, 0.5, 3.0, 0.0], [-2.0, 1.0, 7.0, 1.0], [-3.0, 0.9, 1.0, 0.0]] {
            statistics.add(&row);
        }
        statistics.keep();
        statistics.add(&[-4.0, 0.2, 1.0, 0.0]);
        statistics.keep();
        assert_eq!(statistics.rows[..4], [-3.0, 0.8, 11.0, 1.0]);
        assert_eq!(statistics.rows[4..], [-4.0, 0.2, 1.0, 0.0]);
        let draws = merge(&[statistics.clone(), statistics], 2);
        assert_eq!(
            draws.names().collect::<Vec<_>>(),
            ["lp", "acceptance_rate", "n_steps", "diverging"]
        );
        assert_eq!(draws.get("n_steps").unwrap()[[1, 0]], 11.0);
        assert_eq!(
            (draws.kind("diverging"), draws.kind("lp")),
            (Ok(Kind::Boolean), Ok(Kind::Real))
        );
    }
}
