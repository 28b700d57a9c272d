//! One table, two shapes: a struct of columns for speed and a struct of one row for tests.

/// Declares a struct of columns and the struct of one of its rows, from one list of fields.
macro_rules! columns {
    (
        $(#[$table_doc:meta])* table $table:ident;
        $(#[$row_doc:meta])* row $row:ident;
        $($(#[$field_doc:meta])* $field:ident: $kind:ty,)*
    ) => {
        $(#[$row_doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $row {
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        $(#[$table_doc])*
        ///
        /// All columns have the same length.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $table {
            $($(#[$field_doc])* pub $field: Vec<$kind>,)*
        }

        impl $table {
            /// Number of rows.
            pub fn len(&self) -> usize {
                let lengths = [$(self.$field.len()),*];
                lengths[0]
            }

            /// True when there is no row.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Removes all rows and keeps the memory.
            pub fn clear(&mut self) {
                $(self.$field.clear();)*
            }

            /// Adds a row at the end.
            pub fn push(&mut self, row: $row) {
                $(self.$field.push(row.$field);)*
            }

            /// The row at `position`.
            ///
            /// # Panics
            /// When there is none.
            pub fn row(&self, position: usize) -> $row {
                $row { $($field: self.$field[position].clone(),)* }
            }

            /// All rows, in order.
            pub fn rows(&self) -> impl Iterator<Item = $row> + '_ {
                (0..self.len()).map(|position| self.row(position))
            }

            /// The rows at `positions`, in that order.
            pub fn select(&self, positions: &[usize]) -> Self {
                Self { $($field: positions.iter().map(|&at| self.$field[at].clone()).collect(),)* }
            }
        }
    };
}

pub(crate) use columns;
