//! When a customer orders, and how many lines: everything that decides the size of the shop.
//!
//! Within a span orders follow a renewal process in season time: the first at its start, then
//! gamma gaps (shape 1: a Poisson process). With rates that are gamma over the customers of a
//! type, and spans of exponential length, this is close to what BG/NBD-like models assume,
//! except for the seasons.

use crate::behaviour::MAX_LINES;
use crate::calendar::{Moment, SeasonTime};
use crate::life::Life;
use crate::random::{Dice, Stream};

/// An order to be filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    pub(crate) moment: Moment,
    pub(crate) n_lines: u32,
    pub(crate) place: Place,
}

/// Where an order stands among the customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first of all.
    First,
    /// The first after the silence of one who came back.
    Back,
    /// Any other.
    Later,
}

/// The orders of a customer, in order of time.
#[derive(Debug)]
pub(crate) struct Rhythm<'a> {
    life: &'a Life,
    season: &'a SeasonTime,
    rate: f64,
    dice: Dice,
    span: usize,
    /// Season time of the last order; `None` before the first of the span.
    last: Option<f64>,
}

impl<'a> Rhythm<'a> {
    pub(crate) fn new(
        seed: u64,
        order_rate: f64,
        life: &'a Life,
        seasons: &'a [SeasonTime],
    ) -> Self {
        let season = &seasons[life.behaviour().season as usize];
        let dice = Dice::new(seed, Stream::Rhythm, u64::from(life.customer.0));
        Self {
            life,
            season,
            rate: life.rate * order_rate,
            dice,
            span: 0,
            last: None,
        }
    }

    fn next_time(&mut self) -> Option<(f64, Place)> {
        while let Some(span) = self.life.spans.get(self.span).copied().flatten() {
            let Some(last) = self.last else {
                self.last = Some(span.from);
                let came_back = self.span > 0;
                let place = if came_back { Place::Back } else { Place::First };
                return Some((span.from, place));
            };
            let shape = self.life.behaviour().gap_shape;
            let gap = if shape == 1.0 {
                self.dice.exponential()
            } else {
                self.dice.gamma(shape)
            };
            let time = last + gap / self.rate;
            if time < span.to {
                self.last = Some(time);
                return Some((time, Place::Later));
            }
            self.span += 1;
            self.last = None;
        }
        None
    }
}

impl Iterator for Rhythm<'_> {
    type Item = Visit;

    fn next(&mut self) -> Option<Visit> {
        let (time, place) = self.next_time()?;
        let another = self.life.behaviour().another_line;
        let (draw, mut left, mut n_lines) = (self.dice.share(), another, 1);
        while n_lines < MAX_LINES && draw < left {
            n_lines += 1;
            left *= another;
        }
        Some(Visit {
            moment: self.season.moment(time),
            n_lines,
            place,
        })
    }
}
