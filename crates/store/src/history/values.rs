//! Typed access to the columns of a batch, whether they were read or are constant.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, PrimitiveArray, RecordBatch, StringArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, Int32Type, Int64Type, TimestampMillisecondType, UInt32Type, UInt64Type,
};
use regulars_core::Symbol;
use serde_json::Value;

use super::SymbolTable;

/// Why a column cannot be used, for a message.
pub(super) type Unusable = String;

/// A batch and the constant columns that it leaves out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'b> {
    pub(super) batch: &'b RecordBatch,
    pub(super) constants: &'b BTreeMap<String, Value>,
}

/// A column without nulls.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'b, T> {
    Constant(T),
    Each(&'b [T]),
}

impl<T: Copy> Values<'_, T> {
    #[inline(always)]
    pub(super) fn get(&self, row: usize) -> T {
        match self {
            Self::Constant(value) => *value,
            Self::Each(values) => values[row],
        }
    }
}

/// A column that may have nulls.
#[derive(Debug, Clone, Copy)]
pub(super) enum MaybeValues<'b> {
    Constant(Option<i64>),
    Each(&'b [i64], Option<&'b NullBuffer>),
}

impl MaybeValues<'_> {
    #[inline(always)]
    pub(super) fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Constant(value) => *value,
            Self::Each(values, None) => Some(values[row]),
            Self::Each(values, Some(nulls)) => nulls.is_valid(row).then(|| values[row]),
        }
    }
}

/// What a column with a dictionary holds in this batch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Coded<'b, T> {
    Constant(T),
    Each {
        keys: &'b [i32],
        nulls: Option<&'b NullBuffer>,
        meanings: &'b [T],
        none: T,
    },
}

impl<T: Copy> Coded<'_, T> {
    #[inline(always)]
    pub(super) fn get(&self, row: usize) -> T {
        match self {
            Self::Constant(value) => *value,
            Self::Each {
                keys,
                nulls: None,
                meanings,
                ..
            } => meanings[keys[row] as usize],
            Self::Each {
                keys,
                nulls: Some(nulls),
                meanings,
                none,
            } => {
                if nulls.is_valid(row) {
                    meanings[keys[row] as usize]
                } else {
                    *none
                }
            }
        }
    }
}

