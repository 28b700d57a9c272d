//! What the shop sells: 600 products in twelve categories, of twenty-four invented brands.
//!
//! Popularity is log-normal within a category and price band. A little more than half of the
//! products are there from the start, the others are launched over the time of the data.

mod words;

use std::fmt;

use regulars_core::{CivilDate, Currency};

use crate::calendar::Calendar;
use crate::random::{Dice, Stream};

pub(crate) use words::{BRANDS, CATEGORIES, Category, Department};

/// A product of the shop, from 0 on: its position in [`crate::Shop::products`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductNumber(pub u32);

impl fmt::Display for ProductNumber {
    /// The id in files, such as `P0042`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{:04}", self.0)
    }
}

/// A row of the products file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Which; the id in files is its text.
    pub number: ProductNumber,
    /// Name: brand, look, thing.
    pub name: String,
    /// One of twelve categories.
    pub category: &'static str,
    /// One of twenty-four brands.
    pub brand: &'static str,
    /// List price without tax, minor units.
    pub price_minor: i64,
    /// What the shop pays for it, minor units.
    pub cost_minor: i64,
    /// First day on sale.
    pub launched_on: CivilDate,
}

/// Products of each price band of a category: cheap, middling, dear.
const BAND_SIZES: [usize; 3] = [20, 20, 10];
/// By what the price of a category is multiplied in each band.
const BAND_PRICES: [f64; 3] = [0.5, 1.0, 2.0];

/// `cents`, hundredths of a euro, in minor units of a currency: amounts look usual in it,
/// whatever it is worth.
pub(crate) fn minor_of_cents(cents: i64, currency: Currency) -> i64 {
    match currency.exponent() {
        0..=2 => cents,
        more => cents * 10_i64.pow(more - 2),
    }
}

/// The products, and the ways to draw one.
#[derive(Debug)]
pub(crate) struct Assortment {
    pub(crate) products: Vec<Product>,
    /// For each category its three price bands, in the order of [`CATEGORIES`].
    shelves: Vec<Shelf>,
    /// Position of each product's brand in [`BRANDS`].
    brands: Vec<u8>,
}

/// The products of one category and price band, by day of launch.
#[derive(Debug, Default)]
struct Shelf {
    products: Vec<ProductNumber>,
    /// First day on sale of each: 0 for those that are there from the start.
    launch_days: Vec<u32>,
    /// Sum of the popularity of each product and of those before it.
    popularity: Vec<f64>,
}

/// How a product is chosen from a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// By popularity.
    Popular,
    /// One of the three that were launched last.
    Latest,
}

impl Assortment {
    pub(crate) fn new(seed: u64, calendar: &Calendar, currency: Currency) -> Self {
        let mut assortment = Self {
            products: Vec::new(),
            shelves: Vec::new(),
            brands: Vec::new(),
        };
        for (position, category) in CATEGORIES.iter().enumerate() {
            let mut dice = Dice::new(seed, Stream::Assortment, position as u64);
            let mut in_category = 0;
            for (band, &size) in BAND_SIZES.iter().enumerate() {
                let mut shelf = Shelf::default();
                let mut popularity = 0.0;
                for in_band in 0..size {
                    let launch = launch_day(in_band, size, &mut dice, calendar);
                    let number = ProductNumber(assortment.products.len() as u32);
                    let brand = draw_brand(category.department, band, &mut dice);
                    let cents = price_cents(category, band, &mut dice);
                    let cost = category.cost_share * dice.between(0.85, 1.15);
                    let price_minor = minor_of_cents(cents, currency);
                    assortment.products.push(Product {
                        number,
                        name: product_name(category, brand, in_category),
                        category: category.name,
                        brand: BRANDS[brand].name,
                        price_minor,
                        cost_minor: libm::round(price_minor as f64 * cost) as i64,
                        launched_on: calendar.date(launch),
                    });
                    assortment.brands.push(brand as u8);
                    popularity += libm::exp(0.9 * dice.normal());
                    shelf.products.push(number);
                    shelf.launch_days.push(launch.max(0) as u32);
                    shelf.popularity.push(popularity);
                    in_category += 1;
                }
                assortment.shelves.push(shelf);
            }
        }
        assortment
    }

    /// Draws a product that is on sale on `day`.
    pub(crate) fn draw(
        &self,
        category: usize,
        band: usize,
        day: usize,
        choice: Choice,
        dice: &mut Dice,
    ) -> ProductNumber {
        let shelf = &self.shelves[category * BAND_SIZES.len() + band];
        let on_sale = shelf
            .launch_days
            .partition_point(|&launch| launch as usize <= day)
            .max(1);
        let position = match choice {
            Choice::Popular => {
                let target = dice.share() * shelf.popularity[on_sale - 1];
                shelf.popularity[..on_sale]
                    .partition_point(|&sum| sum <= target)
                    .min(on_sale - 1)
            }
            Choice::Latest => on_sale - 1 - dice.below(3.min(on_sale as u32)) as usize,
        };
        shelf.products[position]
    }

    /// The product.
    pub(crate) fn product(&self, number: ProductNumber) -> &Product {
        &self.products[number.0 as usize]
    }

    /// Position of the product's category in [`CATEGORIES`].
    pub(crate) fn category_of(&self, number: ProductNumber) -> usize {
        number.0 as usize / BAND_SIZES.iter().sum::<usize>()
    }

    /// Whether `share` (0 to 1) falls on the product's brand among those of its department.
    pub(crate) fn is_favourite(&self, number: ProductNumber, share: f64) -> bool {
        let department = CATEGORIES[self.category_of(number)].department;
        let brands = department.brands();
        let favourite = brands.start + (share * brands.len() as f64) as usize;
        usize::from(self.brands[number.0 as usize]) == favourite
    }
}

/// Ascending within a shelf: the first 55 % are there from the start.
fn launch_day(in_band: usize, size: usize, dice: &mut Dice, calendar: &Calendar) -> i32 {
    let from_start = size * 11 / 20;
    if in_band < from_start {
        return -(1 + dice.below(900) as i32);
    }
    let place = (in_band - from_start) as f64 + dice.share();
    (place / (size - from_start) as f64 * calendar.n_days() as f64) as i32
}

/// Three in four products are of a brand of their own price band.
fn draw_brand(department: Department, band: usize, dice: &mut Dice) -> usize {
    let brands = department.brands();
    let weight = |brand: usize| if BRANDS[brand].band == band { 3.0 } else { 0.5 };
    let weights: Vec<f64> = brands.clone().map(weight).collect();
    brands.start + dice.pick(&weights)
}

/// Prices end in 95 cents.
fn price_cents(category: &Category, band: usize, dice: &mut Dice) -> i64 {
    let exact = category.price_cents * BAND_PRICES[band] * libm::exp(0.18 * dice.normal());
    (libm::round(exact / 100.0) as i64).max(2) * 100 - 5
}

fn product_name(category: &Category, brand: usize, in_category: usize) -> String {
    let thing = category.things[in_category % category.things.len()];
    let look = category.looks[in_category / category.things.len() % category.looks.len()];
    format!("{} {look} {thing}", BRANDS[brand].name)
}