impl<'b> Columns<'b> {
    fn array(&self, name: &str) -> Result<&'b ArrayRef, Unusable> {
        self.batch
            .column_by_name(name)
            .ok_or_else(|| format!("column `{name}` is missing"))
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        name: &str,
    ) -> Result<&'b PrimitiveArray<T>, Unusable> {
        self.of_type(name)
    }

    fn required<T: ArrowPrimitiveType>(
        &self,
        name: &str,
        constant: impl Fn(&Value) -> Option<T::Native>,
    ) -> Result<Values<'b, T::Native>, Unusable> {
        if let Some(value) = self.constants.get(name) {
            let value = constant(value).ok_or_else(|| bad_constant(name, value))?;
            return Ok(Values::Constant(value));
        }
        Ok(Values::Each(self.primitive::<T>(name)?.values()))
    }

    pub(super) fn u64s(&self, name: &str) -> Result<Values<'b, u64>, Unusable> {
        self.required::<UInt64Type>(name, Value::as_u64)
    }

    pub(super) fn u32s(&self, name: &str) -> Result<Values<'b, u32>, Unusable> {
        let narrow = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok());
        self.required::<UInt32Type>(name, narrow)
    }

    pub(super) fn i64s(&self, name: &str) -> Result<Values<'b, i64>, Unusable> {
        self.required::<Int64Type>(name, Value::as_i64)
    }

    pub(super) fn f64s(&self, name: &str) -> Result<Values<'b, f64>, Unusable> {
        self.required::<arrow::datatypes::Float64Type>(name, Value::as_f64)
    }

    pub(super) fn instants(&self, name: &str) -> Result<Values<'b, i64>, Unusable> {
        self.required::<TimestampMillisecondType>(name, Value::as_i64)
    }

    fn optional<T: ArrowPrimitiveType<Native = i64>>(
        &self,
        name: &str,
    ) -> Result<MaybeValues<'b>, Unusable> {
        match self.constants.get(name) {
            Some(Value::Null) => Ok(MaybeValues::Constant(None)),
            Some(value) => {
                let known = value.as_i64().ok_or_else(|| bad_constant(name, value))?;
                Ok(MaybeValues::Constant(Some(known)))
            }
            None => {
                let array = self.primitive::<T>(name)?;
                Ok(MaybeValues::Each(array.values(), nulls_of(array)))
            }
        }
    }

    pub(super) fn maybe_i64s(&self, name: &str) -> Result<MaybeValues<'b>, Unusable> {
        self.optional::<Int64Type>(name)
    }

    pub(super) fn maybe_instants(&self, name: &str) -> Result<MaybeValues<'b>, Unusable> {
        self.optional::<TimestampMillisecondType>(name)
    }

    /// A column of one of Arrow's types.
    pub(super) fn of_type<A: 'static>(&self, name: &str) -> Result<&'b A, Unusable> {
        let array = self.array(name)?.as_any().downcast_ref();
        array.ok_or_else(|| format!("column `{name}` has another type"))
    }

    pub(super) fn texts(&self, name: &str) -> Result<&'b StringArray, Unusable> {
        self.of_type(name)
    }

    pub(super) fn bytes(&self, name: &str) -> Result<&'b BinaryArray, Unusable> {
        self.of_type(name)
    }

    /// A column of texts that `meanings` understands, once for each dictionary.
    pub(super) fn coded<T: Copy>(
        &self,
        name: &str,
        meanings: &'b mut Meanings<T>,
        none: T,
        mean: impl FnOnce(&mut dyn Iterator<Item = &str>, &mut Vec<T>) -> Result<(), Unusable>,
    ) -> Result<Coded<'b, T>, Unusable> {
        if let Some(constant) = self.constants.get(name) {
            if constant.is_null() {
                return Ok(Coded::Constant(none));
            }
            let text = constant
                .as_str()
                .ok_or_else(|| bad_constant(name, constant))?;
            if meanings.known.is_empty() {
                mean(&mut std::iter::once(text), &mut meanings.known)?;
            }
            return Ok(Coded::Constant(meanings.known[0]));
        }
        let array: &DictionaryArray<Int32Type> = self
            .array(name)?
            .as_any()
            .downcast_ref()
            .ok_or_else(|| format!("column `{name}` has another type"))?;
        let texts = array.values();
        let same = meanings.of.as_ref().is_some_and(|of| same_texts(of, texts));
        if !same {
            let all: &StringArray = texts
                .as_any()
                .downcast_ref()
                .ok_or_else(|| format!("column `{name}` has another type"))?;
            mean(
                &mut all.iter().map(Option::unwrap_or_default),
                &mut meanings.known,
            )?;
            meanings.of = Some(Arc::clone(texts));
        }
        let keys = array.keys();
        Ok(Coded::Each {
            keys: keys.values(),
            nulls: nulls_of(keys),
            meanings: &meanings.known,
            none,
        })
    }
}

/// Only if there are any: a column may have nulls and none here.
fn nulls_of(array: &dyn Array) -> Option<&NullBuffer> {
    array.nulls().filter(|nulls| nulls.null_count() > 0)
}

fn bad_constant(name: &str, value: &Value) -> Unusable {
    format!("`{value}` is no value of column `{name}`")
}

/// True when both are views of the same memory. Holding on to one of them keeps that memory from
/// being used for other texts.
fn same_texts(one: &ArrayRef, other: &ArrayRef) -> bool {
    Arc::ptr_eq(one, other) || one.to_data().ptr_eq(&other.to_data())
}

/// What the texts of a column's dictionary mean, kept from batch to batch.
#[derive(Debug)]
pub(super) struct Meanings<T> {
    of: Option<ArrayRef>,
    known: Vec<T>,
}

impl<T> Default for Meanings<T> {
    fn default() -> Self {
        Self {
            of: None,
            known: Vec::new(),
        }
    }
}

/// Interns the texts of a dictionary.
pub(super) fn intern(
    table: &SymbolTable,
) -> impl FnOnce(&mut dyn Iterator<Item = &str>, &mut Vec<Symbol>) -> Result<(), Unusable> {
    move |texts, symbols| {
        table.intern_all(texts, symbols);
        Ok(())
    }
}

/// Looks the texts of a dictionary up in a fixed vocabulary.
pub(super) fn vocabulary<T>(
    find: fn(&str) -> Option<T>,
) -> impl FnOnce(&mut dyn Iterator<Item = &str>, &mut Vec<T>) -> Result<(), Unusable> {
    move |texts, known| {
        known.clear();
        for text in texts {
            known.push(find(text).ok_or_else(|| format!("`{text}` is an unknown word"))?);
        }
        Ok(())
    }
}
